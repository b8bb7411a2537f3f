#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every memory order in the sources says who is at its other end.

The layout header holds a table of release/acquire pairs, one row each:

    //  P1  descriptor.committed   release: writer's commit   acquire: reader, adopter   the bytes below it

For every C++ file below include/ and libshmring/:

  * a release, acquire or acq_rel carries the tags of its pairs in a comment (// P1, P4), and the table knows each;
  * a relaxed and a seq_cst carry a comment that says why, and so does a signal fence, which orders nothing for others;
    a seq_cst that bears tags is both ends of their pairs;
  * an atomic operation names its order.

The comment stands on the same line, on the line above, or on another line of the same statement. And every row of
the table is real: it has both ends in the sources. An end that the table gives to the kernel has none.
"""

import argparse
import pathlib
import re
import sys
from dataclasses import dataclass, field

TABLE = "include/shmring/layout.hpp"
FOLDERS = ("include", "libshmring")
SUFFIXES = (".hpp", ".cpp", ".h")

ROW = re.compile(r"^\s*//\s+(P\d+)\s+\S.*?\brelease:\s*(?P<release>.*?)\s+acquire:\s*(?P<acquire>.*)$")
TAG = re.compile(r"\bP\d+\b")
ORDER = re.compile(
    r"\bmemory_order(?:_|::)(relaxed|consume|acquire|release|acq_rel|seq_cst)\b"
    r"|\b__ATOMIC_(RELAXED|CONSUME|ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b"
)
ATOMIC_CALL = re.compile(
    r"(?:\.|->)(?:load\(\s*\)|store\(|exchange\(|fetch_(?:add|sub|and|or|xor)\(|compare_exchange_(?:weak|strong)\()"
)
ENDS = {
    "acquire": ("acquire",),
    "consume": ("acquire",),
    "release": ("release",),
    "acq_rel": ("acquire", "release"),
    "seq_cst": ("acquire", "release"),
}

# A comment, or a literal in which // means nothing. A ' between digits is no literal.
TOKEN = re.compile(
    r'(?P<raw>R"(?P<mark>[^()\s\\]{0,16})\((?:.|\n)*?\)(?P=mark)")'
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')"
    r"|(?P<line>//[^\n]*)"
    r"|(?P<block>/\*(?:.|\n)*?\*/)"
)


@dataclass
class Line:
    code: str
    comment: str


@dataclass
class Findings:
    errors: list = field(default_factory=list)
    ends: dict = field(default_factory=dict)  # tag -> the ends seen, "release" and "acquire"


def split_comments(text):
    """The lines of a source, each as its code and its comment; literals are blanked out."""

    def blank(token):
        return re.sub(r"[^\n]", " ", token)

    code, comment, position = [], [], 0
    for match in TOKEN.finditer(text):
        between = text[position : match.start()]
        code.append(between)
        comment.append(blank(between))
        token, is_comment = match.group(), match.group("line") or match.group("block")
        code.append(blank(token))
        comment.append(token if is_comment else blank(token))
        position = match.end()
    code.append(text[position:])
    comment.append(blank(text[position:]))
    return [Line(c, k.strip()) for c, k in zip("".join(code).split("\n"), "".join(comment).split("\n"))]


def statement_around(lines, index):
    """First and last line of the statement that line `index` is part of."""

    def ends_statement(line):
        return line.code.strip() == "" or line.code.rstrip()[-1] in ";{}"

    first = last = index
    while first > 0 and not ends_statement(lines[first - 1]):
        first -= 1
    while last + 1 < len(lines) and not ends_statement(lines[last]):
        last += 1
    return first, last


def comment_at(lines, index):
    """What the comments say on the lines of this statement and on the line above the order or the statement."""
    first, last = statement_around(lines, index)
    above = [lines[i].comment for i in {index - 1, first - 1} if i >= 0 and (i >= first or not lines[i].code.strip())]
    return " ".join(above + [line.comment for line in lines[first : last + 1]]).strip()


def read_table(text):
    """The rows of the table: tag -> the ends that the sources must have."""
    rows = {}
    for line in text.split("\n"):
        row = ROW.match(line)
        if row:
            rows[row.group(1)] = {end for end in ("release", "acquire") if not row.group(end).startswith("kernel")}
    return rows


def check_source(name, text, table, findings):
    lines = split_comments(text)
    for index, line in enumerate(lines):
        here = f"{name}:{index + 1}"
        orders = [(a or b).lower() for a, b in ORDER.findall(line.code)]
        comment = comment_at(lines, index) if orders else ""
        first, last = statement_around(lines, index)
        statement = " ".join(l.code for l in lines[first : last + 1])

        if ATOMIC_CALL.search(line.code) and not ORDER.search(statement) and "order" not in statement:
            findings.errors.append(f"{here}: an atomic operation without a memory order")
        for order in orders:
            is_local = order == "relaxed" or "atomic_signal_fence" in line.code  # hands nothing to another thread
            tags = [] if is_local else TAG.findall(comment)
            if is_local or order == "seq_cst":
                if not comment:
                    findings.errors.append(f"{here}: {order} without a comment that says why it is the right one")
            elif not tags:
                findings.errors.append(f"{here}: {order} without the tag of its pair")
            for tag in tags:
                if tag not in table:
                    findings.errors.append(f"{here}: {tag} is not in the table of {TABLE}")
                findings.ends.setdefault(tag, set()).update(ENDS[order])


def check(table_text, sources):
    """All that is wrong, as lines of text. `sources` maps names to texts."""
    table = read_table(table_text)
    if not table:
        return [f"{TABLE}: no table of pairs (a row is '//  P1  word  release: who  acquire: who  what')"]
    findings = Findings()
    for name, text in sorted(sources.items()):
        check_source(name, text, table, findings)
    for tag, wanted in table.items():
        for end in sorted(wanted - findings.ends.get(tag, set())):
            findings.errors.append(f"{TABLE}: {tag} has no {end} end in the sources")
    return findings.errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    files = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.suffix in SUFFIXES]
    sources = {str(path.relative_to(root)): path.read_text() for path in files}
    errors = check(sources.get(TABLE, ""), sources)
    print("\n".join(errors), end="\n" if errors else "")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
