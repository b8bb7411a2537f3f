#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Interleaves two producers, a producer and a flusher, and two flushers at their accesses to the ring, one of them killed or not:
# every schedule with up to so many preemptions. Prints per scenario the accesses of each actor, the schedules and those with a
# death by preemptions (0+1+2...), how often an equal one was left out, and the time. Exit 1: something does not hold.
#
# usage: scripts/schedules.sh [--preemptions N (default 3)] [--deaths N (preemptions where one dies; default 2)]
#                             [--scenario NAME] [--seconds S] [--compare] [--schedule a12,b7,a30x]
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac

if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1; fi
cmake --preset dev >/dev/null
cmake --build --preset dev --target schedules >/dev/null
exec build/dev/tests/bin/schedules --preemptions 3 --deaths 2 "$@"
