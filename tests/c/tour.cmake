# SPDX-License-Identifier: Apache-2.0
# Runs the tour on a ring of its own.
file(REMOVE "${RING}")
execute_process(COMMAND "${TOUR}" "${RING}" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE "${RING}")
