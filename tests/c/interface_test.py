#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what libshmring.so exports to C, and how the structs of shmring.h are laid out, with the committed list.

usage: interface_test.py LIST TOUR LIBRARY NM HEADER [--write]

A name that is gone, or a field that has moved, breaks programs that were built yesterday: that takes a new SHMRING_ABI_VERSION and SOVERSION.
A name that is new, or a field behind the last one, takes a line in the list: --write writes it.
"""
import difflib
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def interface(tour, library, nm):
    symbols = [line.split()[0] for line in output(nm, "--dynamic", "--defined-only", "--format=posix", library).splitlines()]
    # A version stands behind the name: shmring_open@@SHMRING_1.
    names = sorted(name for name in symbols if name.startswith("shmring_"))
    return ["# Functions, with the version of the symbol"] + names + ["", "# Structs: size; fields: offset, size (64 bits)"] + output(
        tour, "--layout").splitlines()


def declared(header):
    with open(header, encoding="utf-8") as file:
        return set(re.findall(r"^SHMRING_API[^(]*?\b(shmring_\w+)\(", file.read(), re.MULTILINE))


def main():
    list_path, tour, library, nm, header = sys.argv[1:6]
    now = interface(tour, library, nm)
    if sys.argv[6:] == ["--write"]:
        with open(list_path, "w", encoding="utf-8") as file:
            file.write("\n".join(now) + "\n")
        return 0
    exported = {name.split("@")[0] for name in now if name.startswith("shmring_") and " " not in name}
    promised = declared(header)
    if exported != promised:
        print("declared but not exported:", sorted(promised - exported) or "none")
        print("exported but not declared:", sorted(exported - promised) or "none")
        return 1
    with open(list_path, encoding="utf-8") as file:
        committed = file.read().splitlines()
    if now == committed:
        return 0
    print("\n".join(difflib.unified_diff(committed, now, "committed", "built", lineterm="")))
    return 1


if __name__ == "__main__":
    sys.exit(main())
