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

find_package(quill QUIET)
if(quill_FOUND)
  shmring_rival(quill quill::quill)
else()
  shmring_rival_absent(quill "Quill, body and attributes" "CMake found no quill")
endif()

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

# LTTng-UST: a program of its own.
find_package(LTTngUST QUIET)
if(LTTNGUST_FOUND)
  add_library(shmring_bench_tracepoints OBJECT "${CMAKE_CURRENT_SOURCE_DIR}/rivals/lttng/shop_tracepoints.cpp")
  target_include_directories(shmring_bench_tracepoints PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(shmring_bench_tracepoints PUBLIC LTTng::UST)
  add_executable(shmring_bench_lttng
    "${CMAKE_CURRENT_SOURCE_DIR}/rivals/lttng/main.cpp"
    "${CMAKE_CURRENT_SOURCE_DIR}/rivals/lttng/session.cpp")
  set_target_properties(shmring_bench_lttng PROPERTIES OUTPUT_NAME shmring-bench-lttng)
  target_link_libraries(shmring_bench_lttng PRIVATE
    shmring_bench_harness shmring_bench_tracepoints Threads::Threads shmring::warnings)
else()
  message(STATUS "The benchmarks go without LTTng-UST: no liblttng-ust-dev")
endif()
