#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the benchmarks, ours and the rivals' in one run, writes bench/results/DATE-MACHINE.json and prints the tables
# made from it. bench/README.md says what is measured and how. Some six minutes once everything is built.
#
# usage: scripts/bench.sh [--no-install] [--machine NAME] [--repetitions N] [--filter REGEX] [--output FILE] [--readme]
#
#   --no-install     installs no packages and fetches no SDKs; what is missing is named, and rivals that are missing are skipped
#   --machine NAME   names this machine in the result (default: its processor and number of cores)
#   --repetitions N  how often each row is visited, all of them mixed at random (default: 25)
#   --filter REGEX   only these rows; the result is printed and not kept, unless --output says where
#   --output FILE    writes the result there
#   --readme         puts tables and charts into README.md and bench/results too
set -euo pipefail
cd "$(dirname "$0")/.."

command_line="scripts/bench.sh${*:+ $*}"
install=yes
machine=
repetitions=25
filter=
output=
readme=no
while [ $# -gt 0 ]; do
  case $1 in
    --no-install) install=no ;;
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
  printf 'bench.sh: --readme wants all rows, --filter leaves some out\n' >&2
  exit 2
fi

say() { printf 'bench.sh: %s\n' "$*" >&2; }

build=${SHMRING_BENCH_BUILD:-build/bench}  # the one setting of the environment that counts

# Settings of the caller's shell would be settings of what is measured.
while read -r name; do unset "$name"; done < <(compgen -e | grep -E '^(OTEL|SHMRING|BENCHMARK|LTTNG)_' || true)

# ---- build: our programs, then the SDKs of other languages, where they can be had

if [ "$install" = yes ]; then
  scripts/bootstrap.sh --bench
else
  scripts/bootstrap.sh --build --no-install
  scripts/bootstrap.sh --bench --no-install || say 'going without'
fi
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
cmake --preset bench -B "$build" >/dev/null
cmake --build "$build" --target shmring_bench_programs
bin=$build/bin

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# absent ROW LABEL REASON: a round in which that row says why it was not measured.
absent() {
  say "going without $1: $3"
  printf '{"rows": [{"name": "%s", "label": "%s", "record": "", "group": "rival", "producers": 1, "skipped": "%s"}]}\n' \
    "$1" "$2" "$3" >"$scratch/absent-$1.json"
}

# Each is a command line that takes the harness's options.
programs=("$bin/shmring-bench")

venv=$build/otel-python
if [ "$install" = yes ] && ! cmp -s bench/rivals/python/requirements.txt "$venv/installed"; then
  { python3 -m venv "$venv" && timeout 180 "$venv/bin/pip" install -q -r bench/rivals/python/requirements.txt &&
    cp bench/rivals/python/requirements.txt "$venv/installed"; } >"$scratch/pip.log" 2>&1 || tail -n 2 "$scratch/pip.log" >&2
fi
if [ -e "$venv/installed" ]; then
  programs+=("env PYTHONDONTWRITEBYTECODE=1 $venv/bin/python bench/rivals/python/otel_sdk.py")
else
  absent otel_python 'OpenTelemetry Python SDK' 'could not be installed here'
fi

if [ "$install" = yes ] && command -v cargo >/dev/null; then
  timeout 600 cargo build -q --release --manifest-path bench/rivals/rust/Cargo.toml --target-dir "$build/otel-rust" \
    >"$scratch/cargo.log" 2>&1 || tail -n 2 "$scratch/cargo.log" >&2
fi
rust=$build/otel-rust/release/shmring-bench-otel-rust
if [ -x "$rust" ]; then programs+=("$rust"); else absent otel_rust 'OpenTelemetry Rust SDK' 'could not be built here'; fi

# Two that Debian has no packages of.
of_cmake() {
  if [ -x "$bin/$1" ]; then programs+=("$bin/$1"); else absent "$2" "$3" "CMake found no $4"; fi
}
of_cmake shmring-bench-otel-cpp otel_cpp 'opentelemetry-cpp, batch and simple processors' opentelemetry-cpp
of_cmake shmring-bench-quill quill 'Quill, body and attributes' quill

# Its exit code 77 says that no daemon can be started here.
lttng_reason='no liblttng-ust-dev'
if [ -x "$bin/shmring-bench-lttng" ]; then
  lttng_code=0
  "$bin/shmring-bench-lttng" --list >/dev/null 2>"$scratch/lttng.log" || lttng_code=$?
  lttng_reason='its daemon cannot be started here'
  if [ "$lttng_code" = 0 ]; then lttng_reason=; programs+=("$bin/shmring-bench-lttng"); else cat "$scratch/lttng.log" >&2; fi
fi
[ -z "$lttng_reason" ] || absent lttng_ust 'LTTng-UST, seven fields, recording' "$lttng_reason"

# ---- what an operation more costs, in instructions: two runs that differ in nothing but the number of operations

# count ROW BATCH: a line `row few their-count many their-count`, or none.
count() {
  local few=$(($2 < 4096 ? $2 / 4 : 1024)) many=$(($2 < 4096 ? $2 : 4096)) line=$1 operations collected
  for operations in $few $many; do
    collected=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*AdapterRow*::repeat*' \
      "$program" --only "$1" --operations "$operations" 2>&1 | awk '/Collected :/ { print $NF }')
    [ "${collected:-0}" -gt 0 ] || return 0
    line+=" $operations $collected"
  done
  printf '%s\n' "$line"
}
instructions=()
if command -v valgrind >/dev/null; then
  export -f count
  for program in "$bin/shmring-bench" "$bin/shmring-bench-otel-cpp" "$bin/shmring-bench-quill"; do
    [ -x "$program" ] || continue
    export program
    "$program" --list | FILTER=${filter:-.} awk '$1 !~ /\// && $1 ~ ENVIRON["FILTER"]' |
      xargs -r -n 2 -P "$(nproc)" bash -c 'count "$@"' count >>"$scratch/instructions"
  done
  instructions=(--instructions "$scratch/instructions")
else
  say 'no valgrind, so no instructions are counted'
fi

# ---- the rounds

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
[ "$busy" -le 10 ] || say "others use $busy % of this machine; the figures will be theirs as much as ours"

# Programs take turns, so that no rival has an hour of its own.
rounds=$((repetitions < 5 ? repetitions : 5))
say "measuring: $rounds rounds, some minutes"
for ((round = 1; round <= rounds; round++)); do
  visits=$((repetitions * round / rounds - repetitions * (round - 1) / rounds))
  for index in "${!programs[@]}"; do
    read -ra program <<<"${programs[index]}"
    raw=$scratch/round-$index-$round.json
    code=0
    "${program[@]}" --repetitions "$visits" --filter "${filter:-}" >"$raw" 2>"$scratch/log" || code=$?
    if [ "$code" != 0 ]; then
      if [ -n "$filter" ] && grep -q 'no such row' "$scratch/log"; then rm "$raw"; continue; fi
      cat "$scratch/log" >&2
      say "${program[*]} failed; nothing was written"
      exit 1
    fi
  done
done

drain=()
if [ -x "$bin/shmring-drain-bench" ] && [ -z "$filter" ]; then
  say 'measuring the flusher'
  if ! "$bin/shmring-drain-bench" --benchmark_filter='^pipeline/(records/10{3,6}|[^r].*)/' --benchmark_repetitions=3 --benchmark_min_time=0.05 \
    --benchmark_out="$scratch/drain.json" --benchmark_out_format=json >"$scratch/log" 2>&1; then
    cat "$scratch/log" >&2
    say 'shmring-drain-bench failed; nothing was written'
    exit 1
  fi
  drain=(--drain "$scratch/drain.json")
fi

# ---- the result

if [ -z "$machine" ]; then
  machine=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo | sed -E 's/\((R|TM)\)//g; s/ (CPU|Processor)\b//g; s/ @.*//')
  machine="${machine:-$(uname -m)}, $(nproc) cores"
fi
mhz=$(awk -F': ' '/^cpu MHz/ { printf "%.0f", $2; exit }' /proc/cpuinfo)
date=$(date -u +%F)
slug=$(printf '%s' "$machine" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')
if [ -z "$output" ]; then
  output=bench/results/$date-$slug.json
  [ -z "$filter" ] || output=$scratch/result.json
fi
mkdir -p "$(dirname "$output")"
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit+=', changed'
kernel=$(uname -r | cut -d- -f1)

shopt -s nullglob
python3 scripts/bench_result.py "$scratch"/round-*.json "$scratch"/absent-*.json --date "$date" --machine "$machine" \
  --kernel "$kernel" --busy-percent "$busy" --commit "$commit" --command "$command_line" ${mhz:+--mhz "$mhz"} \
  "${instructions[@]}" "${drain[@]}" >"$scratch/new.json"
mv "$scratch/new.json" "$output"

if [ -x "$bin/shmring-process-bench" ] && [ -z "$filter" ]; then
  say 'measuring threads by the hundred and short-lived processes'
  "$bin/shmring-process-bench" --json "${output%.json}-processes.json" --context "date=$date" --context "machine=$machine" \
    --context "kernel=$kernel" --context "commit=$commit" --context "command=$command_line" >/dev/null 2>"$scratch/log" || {
    cat "$scratch/log" >&2
    say 'shmring-process-bench failed; its figures were not written'
  }
fi

if [ -x "$bin/shmring-block-bench" ] && [ -z "$filter" ]; then
  say 'measuring block sizes over capacities'
  "$bin/shmring-block-bench" --json "${output%.json}-blocks.json" --context "date=$date" --context "machine=$machine" \
    --context "kernel=$kernel" --context "commit=$commit" --context "command=$command_line" 2>"$scratch/log" || {
    cat "$scratch/log" >&2
    say 'shmring-block-bench failed; its figures were not written'
  }
fi

[ "$output" = "$scratch/result.json" ] || printf '%s\n\n' "$output"
python3 scripts/bench_table.py "$output"
[ "$readme" = no ] || python3 scripts/bench_table.py "$output" --readme README.md
