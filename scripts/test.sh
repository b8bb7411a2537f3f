#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs every test: all of them in preset dev, those of the library and of the promises in asan and tsan too.
# Ends on ctest's summary, which is that of the first preset that fails, else that of dev.
#
# usage: scripts/test.sh [--no-install] [--filter REGEX] [-j N] [asan] [tsan] [dev]
set -euo pipefail
cd "$(dirname "$0")/.."

bootstrap=(scripts/bootstrap.sh --test)
filter=()
jobs=2
presets=()
while [ $# -gt 0 ]; do
  case $1 in
    --no-install) bootstrap+=(--no-install) ;;
    --filter) filter=(--tests-regex "${2:?--filter needs a regular expression}"); shift ;;
    -j) jobs=${2:?-j needs a number}; shift ;;
    asan | tsan | dev) presets+=("$1") ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'test.sh: unknown argument %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done
[ ${#presets[@]} -gt 0 ] || presets=(asan tsan dev)
# Not every test is in every preset, but one that was asked for must be in the only one.
[ ${#presets[@]} -gt 1 ] || filter+=(--no-tests=error)

"${bootstrap[@]}"

if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1; fi

# The thread sanitizer of g++ 12 finds no room for its shadow where a kernel randomises more than 28 bits of an address.
plain_addresses=()
if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ] && setarch -R true 2>/dev/null; then
  plain_addresses=(setarch -R)
fi

for preset in "${presets[@]}"; do
  printf '\n==> %s\n' "$preset"
  run=()
  [ "$preset" != tsan ] || run=("${plain_addresses[@]}")
  cmake --preset "$preset" >/dev/null
  "${run[@]}" cmake --build --preset "$preset" -j "$jobs"
  "${run[@]}" ctest --preset "$preset" -j "$jobs" --timeout 300 --no-label-summary "${filter[@]}"
done
