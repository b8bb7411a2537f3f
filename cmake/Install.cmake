# SPDX-License-Identifier: Apache-2.0
# cmake --install: libraries, headers, find_package and pkg-config files, programs, manual pages, completion, unit.

include(CMakePackageConfigHelpers)

# ---- the library: shmring::shmring is shared, shmring::shmring_static is not

install(TARGETS shmring shmring_static
  EXPORT shmring-targets
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY include/shmring DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/shmring")
install(EXPORT shmring-targets NAMESPACE shmring:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/shmring-config.cmake.in "${PROJECT_BINARY_DIR}/cmake/shmring-config.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may break.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/shmring-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/cmake/shmring-config.cmake"
              "${PROJECT_BINARY_DIR}/cmake/shmring-config-version.cmake"
  DESTINATION "${package_dir}")

# Paths relative to the file itself, so that a moved prefix goes on working.
file(RELATIVE_PATH shmring_pc_prefix
  "${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" shmring_pc_prefix "${shmring_pc_prefix}")
configure_file(packaging/shmring.pc.in "${PROJECT_BINARY_DIR}/cmake/shmring.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/cmake/shmring.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# ---- the programs, each with its manual page

if(TARGET shmring_cli)
  install(TARGETS shmring_cli)
  install(FILES packaging/man/shmring.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  install(FILES packaging/completion/shmring DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
endif()

if(TARGET shmring-flusher)
  install(TARGETS shmring-flusher)
  install(FILES packaging/man/shmring-flusher.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  install(FILES packaging/completion/shmring-flusher
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
  install(FILES packaging/config/shmring-flusher.conf DESTINATION "${CMAKE_INSTALL_DATADIR}/shmring")
  configure_file(packaging/systemd/shmring-flusher.service.in "${PROJECT_BINARY_DIR}/cmake/shmring-flusher.service" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/cmake/shmring-flusher.service" DESTINATION lib/systemd/system)
endif()

install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
