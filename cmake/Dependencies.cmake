# SPDX-License-Identifier: Apache-2.0
# Finds the libraries that the chosen parts need, each as an imported target. docs/dependencies.md says why each.
#
#   Boost::headers Threads::Threads                       libshmring (build only, not in its interface)
#   protobuf::libprotobuf protozero::protozero ZLIB::ZLIB  proto, libshmring/otlp, flusher, tools
#   CURL::libcurl                                          flusher
#   fmt::fmt CLI11::CLI11 nlohmann_json::nlohmann_json     flusher, tools
#   GTest::gtest_main GTest::gmock                         tests
#   benchmark::benchmark                                   bench

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)

if(SHMRING_BUILD_FLUSHER OR SHMRING_BUILD_TOOLS)
  find_package(Protobuf 3.21 REQUIRED)
  find_package(fmt 9 REQUIRED)
  find_package(CLI11 2.1 REQUIRED)
  find_package(nlohmann_json 3.11 REQUIRED)
  find_package(ZLIB REQUIRED)

  # protozero is headers only and its package brings no CMake file.
  find_path(PROTOZERO_INCLUDE_DIR protozero/version.hpp)
  if(NOT PROTOZERO_INCLUDE_DIR)
    message(FATAL_ERROR "protozero not found (Debian: libprotozero-dev); scripts/bootstrap.sh --build installs it")
  endif()
  mark_as_advanced(PROTOZERO_INCLUDE_DIR)
  add_library(protozero::protozero INTERFACE IMPORTED)
  target_include_directories(protozero::protozero INTERFACE "${PROTOZERO_INCLUDE_DIR}")
endif()

if(SHMRING_BUILD_FLUSHER)
  find_package(CURL 7.88 REQUIRED)
endif()

if(SHMRING_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()

if(SHMRING_BUILD_BENCH)
  find_package(benchmark 1.7 REQUIRED)
endif()
