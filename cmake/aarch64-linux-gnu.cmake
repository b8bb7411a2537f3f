# SPDX-License-Identifier: Apache-2.0
# Toolchain: aarch64 by Debian's cross compiler. SHMRING_AARCH64_SYSROOT is a folder that holds an arm64 system's headers and
# libraries (scripts/aarch64.sh makes one); what is built is run by qemu-user.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

set(SHMRING_AARCH64_SYSROOT "" CACHE PATH "An arm64 system's headers and libraries")
if(NOT SHMRING_AARCH64_SYSROOT)
  message(FATAL_ERROR "SHMRING_AARCH64_SYSROOT is not set: scripts/aarch64.sh makes such a folder and sets it")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SHMRING_AARCH64_SYSROOT)
set(CMAKE_SYSROOT "${SHMRING_AARCH64_SYSROOT}")
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-L;${CMAKE_SYSROOT}")

# Programs (protoc, python3) are this machine's; everything else is the other's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
