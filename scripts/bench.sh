#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the benchmarks, writes bench/results/DATE-MACHINE.json and prints the table made from it.
# bench/README.md says what is measured and how.
#
# usage: scripts/bench.sh [--no-install] [--machine NAME] [--repetitions N] [--filter REGEX] [--output FILE] [--readme]
#
#   --no-install     installs no packages; what is missing is named
#   --machine NAME   names this machine in the result (default: its processor and number of cores)
#   --repetitions N  how often each benchmark runs, all of them mixed at random (default: 25)
#   --filter REGEX   only these; the result is printed and not kept, unless --output says where
#   --output FILE    writes the result there
#   --readme         puts the table into README.md too
set -euo pipefail
cd "$(dirname "$0")/.."

command_line="scripts/bench.sh${*:+ $*}"
bootstrap=(scripts/bootstrap.sh --bench)
machine=
repetitions=25
filter=
output=
readme=no
while [ $# -gt 0 ]; do
  case $1 in
    --no-install) bootstrap+=(--no-install) ;;
    --machine) machine=${2:?--machine needs a name}; shift ;;
    --repetitions) repetitions=${2:?--repetitions needs a number}; shift ;;
    --filter) filter=${2:?--filter needs a regular expression}; shift ;;
    --output) output=${2:?--output needs a file}; shift ;;
    --readme) readme=yes ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'bench.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done
if [ -n "$filter" ] && [ "$readme" = yes ]; then
  printf 'bench.sh: --readme wants all benchmarks, --filter leaves some out\n' >&2
  exit 2
fi

# Settings of the caller's shell would be settings of what is measured.
while read -r name; do unset "$name"; done < <(compgen -e | grep -E '^(OTEL|SHMRING|BENCHMARK)_' || true)

"${bootstrap[@]}"
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
cmake --preset bench >/dev/null
cmake --build --preset bench --target shmring_bench shmring_emit_loop

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

bin=build/bench/bin

# What one record more costs, in instructions: two runs that differ in nothing but the number of records.
instructions_of() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bin/shmring-emit-loop" "$1" 2>&1 |
    awk '/Collected :/ { print $NF }'
}
instructions=()
few=10000 many=30000
if ! command -v valgrind >/dev/null; then
  printf 'bench.sh: no valgrind, so no instruction count\n' >&2
elif of_few=$(instructions_of $few) && of_many=$(instructions_of $many); then
  instructions=(--instructions-per-log-record $(((of_many - of_few) / (many - few))))
else
  printf 'bench.sh: valgrind counted nothing\n' >&2
fi

# The share of all cores' time, in percent, that somebody used during one second.
busy_percent() {
  local before after
  before=$(awk '/^cpu / { for (i = 2; i <= 9; i++) all += $i; print all, $5 + $6 }' /proc/stat)
  sleep 1
  after=$(awk '/^cpu / { for (i = 2; i <= 9; i++) all += $i; print all, $5 + $6 }' /proc/stat)
  awk -v before="$before" -v after="$after" 'BEGIN {
    split(before, a, " "); split(after, b, " "); all = b[1] - a[1]
    print (all > 0 ? int(100 * (all - (b[2] - a[2])) / all) : 0) }'
}

busy=$(busy_percent)
if [ "$busy" -gt 10 ]; then
  printf 'bench.sh: others use %d %% of this machine; the figures will be theirs as much as ours\n' "$busy" >&2
fi

printf 'bench.sh: measuring; %s repetitions take some minutes\n' "$repetitions"
if ! "$bin/shmring-bench" --benchmark_filter="${filter:-.}" --benchmark_repetitions="$repetitions" \
  --benchmark_min_time=0.05 --benchmark_enable_random_interleaving=true \
  --benchmark_out="$scratch/raw.json" --benchmark_out_format=json >"$scratch/log" 2>&1; then
  grep -E 'ERROR|^shmring-bench' "$scratch/log" >&2 || cat "$scratch/log" >&2
  printf 'bench.sh: failed; nothing was written\n' >&2
  exit 1
fi

if [ -z "$machine" ]; then
  machine=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo | sed -E 's/\((R|TM)\)//g; s/ (CPU|Processor)\b//g; s/ @.*//')
  machine="${machine:-$(uname -m)}, $(nproc) cores"
fi
date=$(date -u +%F)
slug=$(printf '%s' "$machine" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')
if [ -z "$output" ]; then
  output=bench/results/$date-$slug.json
  [ -z "$filter" ] || output=$scratch/result.json
fi

mkdir -p "$(dirname "$output")"
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit+=', changed'
python3 scripts/bench_result.py "$scratch/raw.json" --date "$date" --machine "$machine" --kernel "$(uname -r | cut -d- -f1)" \
  --busy-percent "$busy" --commit "$commit" --command "$command_line" "${instructions[@]}" >"$scratch/new.json"
mv "$scratch/new.json" "$output"

printf '\n'
[ "$output" = "$scratch/result.json" ] || printf '%s\n\n' "$output"
python3 scripts/bench_table.py "$output"
[ "$readme" = no ] || python3 scripts/bench_table.py "$output" --readme README.md
