#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Breaks the code in one place at a time, in a copy, and runs the check that must notice: a check that nothing can break shows nothing.
# Prints a Markdown table and killed / total; exit 1 when a mutation survives without a reason, or no longer applies.
#
# usage: scripts/mutate_code.sh [--list] [--working-tree] [--scratch DIR] [--rules | --orders] [-j N] [mutation ...]
#   --working-tree  the files as they are here, instead of the last commit's
#   --scratch DIR   where the copy and its builds lie (default: shmring-mutants in the folder for temporary files); kept for the next time
#   --rules         only mutations of rules;  --orders: only those of memory orders, under ThreadSanitizer
# tests/mutations/README.md says what each breaks.
set -euo pipefail
cd "$(dirname "$0")/.."

{ # Read as a whole before it runs, which takes long: meanwhile this file may change.

names=()
scratch=${TMPDIR:-/tmp}/shmring-mutants
tree=commit
only=all
jobs=2
while [ $# -gt 0 ]; do
  case $1 in
    --list) exec python3 scripts/mutations.py list ;;
    --working-tree) tree=working ;;
    --scratch) scratch=$(realpath -m "${2:?--scratch needs a folder}"); shift ;;
    --rules | --orders) only=${1#--} ;;
    -j) jobs=${2:?-j needs a number}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) printf 'mutate_code.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
    *) names+=("$1") ;;
  esac
  shift
done

kLimit=180 # seconds for one check: a mutation that never ends is noticed, too

mkdir -p "$scratch/clean" "$scratch/src"
rm -rf "$scratch/clean"
mkdir "$scratch/clean"
if [ $tree = commit ]; then
  git archive HEAD | tar -x -C "$scratch/clean"
else
  git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$scratch/clean"
fi
# Only what differs is touched, so that only that is built again.
(cd "$scratch/src" && find . -type f -print0) | while IFS= read -r -d '' file; do
  [ -e "$scratch/clean/$file" ] || rm "$scratch/src/$file"
done
(cd "$scratch/clean" && find . -type f -print0) | while IFS= read -r -d '' file; do
  cmp -s "$scratch/clean/$file" "$scratch/src/$file" && continue
  mkdir -p "$scratch/src/$(dirname "$file")"
  cp "$scratch/clean/$file" "$scratch/src/$file"
done

mutate() { python3 "$scratch/clean/scripts/mutations.py" --root "$scratch/src" "$@"; }
restore() {
  local file
  for file in "$@"; do cp "$scratch/clean/$file" "$scratch/src/$file"; done
}

if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$scratch
fi
plain_addresses=() # as in scripts/test.sh
if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ] && setarch -R true 2>/dev/null; then
  plain_addresses=(setarch -R)
fi

log=$scratch/last.log
build() { # preset target...
  local preset=$1
  shift
  "${plain_addresses[@]}" cmake --build "$scratch/$preset" -j "$jobs" --target "$@" >"$log" 2>&1
}
# A check is a scenario of the program of schedules, or else names of tests.
# 0: passes, 1: fails, 2: does not end, 3: there is no such test
run_check() { # preset target check
  local program=$scratch/$1/tests/bin/$2 status=0 arguments=("--gtest_filter=$3" --gtest_fail_fast)
  [ "$2" != schedules ] || arguments=(--scenario "$3" --seconds 20)
  # In a shell of its own, whose word on a signal that ended the program goes to the log as well.
  ("${plain_addresses[@]}" timeout --kill-after 10 $kLimit "$program" "${arguments[@]}" || exit $?) >"$log" 2>&1 || status=$?
  grep -q '^\[==========\] Running 0 tests' "$log" && return 3
  case $status in
    0) return 0 ;;
    124 | 137) return 2 ;;
    *) return 1 ;;
  esac
}
complain() { # text
  printf 'mutate_code.sh: %s\n' "$1" >&2
  tail -n 40 "$log" >&2
  exit 1
}

rows=()
unchecked=()
while IFS= read -r row; do
  IFS='|' read -r _ _ preset _ check _ <<<"$row"
  case $only in
    rules) [ "$preset" = dev ] || continue ;;
    orders) [ "$preset" = tsan ] || continue ;;
  esac
  if [ "$check" = - ]; then unchecked+=("$row"); else rows+=("$row"); fi
done < <(mutate list "${names[@]}")

# First the code as it is: each check passes, or its failing later would mean nothing.
declare -A targets=() seen=()
for row in "${rows[@]}"; do
  IFS='|' read -r _ _ preset target _ <<<"$row"
  [[ " ${targets[$preset]-} " == *" $target "* ]] || targets[$preset]="${targets[$preset]-} $target"
done
for preset in "${!targets[@]}"; do
  flusher=OFF
  [[ " ${targets[$preset]} " != *" flusher_tests "* ]] || flusher=ON
  (cd "$scratch/src" && cmake --fresh --preset "$preset" -B "$scratch/$preset" -DSHMRING_BUILD_FLUSHER=$flusher -DSHMRING_BUILD_TOOLS=OFF) >"$log" 2>&1 ||
    complain "preset $preset does not configure"
  # shellcheck disable=SC2086  # a list of targets
  build "$preset" ${targets[$preset]} || complain "preset $preset does not build"
done
for row in "${rows[@]}"; do
  IFS='|' read -r _ _ preset target check _ <<<"$row"
  [ -z "${seen[$target $check]-}" ] || continue
  seen[$target $check]=1
  run_check "$preset" "$target" "$check" || complain "$check does not pass on the code as it is ($target, $preset)"
done

printf '| rule | mutation | check | fate | seconds |\n|---|---|---|---|---|\n'
killed=0 unexpected=0
for row in "${rows[@]}"; do
  IFS='|' read -r name rule preset target check survives _ <<<"$row"
  SECONDS=0
  files=()
  if applied=$(mutate apply "$name" 2>"$log"); then
    mapfile -t files <<<"$applied"
    if build "$preset" "$target"; then
      status=0
      run_check "$preset" "$target" "$check" || status=$?
      case $status in
        0) fate=survived ;;
        2) fate='killed (no end)' ;;
        *) fate=killed ;;
      esac
    else
      fate='does not compile'
    fi
    cp "$log" "$scratch/$name.log"
    restore "${files[@]}"
  else
    fate='no longer applies'
  fi
  case $fate in
    killed*) killed=$((killed + 1)) ;;
    survived) if [ -n "$survives" ]; then fate="survived: $survives"; else unexpected=1; fi ;;
    *) unexpected=1 ;;
  esac
  printf '| %s | %s | `%s` | %s | %s |\n' "$rule" "$name" "${check//:/, }" "$fate" "$SECONDS"
done
for row in "${unchecked[@]}"; do
  IFS='|' read -r name rule _ _ _ survives _ <<<"$row"
  printf '| %s | %s | - | not run: %s | - |\n' "$rule" "$name" "$survives"
done
printf '\n%s / %s killed\n' "$killed" "${#rows[@]}"
[ ${#unchecked[@]} -eq 0 ] || printf '%s not run, with a reason each\n' "${#unchecked[@]}"
exit $unexpected
}
