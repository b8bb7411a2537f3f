#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what a build, the tests or the benchmarks need, from Debian's packages; silent when nothing is missing.
#
# usage: scripts/bootstrap.sh [--build] [--test] [--bench] [--interop] [--model] [--aarch64] [--no-install] [--prefix DIR]
#
#   --build       what builds the library, the flusher and the tools (this set is part of every other)
#   --test        what the tests need besides
#   --bench       what the benchmarks need besides
#   --interop     what trying shmring against other people's programs needs besides
#   --model       what searching the ring's model needs
#   --aarch64     what cross-compiling for aarch64 and running that needs besides; its libraries: scripts/arm64_sysroot.sh
#   --no-install  installs nothing: names what is missing and exits 1
#   --prefix DIR  looks for libraries and programs in DIR too, for machines without root
set -euo pipefail

# package, kind of probe, probe. A package counts as present when its program, header or Python module is found, wherever it is from.
build_set='
g++                    program c++
cmake                  program cmake
ninja-build            program ninja
pkg-config             program pkg-config
libboost-dev           header  boost/interprocess/mapped_region.hpp
libprotobuf-dev        header  google/protobuf/message.h
protobuf-compiler      program protoc
libcurl4-openssl-dev   header  curl/curl.h
libsqlite3-dev         header  sqlite3.h
zlib1g-dev             header  zlib.h
prometheus-cpp-dev     header  prometheus/registry.h
libfmt-dev             header  fmt/format.h
libcli11-dev           header  CLI/CLI.hpp
nlohmann-json3-dev     header  nlohmann/json.hpp
'
test_set='
g++                    program g++
clang                  program clang++
libgtest-dev           header  gtest/gtest.h
libgmock-dev           header  gmock/gmock.h
libspdlog-dev          header  spdlog/spdlog.h
libnghttp2-dev         header  nghttp2/nghttp2.h
libssl-dev             header  openssl/ssl.h
openssl                program openssl
musl-tools             program musl-gcc
strace                 program strace
python3                program python3
python3-dev            program python3-config
python3-venv           module  ensurepip
python3-pip            module  pip
python3-setuptools     module  setuptools
python3-wheel          module  wheel
spin                   program spin
g++-aarch64-linux-gnu  program aarch64-linux-gnu-g++
'
bench_set='
libbenchmark-dev       header  benchmark/benchmark.h
valgrind               program valgrind
python3                program python3
libspdlog-dev          header  spdlog/spdlog.h
libconcurrentqueue-dev header  concurrentqueue/concurrentqueue.h
liblttng-ust-dev       header  lttng/tracepoint.h
lttng-tools            program lttng-sessiond
'
# A Collector is built from Go modules (scripts/interop.sh); they need a newer Go than Debian's.
interop_set='
openssl                program openssl
prometheus             program prometheus
'
model_set='
gcc                    program gcc
spin                   program spin
'
aarch64_set='
g++-aarch64-linux-gnu  program aarch64-linux-gnu-g++
qemu-user              program qemu-aarch64
qemu-system-arm        program qemu-system-aarch64
cpio                   program cpio
python3                program python3
'

die() {
  printf 'bootstrap: %s\n' "$*" >&2
  exit 1
}

wanted=$build_set
install=yes
prefix=
while [ $# -gt 0 ]; do
  case $1 in
    --build) ;;
    --test) wanted+=$test_set ;;
    --bench) wanted+=$bench_set ;;
    --interop) wanted+=$interop_set ;;
    --model) wanted+=$model_set ;;
    --aarch64) wanted+=$aarch64_set ;;
    --no-install) install=no ;;
    --prefix) prefix=${2:?--prefix needs a folder}; shift ;;
    -h | --help) sed -n '3,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) printf 'bootstrap: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

[ -z "$prefix" ] || export PATH="$prefix/bin:$PATH" CPLUS_INCLUDE_PATH="$prefix/include${CPLUS_INCLUDE_PATH:+:$CPLUS_INCLUDE_PATH}"

# The names of the packages whose header the compiler does not find; one compiler run asks for all of them.
packages_without_header() {
  awk '$2 == "header" { printf "#if !__has_include(<%s>)\nMISSING %s\n#endif\n", $3, $1 }' <<<"$wanted" |
    c++ -std=c++20 -E -P -x c++ - | awk '$1 == "MISSING" { print $2 }'
}

packages_without_program() {
  local package kind probe
  while read -r package kind probe; do
    [ "$kind" = program ] || continue
    command -v "$probe" >/dev/null || printf '%s\n' "$package"
  done <<<"$wanted"
}

# A module of any python3 in PATH will do: the first one need not be Debian's.
packages_without_module() {
  local package kind module python
  while read -r package kind module; do
    [ "$kind" = module ] || continue
    for python in $(type -aP python3); do
      "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$module') is None)" && continue 2
    done
    printf '%s\n' "$package"
  done <<<"$wanted"
}

missing_packages() {
  {
    packages_without_program
    packages_without_module
    # Without a compiler no header can be found, and then every package is asked for.
    if command -v c++ >/dev/null; then packages_without_header; else awk '$2 == "header" { print $1 }' <<<"$wanted"; fi
  } | sort -u | tr '\n' ' '
}

missing=$(missing_packages)
[ -n "$missing" ] || exit 0

command_line="apt-get install ${missing% }"
[ "$install" = yes ] || die "missing (Debian's names): ${missing% }
  as root: $command_line"
command -v apt-get >/dev/null || die "this system has no apt-get; what is missing, by Debian's names: ${missing% }"

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || die "missing: ${missing% }; there is neither root nor sudo here to install them.
  as root: $command_line
  or put them into a folder of your own and say --no-install --prefix DIR"
  as_root=(sudo)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

printf 'bootstrap: installing %s\n' "${missing% }"
apt update
# shellcheck disable=SC2086  # a list of words
apt install --no-install-recommends $missing

missing=$(missing_packages)
[ -z "$missing" ] || die "still missing after apt-get install: ${missing% }"
