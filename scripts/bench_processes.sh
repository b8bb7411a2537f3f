#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds shmring-process-bench, runs all of it (some 30 seconds) and writes bench/results/DATE-MACHINE-processes.json.
# bench/processes/README.md says what is measured and how.
#
# usage: scripts/bench_processes.sh [--no-install] [--machine NAME] [--part NAME] [--output FILE]
#
#   --no-install     installs no packages; what is missing is named
#   --machine NAME   names this machine in the result (default: its processor and number of cores)
#   --part NAME      only this; the result is printed and not kept, unless --output says where
#   --output FILE    writes the result there
set -euo pipefail
cd "$(dirname "$0")/.."

command_line="scripts/bench_processes.sh${*:+ $*}"
bootstrap=(scripts/bootstrap.sh --bench)
machine=
parts=()
output=
while [ $# -gt 0 ]; do
  case $1 in
    --no-install) bootstrap+=(--no-install) ;;
    --machine) machine=${2:?--machine needs a name}; shift ;;
    --part) parts+=(--part "${2:?--part needs a name}"); shift ;;
    --output) output=${2:?--output needs a file}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'bench_processes.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

# Settings of the caller's shell would be settings of what is measured.
while read -r name; do unset "$name"; done < <(compgen -e | grep -E '^(OTEL|SHMRING)_' || true)

"${bootstrap[@]}"
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
cmake --preset bench >/dev/null
cmake --build --preset bench --target shmring_process_bench

if [ -z "$machine" ]; then
  machine=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo | sed -E 's/\((R|TM)\)//g; s/ (CPU|Processor)\b//g; s/ @.*//')
  machine="${machine:-$(uname -m)}, $(nproc) cores"
fi
date=$(date -u +%F)
slug=$(printf '%s' "$machine" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')
if [ -z "$output" ] && [ ${#parts[@]} -eq 0 ]; then output=bench/results/$date-$slug-processes.json; fi

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit+=', changed'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build/bench/bin/shmring-process-bench "${parts[@]}" --json "$scratch/new.json" \
  --context "date=$date" --context "machine=$machine" --context "kernel=$(uname -r | cut -d- -f1)" \
  --context "commit=$commit" --context "command=$command_line"
if [ -n "$output" ]; then
  mkdir -p "$(dirname "$output")"
  mv "$scratch/new.json" "$output"
  printf '\n%s\n' "$output"
fi
