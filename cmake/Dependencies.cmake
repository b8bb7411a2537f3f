# SPDX-License-Identifier: Apache-2.0
# Finds the libraries that the chosen parts need, each as an imported target. docs/dependencies.md says why each.
#
#   Boost::headers Threads::Threads    libshmring, to build it; not in its interface
#   protobuf::libprotobuf              proto, which flusher, tools and tests decode with
#   CURL::libcurl ZLIB::ZLIB           flusher
#   prometheus-cpp::core               flusher
#   fmt::fmt CLI11::CLI11              flusher, tools
#   SQLite::SQLite3                    spool, which flusher and tools read
#   nlohmann_json::nlohmann_json       flusher, tools, tests, bench
#   GTest::gtest_main GTest::gmock     tests
#   SHMRING_NGHTTP2 (a path), OpenSSL::SSL  tests of gRPC and TLS
#   benchmark::benchmark               bench

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)

if(SHMRING_BUILD_FLUSHER OR SHMRING_BUILD_TOOLS OR SHMRING_BUILD_TESTS)
  find_package(Protobuf 3.21 REQUIRED)
endif()

if(SHMRING_BUILD_FLUSHER OR SHMRING_BUILD_TOOLS)
  find_package(fmt 9 REQUIRED)
  find_package(CLI11 2.1 REQUIRED)
  find_package(SQLite3 3.40 REQUIRED)
endif()

if(SHMRING_BUILD_FLUSHER)
  find_package(CURL 7.88 REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(prometheus-cpp REQUIRED)  # Debian's says no version
endif()

if(SHMRING_BUILD_FLUSHER OR SHMRING_BUILD_TOOLS OR SHMRING_BUILD_TESTS OR SHMRING_BUILD_BENCH)
  find_package(nlohmann_json 3.11 REQUIRED)
endif()

if(SHMRING_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
  find_library(SHMRING_NGHTTP2 nghttp2)  # Debian's package has no CMake file
  find_package(OpenSSL 3)
  if(NOT SHMRING_NGHTTP2 OR NOT OpenSSL_FOUND)
    message(STATUS "libnghttp2 or OpenSSL is not here: gRPC and TLS are not tested")
  endif()
endif()

if(SHMRING_BUILD_BENCH)
  find_package(benchmark 1.7 REQUIRED)
endif()
