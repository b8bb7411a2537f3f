# SPDX-License-Identifier: Apache-2.0
# Reads the version out of include/shmring/version.hpp.

function(shmring_read_version header result)
  file(STRINGS "${header}" lines REGEX "constexpr int kVersion(Major|Minor|Patch) =")
  set(version "")
  foreach(part Major Minor Patch)
    if(NOT "${lines}" MATCHES "kVersion${part} = ([0-9]+)")
      message(FATAL_ERROR "${header} does not say kVersion${part}")
    endif()
    list(APPEND version ${CMAKE_MATCH_1})
  endforeach()
  list(JOIN version "." version)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
  set(${result} "${version}" PARENT_SCOPE)
endfunction()
