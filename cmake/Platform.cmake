# SPDX-License-Identifier: Apache-2.0
# Refuses, with a reason, every platform that the ring's layout and its crash rules are not made for.

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR
    "shmring is for Linux; this is ${CMAKE_SYSTEM_NAME}. Robust futexes, MADV_WIPEONFORK and open file "
    "description locks are what keeps a record safe when its process dies, and only Linux has all three.")
endif()

if(NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
  message(FATAL_ERROR
    "shmring needs a 64-bit target: the words that claim a block and publish a record are 64 bits wide and must "
    "be lock-free. This compiler's pointers have ${CMAKE_SIZEOF_VOID_P} bytes.")
endif()

if(NOT CMAKE_CXX_BYTE_ORDER STREQUAL "LITTLE_ENDIAN")
  message(FATAL_ERROR
    "shmring needs a little-endian target: records are written in OTLP's wire format, whose fixed-width fields are "
    "little-endian, without swapping. This compiler says: ${CMAKE_CXX_BYTE_ORDER}.")
endif()
