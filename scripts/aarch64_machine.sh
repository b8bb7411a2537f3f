#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of an aarch64 build in a virtual machine with a Linux of its own (qemu-system-aarch64, no hardware help), which
# has what qemu-user lacks: robust futexes, MADV_WIPEONFORK, seccomp, a /proc of its own. scripts/aarch64.sh --machine calls it.
#
# usage: scripts/aarch64_machine.sh BUILD_FOLDER SYSROOT [what ctest is to be told of the selection, such as -R REGEX]
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:?a build folder is needed}
sysroot=${2:?the folder of the arm64 libraries is needed}
shift 2
limit=${SHMRING_MACHINE_SECONDS:-3600}  # a machine that hangs is ended

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root
mkdir -p "$root/etc" "$root/usr/bin" "$root/usr/lib" "$root/usr/sbin"
for name in bin lib sbin; do ln -s "usr/$name" "$root/$name"; done
cp "$sysroot/bin/busybox" "$root/bin/busybox"
cp tests/aarch64/machine_init.sh "$root/init"
printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"

# What the tests were told at build time, at the same places; without debug information.
ship() {
  mkdir -p "$root$(dirname "$1")"
  aarch64-linux-gnu-strip --strip-debug -o "$root$1" "$1" 2>/dev/null || cp "$1" "$root$1"
}
while IFS= read -r program; do ship "$program"; done < <(find "$build/bin" "$build/tests/bin" "$build/lib" -type f \
  \( -perm -u+x -o -name '*.so*' \) ! -name '*.a')
(cd "$build/lib" && find . -maxdepth 1 -type l -exec cp -P {} "$root$build/lib/" \;)
corpus=$PWD/tests/fuzz/corpus
mkdir -p "$root$(dirname "$corpus")"
cp -r "$corpus" "$root$corpus"

# Shared libraries; the stand-in for robust lists is not for a machine that has them.
(cd "$sysroot/usr/lib" && tar -c --exclude '*.a' --exclude '*.o' --exclude './gcc*' --exclude './cmake' --exclude '*/cmake' \
  --exclude '*/libshmring_*' ./*.so* aarch64-linux-gnu) | tar -x -C "$root/usr/lib"
aarch64-linux-gnu-gcc "--sysroot=$sysroot" -shared -nostdlib -x c /dev/null -Wl,-soname,libshmring_robust_list_answer.so \
  -o "$root/usr/lib/aarch64-linux-gnu/libshmring_robust_list_answer.so"

# One line for each test: its name, its folder, its command without the emulator.
ctest --test-dir "$build" --show-only=json-v1 "$@" | python3 -c '
import json, shlex, sys
for test in json.load(sys.stdin)["tests"]:
    command = test.get("command")
    if not command:
        continue
    if "qemu-aarch64" in command[0]:
        command = command[3:]
    folder = next((p["value"] for p in test.get("properties", []) if p["name"] == "WORKING_DIRECTORY"), "/tmp")
    print("run", *map(shlex.quote, [test["name"], folder, *command]))
' >"$root/tests.list"
sed -n "s/^run [^ ]* \([^ ]*\) .*/\1/p" "$root/tests.list" | sort -u | while IFS= read -r folder; do mkdir -p "$root$folder"; done

(cd "$root" && find . -print0 | cpio --null --quiet -o -H newc) | gzip -1 >"$stage/initramfs.gz"

# A processor without the atomics of ARMv8.1: qemu-user has them, so both kinds get run.
kernel=$(ls "$sysroot"/boot/vmlinuz-*)
console=${SHMRING_MACHINE_LOG:-$build/machine.log}
timeout "$limit" qemu-system-aarch64 -M virt -cpu cortex-a57 -accel tcg,thread=multi -smp 2 -m 2048 -nographic -nic none -no-reboot \
  -kernel "$kernel" -initrd "$stage/initramfs.gz" -append 'console=ttyAMA0 quiet loglevel=1 panic=-1 rdinit=/init' \
  </dev/null >"$console" 2>&1 || printf '\nthe machine did not end by itself\n' >>"$console"
sed -i 's/\r$//' "$console"

grep -a '^@ kernel' "$console" | sed 's/^@ //' || true
grep -a -A25 '^@ failed' "$console" | grep -a -E '^(@ failed|  \|)' | sed 's/^@ //' || true
grep -a '^@ skipped' "$console" | sed 's/^@ //' || true
count() { grep -a -c "^@ $1" "$console" || true; }
grep -a -q '^@ end' "$console" || printf 'the machine did not get through all tests; its last words are in %s\n' "$console"
printf 'aarch64 in a virtual machine: %s tests of %s: %s passed, %s failed, %s skipped (%s)\n' "$(($(count passed) + $(count failed)))" \
  "$(wc -l <"$root/tests.list")" "$(count passed)" "$(count failed)" "$(count skipped)" "$console"
[ -s "$root/tests.list" ] && grep -a -q '^@ end' "$console" && [ "$(count failed)" = 0 ]
