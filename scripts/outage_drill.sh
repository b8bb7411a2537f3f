#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A long outage: the backend is away, records come at a steady rate and go to the spool on disk (TMPDIR, else /var/tmp), the
# flusher is killed by SIGKILL meanwhile. Then the backend is back. Prints figures. Exit 1: a record was lost or came twice
# uncounted, the ring refused one, or the books of ring and spool do not close.
#
# usage: scripts/outage_drill.sh [SECONDS (default 600)] [RECORDS PER SECOND (20000)] [KILLS (5)]
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac

cmake --preset dev >/dev/null
cmake --build --preset dev --target outage_drill
exec build/dev/tests/bin/outage_drill "${1:-600}" "${2:-20000}" "${3:-5}"
