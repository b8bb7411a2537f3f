# SPDX-License-Identifier: Apache-2.0
# Installs BUILD_DIR to a prefix below WORK_DIR, moves that prefix, and uses it from CONSUMER_DIR: by find_package, shared
# and static, and by pkg-config. The move shows that nothing in it knows where it was installed first.

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY COMMAND_ECHO STDOUT)
endfunction()

file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")
run("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${WORK_DIR}/first")
file(RENAME "${WORK_DIR}/first" "${WORK_DIR}/prefix")
set(prefix "${WORK_DIR}/prefix")

# ---- what must be there, and what must not show in what others link

foreach(file
    bin/shmring bin/shmring-flusher include/shmring/shmring.hpp ${LIBDIR}/libshmring.so ${LIBDIR}/libshmring.a
    ${LIBDIR}/pkgconfig/shmring.pc ${LIBDIR}/cmake/shmring/shmring-config.cmake
    share/man/man1/shmring.1 share/man/man1/shmring-flusher.1 share/bash-completion/completions/shmring
    lib/systemd/system/shmring-flusher.service share/shmring/shmring-flusher.conf)
  if(NOT EXISTS "${prefix}/${file}")
    message(FATAL_ERROR "not installed: ${file}")
  endif()
endforeach()

file(GLOB exported "${prefix}/${LIBDIR}/cmake/shmring/*.cmake" "${prefix}/${LIBDIR}/pkgconfig/*.pc")
foreach(file IN LISTS exported)
  file(STRINGS "${file}" leaks REGEX "[Bb]oost|[Pp]rotobuf|[Pp]rotozero|warnings|${BUILD_DIR}")
  if(leaks)
    message(FATAL_ERROR "${file} tells users about what only the build needs:\n  ${leaks}")
  endif()
endforeach()

string(REGEX MATCH "^[0-9]+" major "${VERSION}")
if(NOT EXISTS "${prefix}/${LIBDIR}/libshmring.so.${major}")
  message(FATAL_ERROR "libshmring.so.${major} is missing: the SOVERSION must be the major version")
endif()

execute_process(COMMAND "${NM}" --dynamic --defined-only --demangle --format=posix "${prefix}/${LIBDIR}/libshmring.so"
  OUTPUT_VARIABLE exported COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" exported "${exported}")
list(FILTER exported EXCLUDE REGEX "^shmring(::|_)|for shmring::|^SHMRING_[A-Z0-9]+ A ")  # the last: versions of symbols
if(exported AND NOT SANITIZE)
  message(FATAL_ERROR "libshmring.so exports names that are not ours:\n  ${exported}")
endif()

run("${prefix}/bin/shmring" --help)
run("${prefix}/bin/shmring-flusher" --help)

# ---- find_package, shared and static

if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
run("${CMAKE_COMMAND}" -S "${CONSUMER_DIR}" -B "${WORK_DIR}/consumer" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_FLAGS=${flags}" "-DCMAKE_PREFIX_PATH=${prefix}"
    "-DEXPECTED_VERSION=${VERSION}")
run("${CMAKE_COMMAND}" --build "${WORK_DIR}/consumer")
run("${WORK_DIR}/consumer/with_shared" "${WORK_DIR}/shared.ring")
run("${WORK_DIR}/consumer/with_static" "${WORK_DIR}/static.ring")

# ---- find_package, where nobody has a C++ compiler

run("${CMAKE_COMMAND}" -S "${CONSUMER_DIR}_c" -B "${WORK_DIR}/consumer_c" -G "${GENERATOR}" "-DCMAKE_C_FLAGS=${flags}"
    "-DCMAKE_PREFIX_PATH=${prefix}")
run("${CMAKE_COMMAND}" --build "${WORK_DIR}/consumer_c")
run("${WORK_DIR}/consumer_c/in_c" "${WORK_DIR}/c.ring")

# ---- pkg-config

set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
execute_process(COMMAND "${PKG_CONFIG}" --modversion shmring
  OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(NOT version STREQUAL VERSION)
  message(FATAL_ERROR "shmring.pc says version ${version}, the project is ${VERSION}")
endif()
execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs shmring
  OUTPUT_VARIABLE pkg_flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(pkg_flags UNIX_COMMAND "${pkg_flags}")
run("${CXX}" -std=c++20 ${flags} "${CONSUMER_DIR}/main.cpp" ${pkg_flags} "-Wl,-rpath,${prefix}/${LIBDIR}"
    -o "${WORK_DIR}/with_pkg_config")
run("${WORK_DIR}/with_pkg_config" "${WORK_DIR}/pkg-config.ring")

# ---- another process reads what was written

run("${prefix}/bin/shmring" status "${WORK_DIR}/shared.ring")
