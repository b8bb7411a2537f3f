#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a minimal OpenTelemetry Collector from its Go modules (tests/interop/collector, versions in go.mod), sends it logs, traces
# and metrics by every protocol, and compares what it wrote with what was emitted. Exit 1: a difference. Without Go, or when its
# modules cannot be had: says so and exits 77.
#
# usage: scripts/interop.sh [RECORDS of each signal and protocol (default 1000)] [SEED (1)]
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac

skip() {
  printf 'interop: skipped: %s\n' "$*"
  exit 77
}

collector=$PWD/build/interop/collector
command -v go >/dev/null || [ -x "$collector" ] || skip 'there is no program go to build a Collector with'
if command -v go >/dev/null; then
  mkdir -p build/interop
  (cd tests/interop/collector && go list -deps . >/dev/null) || skip "the Collector's Go modules cannot be had (go env GOPROXY)"
  (cd tests/interop/collector && go build -trimpath -ldflags='-s -w' -o "$collector" .)
fi

scripts/bootstrap.sh --test --interop
cmake --preset dev -U SHMRING_TEST_FOLDERS >/dev/null  # the folders of this version, whatever an older build kept
cmake --build --preset dev --target interop
exec build/dev/tests/bin/interop "$collector" "${1:-1000}" "${2:-1}"
