#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets of tests/fuzz, each for a while, from their corpora on; then flips random bits of rings. Prints what
# it did; ends with 1 when anything was found, and leaves the input that shows it in build/fuzz/found.
#
# usage: scripts/fuzz.sh [SECONDS] [--target NAME]... [--flips N] [--keep]
#
#   SECONDS        for each target (default 60); 0: flips only
#   --target NAME  only this one (repeatable): ring_drain ring_look ring_recover otlp_validate http_answer
#   --flips N      rings with one to eight random bits flipped, for each target that takes a ring (default 1000000)
#   --keep         adds what the run has found to be new to tests/fuzz/corpus, reduced to what covers most
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60
flips=1000000
keep=no
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --target) targets+=("${2:?--target needs a name}"); shift ;;
    --flips) flips=${2:?--flips needs a number}; shift ;;
    --keep) keep=yes ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *[!0-9]* | '') printf 'fuzz.sh: unknown argument %s (see --help)\n' "$1" >&2; exit 2 ;;
    *) seconds=$1 ;;
  esac
  shift
done
if [ ${#targets[@]} -eq 0 ]; then
  for folder in tests/fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
fi
for target in "${targets[@]}"; do
  [ -f "tests/fuzz/$target.cpp" ] || { printf 'fuzz.sh: there is no target %s\n' "$target" >&2; exit 2; }
done

if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1; fi
build() {  # PRESET FOLDER TARGET...: warnings and errors only
  local preset=$1 folder=$2
  shift 2
  cmake --preset "$preset" -B "$folder" >/dev/null
  cmake --build "$folder" -j "$(nproc)" --target "$@" >build/fuzz.log || { cat build/fuzz.log >&2; return 1; }
}
programs=build/fuzz/tests/bin
found=build/fuzz/found
mkdir -p "$found"
status=0

# A crash leaves the folder of its ring, which bears the process's number.
run() {
  "$@" &
  local process=$! ended=0
  wait "$process" || ended=$?
  rm -rf "/dev/shm/shmring-fuzz-$process-"* "/tmp/shmring-fuzz-$process-"*
  return "$ended"
}

if [ "$seconds" -gt 0 ]; then
  build fuzz build/fuzz "${targets[@]/#/fuzz_}"
  printf '%-14s %12s %9s %9s %8s %8s  %s\n' target execs per_sec edges inputs seconds result
  for target in "${targets[@]}"; do
    work=build/fuzz/grown/$target
    log=build/fuzz/$target.log
    mkdir -p "$work"
    result=ok
    run "$programs/fuzz_$target" -max_total_time="$seconds" -max_len=512 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64 \
      -print_final_stats=1 -artifact_prefix="$found/$target-" "$work" "tests/fuzz/corpus/$target" >"$log" 2>&1 ||
      { result="FOUND, see $log"; status=1; }
    execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    last=$(grep -a 'cov:' "$log" | tail -n 1 || true)
    edges=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' <<<"$last")
    inputs=$(sed -n 's/.* corp: \([0-9]*\).*/\1/p' <<<"$last")
    printf '%-14s %12s %9s %9s %8s %8s  %s\n' "$target" "${execs:--}" "${rate:--}" "${edges:--}" "${inputs:--}" "$seconds" "$result"
    if [ "$keep" = yes ]; then
      run "$programs/fuzz_$target" -set_cover_merge=1 "tests/fuzz/corpus/$target" "$work" >>"$log" 2>&1 || status=1
    fi
  done
fi

if [ "$flips" -gt 0 ]; then
  rings=()
  for target in "${targets[@]}"; do case $target in ring_*) rings+=("$target") ;; esac; done
  [ ${#rings[@]} -eq 0 ] || build dev build/dev "${rings[@]/#/fuzz_}"
  for target in "${rings[@]}"; do
    printf '%-14s ' "$target"
    run "build/dev/tests/bin/fuzz_$target" --flips "$flips" "$(date +%s)" || { printf 'FOUND\n'; status=1; }
  done
fi
exit "$status"
