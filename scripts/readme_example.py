#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the README's example the file that is compiled. --write puts it there; without, exits 1 when they differ."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
EXAMPLE = ROOT / "examples" / "quickstart.cpp"
BEGIN = "<!-- example:begin -->\n"
END = "<!-- example:end -->"


def body_of_example():
    """The program without its opening comment."""
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    while lines and (lines[0].startswith("//") or not lines[0].strip()):
        lines.pop(0)
    return "".join(lines)


def main():
    text = README.read_text()
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    wanted = f"{head}{BEGIN}```cpp\n{body_of_example()}```\n{END}{tail}"
    if "--write" in sys.argv[1:]:
        README.write_text(wanted)
    elif wanted != text:
        print(f"{README.name} shows another program than {EXAMPLE.relative_to(ROOT)}: run scripts/readme_example.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
