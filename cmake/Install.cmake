# SPDX-License-Identifier: Apache-2.0
# cmake --install: libraries, headers, find_package and pkg-config files, programs, manual pages, completion, unit.
