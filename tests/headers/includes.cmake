# SPDX-License-Identifier: Apache-2.0
# Fails when HEADER includes anything but the C++ standard library (<name>, no slash, no .h) and our public headers. One for C
# (.h) includes C's sizes and integers.

file(STRINGS "${HEADER}" foreign REGEX "^[ \t]*#[ \t]*include")
list(FILTER foreign EXCLUDE REGEX "include[ \t]*<[a-z0-9_]+>")
list(FILTER foreign EXCLUDE REGEX "include[ \t]*[\"<]shmring/[a-z0-9_/]+\\.(hpp|h)[\">]")
if(HEADER MATCHES "\\.h$")
  list(FILTER foreign EXCLUDE REGEX "include[ \t]*<std(def|int)\\.h>")
endif()
if(foreign)
  list(JOIN foreign "\n  " foreign)
  message(FATAL_ERROR "${HEADER} includes what a public header must not:\n  ${foreign}")
endif()
