# SPDX-License-Identifier: Apache-2.0
# Runs a program on a ring of its own.
file(REMOVE "${RING}")
execute_process(COMMAND "${PROGRAM}" "${RING}" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE "${RING}")
