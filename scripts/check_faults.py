#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every test that docs/faults.md, or another such document, names exists: usage: check_faults.py BUILD_FOLDER [DOCUMENT]

Exit code 0: all exist. 1: some do not. 77: some tests of this build folder are not built, so nobody can tell.
"""

import fnmatch
import json
import pathlib
import re
import subprocess
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parents[1] / "docs" / "faults.md"
NOT_BUILT = "_NOT_BUILT"
SKIPPED = 77


def named_tests(text):
    """In order: what stands in backticks in a table row and looks like a test's name."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    names = re.findall(r"`((?:\w+/)?\w+\.[\w/*]+)`", "\n".join(rows))
    return [name for name in names if not name.endswith((".cpp", ".py"))]


def known_tests(build):
    out = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, check=True, capture_output=True, text=True).stdout
    return [test["name"].split("  # ")[0] for test in json.loads(out)["tests"]]  # ctest adds a parameter's bytes


def missing(names, known):
    return [name for name in names if not fnmatch.filter(known, name)]


def main(build, document=DOCUMENT):
    names = named_tests(pathlib.Path(document).read_text())
    known = known_tests(build)
    lost = missing(names, known)
    unbuilt = [name for name in known if name.endswith(NOT_BUILT)]
    if lost and unbuilt:
        print(f"{len(lost)} tests cannot be found, and these are not built: {' '.join(unbuilt)}")
        return SKIPPED
    for name in lost:
        print(f"{document}: there is no test {name}")
    print(f"{len(names)} tests named, {len(lost)} of them missing")
    return 1 if lost or not names else 0


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
