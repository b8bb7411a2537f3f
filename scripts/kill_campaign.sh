#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kills producers and flushers of one ring at random instants, round after round, and checks after each round that nothing
# committed was lost and every account closes. Some records are runs of blocks; some flushers lose their lease while they stand
# still, and go on beside their successors; every third round drops the oldest. Prints how far it is, how fast, and what was
# hit. Exit 1: something does not hold, or something of this was never hit.
#
# usage: scripts/kill_campaign.sh [KILLS (default 100000)] [SEED (default: the time)]
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
kills=${1:-100000}
seed=${2:-$(date +%s)}

cmake --preset dev >/dev/null
cmake --build --preset dev --target crash_campaign
printf '%s kills, seed %s\n' "$kills" "$seed"
exec build/dev/tests/bin/crash_campaign "$kills" "$seed"
