# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# One search; and the list of configurations. Sourced by run.sh and mutate.sh, in model/.

# name | quick or long | file | flags | what it is for
configurations() {
  sed -e '/^ *#/d' -e '/^ *$/d' -e 's/ *| */|/g' configurations.txt
}

need_spin() {
  local program
  for program in spin gcc; do
    command -v "$program" >/dev/null || { printf 'skipped: no %s here (scripts/bootstrap.sh --model installs it)\n' "$program"; exit 77; }
  done
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# search NAME FILE FLAG...: sets states, depth, result, took. Reads seconds, memory, trail.
search() {
  local name=$1 file=$2 folder began status=0
  shift 2
  local gcc_flags=() spin_flags=() flag bits= ends=
  for flag in "$@"; do
    case $flag in
      BITSTATE) bits=yes ;;
      NOEND) ends=-E ;;
      *) spin_flags+=("$flag") ;;
    esac
  done
  folder=${trail:-$work}/$name
  mkdir -p "$folder"
  cp ./*.pml "$folder"
  began=$(date +%s)
  if [ -n "$bits" ]; then gcc_flags=(-DBITSTATE); else gcc_flags=(-DCOLLAPSE); fi
  (
    cd "$folder"
    spin -a "${spin_flags[@]}" "$file" >spin.out 2>&1 && gcc -w -O2 -DSAFETY -DVECTORSZ=2048 "-DMEMLIM=$memory" "${gcc_flags[@]}" -o pan pan.c
  ) || { states=0 depth=0 result="does not compile: $(head -1 "$folder/spin.out")" took=0; return 0; }
  local pan=(./pan -m2000000 ${ends:+"$ends"})
  if [ -n "$bits" ]; then pan+=(-w33 -k3); else pan+=(-w22); fi
  (cd "$folder" && exec nice -n 19 timeout -s INT "$seconds" "${pan[@]}") >"$folder/out" 2>&1 || status=$?
  took=$(($(date +%s) - began))
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$folder/out" | tail -1)
  depth=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' "$folder/out" | tail -1)
  states=${states:-?} depth=${depth:-?}
  if grep -q '^pan:[0-9]*: ' "$folder/out"; then
    result=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth [0-9]*)$/\1/p' "$folder/out" | head -1)
    result=${result:-$(grep -m1 '^pan:[0-9]*: ' "$folder/out")}
  elif grep -q 'max search depth too small' "$folder/out"; then
    result='stopped: depth'
  elif grep -q 'errors: 0' "$folder/out" && ! grep -q 'Search not completed\|Interrupted\|interrupted' "$folder/out"; then
    if [ -n "$bits" ]; then result='none, bitstate'; else result='none, complete'; fi
  elif [ "$states" != '?' ] && grep -q 'errors: 0' "$folder/out"; then
    result="none, stopped after ${took} s"
  else
    result="no answer (status $status)"
  fi
  # A thousand times a thousand, readable.
  case $states in *[!0-9]*) ;; *) states=$(sed ':a;s/\B[0-9]\{3\}\>/,&/;ta' <<<"$states") ;; esac
  [ -n "$trail" ] || rm -rf "$folder"
}
