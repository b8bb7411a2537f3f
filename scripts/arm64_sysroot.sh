#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks an arm64 Debian's headers and libraries into a folder, for cross compilers and for qemu. It asks the archives that this
# machine's apt knows, but with state of its own: nothing is installed, and this machine learns of no foreign architecture.
#
# usage: scripts/arm64_sysroot.sh FOLDER [--with-kernel]
#
#   --with-kernel  also a kernel and busybox, for a virtual machine
set -euo pipefail

libraries=(libboost-dev libcli11-dev libcurl4-openssl-dev libsqlite3-dev libfmt-dev libgmock-dev libgtest-dev libnghttp2-dev
  libprotobuf-dev libssl-dev nlohmann-json3-dev prometheus-cpp-dev zlib1g-dev)
programs=()

folder=${1:?usage: scripts/arm64_sysroot.sh FOLDER [--with-kernel]}
[ "${2:-}" != --with-kernel ] || programs=(linux-image-cloud-arm64 busybox-static)

# What is there already is not fetched again.
wanted="${libraries[*]} ${programs[*]}"
if [ -e "$folder/.packages" ]; then
  present=" $(cat "$folder/.packages") "
  complete=yes
  for package in $wanted; do [[ $present == *" $package "* ]] || complete=no; done
  [ $complete = no ] || exit 0
fi

apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
: >"$apt/state/status"
cat >"$apt/apt.conf" <<EOF
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
Acquire::Retries "3";
Acquire::Languages "none";
EOF
export APT_CONFIG=$apt/apt.conf

printf 'arm64_sysroot: fetching %s\n' "${wanted% }"
apt-get -qq update
apt-get -qq --download-only -y install "${libraries[@]}"
if [ ${#programs[@]} -gt 0 ]; then
  # Alone: what a kernel depends on is for those who install it.
  kernel=$(apt-cache depends linux-image-cloud-arm64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
  (cd "$apt/cache/archives" && apt-get -qq download "${kernel:?no kernel for arm64 in the archive}" busybox-static)
fi

mkdir -p "$folder/usr/bin" "$folder/usr/lib" "$folder/usr/sbin"
for name in bin lib sbin; do ln -sfn "usr/$name" "$folder/$name"; done
for package in "$apt"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$folder" \
    --exclude ./usr/share/doc --exclude ./usr/share/locale --exclude ./usr/share/man --exclude ./lib/modules
done
# A library's link to a path of the whole system leads out of the folder.
while IFS= read -r -d '' link; do
  ln -sfnr "$folder$(readlink "$link")" "$link"
done < <(find "$folder" -type l -lname '/*' -print0)
printf '%s\n' "$wanted" >"$folder/.packages"
