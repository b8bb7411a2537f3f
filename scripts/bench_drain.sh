#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the flusher's side costs, on this machine: from ring to finished request by number of records, writers and scopes and
# by size, and a tick that finds nothing. Some minutes; wants 3 GiB of /dev/shm, as its largest rings take 1 GiB each.
# Writes bench/results/drain/DATE-MACHINE.json (Google Benchmark's own form, aggregates only) and prints the medians.
#
# usage: scripts/bench_drain.sh [--repetitions N] [--output FILE]
#
#   --repetitions N  how often each row runs, all of them mixed at random (default: 9)
#   --output FILE    writes the result there
set -euo pipefail
cd "$(dirname "$0")/.."

repetitions=9
output=
while [ $# -gt 0 ]; do
  case $1 in
    --repetitions) repetitions=${2:?--repetitions needs a number}; shift ;;
    --output) output=${2:?--output needs a file}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'bench_drain.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
cmake --preset bench >/dev/null
cmake --build --preset bench --target shmring_drain_bench

if [ -z "$output" ]; then
  machine=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo | sed -E 's/\((R|TM)\)//g; s/ (CPU|Processor)\b//g; s/ @.*//')
  slug=$(printf '%s, %s cores' "${machine:-$(uname -m)}" "$(nproc)" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')
  output=bench/results/drain/$(date -u +%F)-$slug.json
fi
mkdir -p "$(dirname "$output")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# In two processes: the ticks' threads stay, and a process with thousands of threads forks slowly.
measure() {
  build/bench/bin/shmring-drain-bench --benchmark_filter="^$1/" --benchmark_repetitions="$repetitions" --benchmark_min_time=0.05 \
    --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true \
    --benchmark_context=commit="$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" \
    --benchmark_out="$scratch/$1.json" --benchmark_out_format=json | grep -E '_median|^Benchmark'
}
measure pipeline
measure tick

# One file, without the names of this machine's folders.
python3 - "$scratch" "$output" <<'END'
import json, pathlib, sys

scratch, output = map(pathlib.Path, sys.argv[1:])
results = [json.loads((scratch / f"{part}.json").read_text()) for part in ("pipeline", "tick")]
whole = results[0]
whole["benchmarks"] += results[1]["benchmarks"]
for name in ("executable", "host_name"):
    whole["context"].pop(name, None)
output.write_text(json.dumps(whole, indent=1) + "\n")
END
printf '\n%s\n' "$output"
