#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds shmring and shows what it is for: an application forks 300 children that each log and die at once, by return,
# _exit and SIGKILL; a flusher exports what they wrote. Exit code 0 only if every committed record arrived.
#
# usage: scripts/demo.sh [--no-install] [--prefix DIR] [--keep]
#
#   --no-install  installs no packages; what is missing is named
#   --prefix DIR  looks for libraries and programs in DIR too, for machines without root
#   --keep        leaves the ring and the exported file behind and says where
set -euo pipefail
cd "$(dirname "$0")/.."

bootstrap=(scripts/bootstrap.sh --build)
configure=(cmake --preset release)
keep=no
while [ $# -gt 0 ]; do
  case $1 in
    --no-install) bootstrap+=(--no-install) ;;
    --prefix)
      prefix=$(realpath "${2:?--prefix needs a folder}")
      bootstrap+=(--prefix "$prefix")
      configure+=("-DCMAKE_PREFIX_PATH=$prefix")
      export PATH="$prefix/bin:$PATH" LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
      shift
      ;;
    --keep) keep=yes ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'demo.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'; else bold='' green='' red='' off=''; fi

title() { printf '\n%s%s%s\n' "$bold" "$1" "$off"; }
row() { printf '  %-12s %s\n' "$1" "$2"; }
milliseconds() { printf '%s' $((${EPOCHREALTIME/[.,]/} / 1000)); }
seconds() { printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10)); }

# ---- build

begin=$(milliseconds)
title 'Build'
"${bootstrap[@]}"
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
"${configure[@]}" >/dev/null
NINJA_STATUS='  [%f/%t] ' cmake --build --preset release
row 'took' "$(seconds $(($(milliseconds) - begin)))"

# ---- a ring, a flusher, an application

bin=$PWD/build/release/bin
shm=/dev/shm
[ -w "$shm" ] || shm=${TMPDIR:-/tmp}
ring_dir=$(mktemp -d "$shm/shmring-demo.XXXXXX")
out_dir=$(mktemp -d "${TMPDIR:-/tmp}/shmring-demo.XXXXXX")
ring=$ring_dir/demo.ring
exported=$out_dir/demo.logs.jsonl
flusher=

clean_up() {
  [ -z "$flusher" ] || kill -KILL "$flusher" 2>/dev/null || true
  [ "$keep" = yes ] || rm -rf "$ring_dir" "$out_dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

title 'Run'
"$bin/shmring" create "$ring" --size 16MiB >/dev/null
row 'ring' "$ring"

begin=$(milliseconds)
"$bin/shmring-flusher" --ring "$ring" --interval 200ms --exporter file --file "$out_dir/demo.jsonl" \
  >"$out_dir/flusher.log" 2>&1 &
flusher=$!
# Records wait for a flusher as long as they must; the demo waits, so that what it shows is the usual case.
for _ in {1..100}; do
  ! "$bin/shmring" flusher pid "$ring" >/dev/null 2>&1 || break
  sleep 0.05
done
row 'flusher' "pid $flusher, every 200 ms, to $exported"

row 'application' '300 children: a third each by return, _exit, SIGKILL'
emitted=0
"$bin/shmring-demo" --ring "$ring" || emitted=$?

# In order: SIGTERM makes it drain once more, export and end. One that does not end within a minute has failed.
kill -TERM "$flusher" 2>/dev/null || true
timeout 60 tail --pid="$flusher" -f /dev/null || kill -KILL "$flusher" 2>/dev/null || true
stopped=0
wait "$flusher" || stopped=$?
flusher=
row 'took' "$(seconds $(($(milliseconds) - begin))), from the flusher's start to its end"

# ---- what was written, what arrived

title 'Result'
arrived=0
"$bin/shmring-demo" --verify "$exported" --ring "$ring" || arrived=$?

title 'Accounting'
closes=0
"$bin/shmring" status "$ring" | sed 's/^./  &/' || closes=$?

printf '\n'
[ "$keep" = no ] || row 'kept' "$ring, $out_dir"
if [ "$emitted$stopped$arrived$closes" = 0000 ]; then
  printf '%sEvery committed record arrived.%s\n' "$green" "$off"
  exit 0
fi
printf '%sFailed:%s application %s, flusher %s, verification %s, status %s (exit codes)\n' \
  "$red" "$off" "$emitted" "$stopped" "$arrived" "$closes"
sed 's/^/  flusher: /' "$out_dir/flusher.log" | tail -n 20
exit 1
