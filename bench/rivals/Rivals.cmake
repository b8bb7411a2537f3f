# SPDX-License-Identifier: Apache-2.0
# Which rivals this machine has. What is missing becomes a row that says so.

set(shmring_rival_calls "")

# shmring_rival(SOURCE [libraries ...]): SOURCE.cpp registers its rows by add_SOURCE().
function(shmring_rival source)
  target_sources(shmring_bench PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/rivals/${source}.cpp")
  target_link_libraries(shmring_bench PRIVATE ${ARGN})
  set(shmring_rival_calls "${shmring_rival_calls}  add_${source}(rows);\n" PARENT_SCOPE)
endfunction()

function(shmring_rival_absent name label reason)
  message(STATUS "The benchmarks go without ${name}: ${reason}")
  string(APPEND shmring_rival_calls
    "  add_absent(rows, {.name = \"${name}\", .label = \"${label}\", .record = {}}, \"${reason}\");\n")
  set(shmring_rival_calls "${shmring_rival_calls}" PARENT_SCOPE)
endfunction()

find_package(spdlog QUIET)
if(spdlog_FOUND)
  shmring_rival(spdlog spdlog::spdlog)
else()
  shmring_rival_absent(spdlog_async "spdlog async, a sink that does nothing" "no libspdlog-dev")
endif()

find_path(SHMRING_MOODYCAMEL_INCLUDE concurrentqueue/concurrentqueue.h)
if(SHMRING_MOODYCAMEL_INCLUDE)
  add_library(shmring_moodycamel INTERFACE)
  target_include_directories(shmring_moodycamel SYSTEM INTERFACE "${SHMRING_MOODYCAMEL_INCLUDE}")
  shmring_rival(moodycamel shmring_moodycamel)
else()
  shmring_rival_absent(moodycamel "moodycamel ConcurrentQueue, 200 bytes" "no libconcurrentqueue-dev")
endif()

# These need nothing that the ring does not need.
shmring_rival(message_queue Boost::headers rt)
shmring_rival(pipe)
shmring_rival(unix_datagram)
shmring_rival(fetch_add_ring)

configure_file("${CMAKE_CURRENT_SOURCE_DIR}/rivals/rivals.cpp.in" "${CMAKE_CURRENT_BINARY_DIR}/rivals.cpp" @ONLY)
target_sources(shmring_bench PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/rivals.cpp")

# shmring_rival_program(NAME SOURCES ... LIBRARIES ...): bin/shmring-bench-NAME, for those who want a process to themselves.
function(shmring_rival_program name)
  cmake_parse_arguments(PARSE_ARGV 1 program "" "" "SOURCES;LIBRARIES")
  string(REPLACE "-" "_" target "shmring_bench_${name}")
  list(TRANSFORM program_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/rivals/")
  add_executable(${target} ${program_SOURCES})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME shmring-bench-${name})
  target_link_libraries(${target} PRIVATE
    shmring_bench_harness ${program_LIBRARIES} Threads::Threads shmring::warnings)
endfunction()

find_package(LTTngUST QUIET)
if(LTTNGUST_FOUND)
  add_library(shmring_bench_tracepoints OBJECT "${CMAKE_CURRENT_SOURCE_DIR}/rivals/lttng/shop_tracepoints.cpp")
  target_include_directories(shmring_bench_tracepoints PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(shmring_bench_tracepoints PUBLIC LTTng::UST)
  shmring_rival_program(lttng SOURCES lttng/main.cpp lttng/session.cpp LIBRARIES shmring_bench_tracepoints)
endif()

find_package(quill QUIET)
if(quill_FOUND)
  shmring_rival_program(quill SOURCES quill/main.cpp LIBRARIES quill::quill)
endif()

find_package(opentelemetry-cpp QUIET)
if(opentelemetry-cpp_FOUND)
  shmring_rival_program(otel-cpp SOURCES otel_cpp/main.cpp
    LIBRARIES opentelemetry-cpp::otlp_recordable opentelemetry-cpp::logs opentelemetry-cpp::trace)
endif()
