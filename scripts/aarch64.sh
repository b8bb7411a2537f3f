#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cross-compiles everything for aarch64 and runs its tests: under qemu-user those that it can run, the others named with the
# reason; with --machine all of them in a virtual machine that boots a Linux of its own.
#
# usage: scripts/aarch64.sh [--no-install] [--machine] [--listed] [--filter REGEX] [-j N] [--folder DIR] [--sysroot DIR]
#
#   --machine     runs the tests in a virtual machine too (slow: everything in it is emulated)
#   --listed      runs the tests of tests/aarch64/not_run.txt instead, to see which of them could leave that list
#   --folder DIR  where the build goes (build/aarch64)
#   --sysroot DIR where the arm64 libraries are, or are put when they are not (build/aarch64-sysroot)
set -euo pipefail
cd "$(dirname "$0")/.."

install=()
machine=no
listed=no
filter=.
jobs=2
build=build/aarch64
sysroot=build/aarch64-sysroot
while [ $# -gt 0 ]; do
  case $1 in
    --no-install) install=(--no-install) ;;
    --machine) machine=yes ;;
    --listed) listed=yes ;;
    --filter) filter=${2:?--filter needs a regular expression}; shift ;;
    --folder) build=${2:?--folder needs a folder}; shift ;;
    --sysroot) sysroot=${2:?--sysroot needs a folder}; shift ;;
    -j) jobs=${2:?-j needs a number}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'aarch64.sh: unknown argument %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

scripts/bootstrap.sh --aarch64 "${install[@]}"
mkdir -p "$build" "$sysroot"
build=$(cd "$build" && pwd)
sysroot=$(cd "$sysroot" && pwd)
if [ $machine = yes ]; then scripts/arm64_sysroot.sh "$sysroot" --with-kernel; else scripts/arm64_sysroot.sh "$sysroot"; fi

# ---- build

# Under qemu-user no thread could register: see the file.
aarch64-linux-gnu-gcc "--sysroot=$sysroot" -std=c11 -Wall -Wextra -Werror -O1 -fPIC -shared tests/aarch64/robust_list_answer.c \
  -o "$sysroot/usr/lib/aarch64-linux-gnu/libshmring_robust_list_answer.so"

if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1; fi
# Left out: headers, scripts, model and package are about this machine's tools, crash steps x86-64 instructions.
cmake --preset dev -B "$build" --toolchain cmake/aarch64-linux-gnu.cmake -DSHMRING_AARCH64_SYSROOT="$sysroot" \
  -DCMAKE_EXE_LINKER_FLAGS=-Wl,--no-as-needed,-lshmring_robust_list_answer,--as-needed \
  '-DSHMRING_TEST_FOLDERS=support;libshmring;libshmring/encode;libshmring/otlp;flusher;tools;promises;faults;fuzz' >/dev/null
cmake --build "$build" -j "$jobs"

printf '\n==> compiled for aarch64\n'
compiled=$(cd "$build" && find bin lib tests/bin -type f | sort)
for target in $compiled; do
  machines=$(aarch64-linux-gnu-readelf -h "$build/$target" | awk '/Machine:/ { print $2 }' | sort -u)
  [ "$machines" = AArch64 ] || { printf '%s is not for aarch64 but for %s\n' "$target" "${machines:-nothing}" >&2; exit 1; }
done
paste -sd ' ' <<<"$compiled" | fold -s -w 118

# ---- qemu-user

# "REGEX<tab>REASON" for each line of the list.
not_run() { awk '/^reason: / { reason = substr($0, 9); next } /^[^#]/ { print $0 "\t" reason }' tests/aarch64/not_run.txt; }
all_not_run="^($(not_run | cut -f1 | paste -sd '|'))\$"
names() { ctest --test-dir "$build" -N "$@" | sed -n 's/^ *Test *#[0-9]*: //p'; }

selection=(-R "$filter" -E "$all_not_run")
[ $listed = no ] || selection=(-R "$all_not_run")

# Programs that tests start must run as well. The kernel hands them to qemu where binfmt_misc says so, which a user namespace
# can say for itself (Linux 6.7), so that the rest of the machine stays as it is.
interpreter=$build/run-aarch64
printf '#!/bin/sh\nexec qemu-aarch64 -L %q "$@"\n' "$sysroot" >"$interpreter"
chmod +x "$interpreter"
# shellcheck disable=SC2016  # expanded by the inner shell
register='mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc &&
  printf ":shmring:M::%s:%s:%s:" "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00" \
  "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff" "$0" \
  >/proc/sys/fs/binfmt_misc/register && exec "$@"'
within=(unshare --user --map-root-user --mount bash -c "$register" "$interpreter")
if ! "${within[@]}" true 2>/dev/null; then
  printf 'aarch64: only tests of the library: this kernel gives a user namespace no binfmt_misc of its own\n'
  within=()
  selection+=(-L 'libshmring|fuzz')
fi

printf '\n==> under qemu-user (%s)\n' "$(qemu-aarch64 --version | head -n 1)"
result=0
"${within[@]}" ctest --test-dir "$build" -j "$jobs" --timeout 300 --no-label-summary --output-on-failure "${selection[@]}" || result=1

if [ $listed = no ]; then
  printf '\n==> not run under qemu-user\n'
  # A line that names no test any more is an error.
  not_run | while IFS=$'\t' read -r pattern reason; do
    found=$(names -R "^($pattern)\$")
    [ -n "$found" ] || { printf 'tests/aarch64/not_run.txt: no test is called %s\n' "$pattern" >&2; exit 1; }
    printf '%s\n' "$found" | sed "s#\$#: $reason#"
  done || result=1
  printf 'aarch64 under qemu-user: %s tests compiled, %s of them not run\n' "$(names | wc -l)" "$(names -R "$all_not_run" | wc -l)"
fi

# ---- a machine

if [ $machine = yes ]; then
  printf '\n==> in a virtual machine (%s)\n' "$(qemu-system-aarch64 --version | head -n 1)"
  scripts/aarch64_machine.sh "$build" "$sysroot" -R "$filter" || result=1
fi
exit $result
