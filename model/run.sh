#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Searches named configurations of the model and prints a Markdown table. Exit 1 when one does not end as it should.
#
# usage: model/run.sh [--list] [--quick] [--seconds N] [--memory MIB] [--trail DIR] [configuration ...]
#
#   --quick      the small ones only, a minute in all; without names or --quick: every configuration
#   --seconds N  stops each search after N seconds (default 180); what was not completed says so
#   --memory M   ... and at M MiB (default 6000)
#   --trail DIR  keeps model, search program and counterexample there
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=model/search.sh
. ./search.sh

names=()
seconds=180
memory=6000
trail=
quick=
while [ $# -gt 0 ]; do
  case $1 in
    --list) configurations | cut -d'|' -f1,2,5; exit 0 ;;
    --quick) quick=yes ;;
    --seconds) seconds=${2:?}; shift ;;
    --memory) memory=${2:?}; shift ;;
    --trail) trail=${2:?}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) printf 'run.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
    *) names+=("$1") ;;
  esac
  shift
done
need_spin

printf '| configuration | states | depth | result | seconds |\n|---|---|---|---|---|\n'
failed=0
while IFS='|' read -r name kind file flags _; do
  if [ ${#names[@]} -gt 0 ]; then
    [[ " ${names[*]} " == *" $name "* ]] || continue
  elif [ -n "$quick" ]; then
    [ "$kind" = quick ] || continue
  fi
  # shellcheck disable=SC2086  # a list of flags
  search "$name" "$file" $flags
  printf '| %s | %s | %s | %s | %s |\n' "$name" "$states" "$depth" "$result" "$took"
  case $result in none*) ;; *) failed=1; printf 'run.sh: %s: %s\n' "$name" "$result" >&2 ;; esac
done < <(configurations)
exit $failed
