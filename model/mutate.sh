#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Breaks one rule at a time and searches for what goes wrong: a rule that can be broken unpunished is not needed, or not checked.
# Prints a Markdown table and killed / total; exit 1 when a mutation survives that mutations.txt does not expect to.
#
# usage: model/mutate.sh [--list] [--seconds N] [--memory MIB] [--trail DIR] [mutation ...]
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=model/search.sh
. ./search.sh

mutations() { sed -e '/^ *#/d' -e '/^ *$/d' -e 's/ *| */|/g' mutations.txt; }

names=()
seconds=90
memory=6000
trail=
while [ $# -gt 0 ]; do
  case $1 in
    --list) mutations; exit 0 ;;
    --seconds) seconds=${2:?}; shift ;;
    --memory) memory=${2:?}; shift ;;
    --trail) trail=${2:?}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) printf 'mutate.sh: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
    *) names+=("$1") ;;
  esac
  shift
done
need_spin

printf '| mutation | found by | states | fate | seconds |\n|---|---|---|---|---|\n'
killed=0 total=0 unexpected=0
while IFS='|' read -r mutation file flags expected _; do
  if [ ${#names[@]} -gt 0 ]; then [[ " ${names[*]} " == *" $mutation "* ]] || continue; fi
  # shellcheck disable=SC2086  # a list of flags
  search "$mutation" "$file" $flags "-D$mutation"
  total=$((total + 1))
  case $result in
    none* | 'no answer'* | stopped* | 'does not compile'*)
      fate="survives ($result)"
      [ "$expected" = survives ] || unexpected=1
      ;;
    *) fate="killed: \`$result\`"; killed=$((killed + 1)) ;;
  esac
  printf '| %s | `%s` | %s | %s | %s |\n' "$mutation" "$flags" "$states" "$fate" "$took"
done < <(mutations)
printf '\n%s / %s killed\n' "$killed" "$total"
exit $unexpected
