#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the virtual machine that scripts/aarch64_machine.sh boots: runs the tests of /tests.list one by one and
# says on the console what became of each.

/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mkdir -p /proc /sys /dev /tmp /var/tmp /root /run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
chmod 1777 /tmp /var/tmp  # the root is memory already, and may hold the build
ln -sfn /proc/self/fd /dev/fd
ifconfig lo 127.0.0.1 up

page=$(awk '/KernelPageSize/ { print $2; exit }' /proc/self/smaps)
echo "@ kernel $(uname -srm), pages of $page KiB, $(nproc) processors"

# name, folder, command
run() {
  name=$1
  cd "$2" || return
  shift 2
  timeout -s KILL 300 "$@" >/tmp/.output 2>&1 </dev/null
  code=$?
  if [ $code != 0 ]; then
    echo "@ failed $name (status $code)"
    tail -n 25 /tmp/.output | sed 's/^/  | /'
  elif grep -q '^\[  SKIPPED \]' /tmp/.output; then
    echo "@ skipped $name: $(grep -A1 ': Skipped$' /tmp/.output | tail -n 1)"
  else
    echo "@ passed $name"
  fi
}

. /tests.list
echo "@ end"
poweroff -f
