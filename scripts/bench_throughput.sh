#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How many records a second shmring-flusher takes from producers to an OTLP/HTTP server on 127.0.0.1 that only reads and answers, and what CPU
# time it takes; beside it the batch processors of the OpenTelemetry SDKs for Rust and Python, with their own exporters, to the same server.
# Prints a table and writes bench/results/throughput/DATE-MACHINE.json. About a minute once everything is built. Needs two cores: the flusher, or the
# SDK and the program that uses it, has one alone. bench/throughput/README.md says what is measured and how.
#
# usage: scripts/bench_throughput.sh [--no-install] [--machine NAME] [--records N] [--repetitions N] [--output FILE]
#
#   --no-install     installs no packages and fetches no SDKs; what is missing is named, and left out
#   --machine NAME   names this machine in the result (default: its processor and number of cores)
#   --records N      of each run of the flusher (default: 5000000); slower rows send fewer
#   --repetitions N  runs of each row (default: 5)
#   --output FILE    writes the result there
set -euo pipefail
cd "$(dirname "$0")/.."

command_line="scripts/bench_throughput.sh${*:+ $*}"
install=yes
machine=
records=5000000
repetitions=5
output=
while [ $# -gt 0 ]; do
  case $1 in
    --no-install) install=no ;;
    --machine) machine=${2:?--machine needs a name}; shift ;;
    --records) records=${2:?--records needs a number}; shift ;;
    --repetitions) repetitions=${2:?--repetitions needs a number}; shift ;;
    --output) output=${2:?--output needs a file}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'bench_throughput.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

say() { printf 'bench_throughput.sh: %s\n' "$*" >&2; }

# Settings of the caller's shell would be settings of what is measured.
while read -r name; do unset "$name"; done < <(compgen -e | grep -E '^(OTEL|SHMRING)_' || true)

if [ "$install" = yes ]; then scripts/bootstrap.sh --bench; else scripts/bootstrap.sh --bench --no-install; fi
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
cmake --preset bench >/dev/null
cmake --build --preset bench --target shmring_throughput_bench

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
rivals=()

if [ "$install" = yes ] && command -v cargo >/dev/null; then
  timeout 900 cargo build -q --release --features otlp --bin shmring-bench-otel-rust-otlp --manifest-path bench/rivals/rust/Cargo.toml \
    --target-dir build/bench/otel-rust >"$scratch/log" 2>&1 || tail -n 2 "$scratch/log" >&2
fi
rust=build/bench/otel-rust/release/shmring-bench-otel-rust-otlp
if [ -x "$rust" ]; then
  rivals+=(--rival "OpenTelemetry Rust, BatchLogProcessor=$((records / 5)) $rust")
else
  say 'going without the OpenTelemetry Rust SDK: it could not be built here'
fi

venv=build/bench/otel-python-otlp
wanted=bench/rivals/python/requirements-otlp.txt
if [ "$install" = yes ] && ! cmp -s "$wanted" "$venv/installed"; then
  { python3 -m venv "$venv" && timeout 180 "$venv/bin/pip" install -q -r "$wanted" && cp "$wanted" "$venv/installed"; } >"$scratch/log" 2>&1 ||
    tail -n 2 "$scratch/log" >&2
fi
if [ -e "$venv/installed" ]; then
  rivals+=(--rival "OpenTelemetry Python, BatchLogRecordProcessor=$((records / 50)) $venv/bin/python -B bench/rivals/python/otlp.py")
else
  say 'going without the OpenTelemetry Python SDK: it could not be installed here'
fi

if [ -z "$machine" ]; then
  machine=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo | sed -E 's/\((R|TM)\)//g; s/ (CPU|Processor)\b//g; s/ @.*//')
  machine="${machine:-$(uname -m)}, $(nproc) cores"
fi
date=$(date -u +%F)
slug=$(printf '%s' "$machine" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')
[ -n "$output" ] || output=bench/results/throughput/$date-$slug.json
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit+=', changed'

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
[ "$busy" -le 10 ] || say "others use $busy % of this machine; the rates will be theirs as much as ours"

build/bench/bin/shmring-throughput-bench --records "$records" --repetitions "$repetitions" "${rivals[@]}" --json "$scratch/new.json" \
  --context "date=$date" --context "machine=$machine" --context "kernel=$(uname -r | cut -d- -f1)" \
  --context "commit=$commit" --context "command=$command_line" \
  --context "used_by_others=$busy %"
mkdir -p "$(dirname "$output")"
mv "$scratch/new.json" "$output"
printf '\n%s\n' "$output"
