#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutations of the code: what each one changes, and which check must notice. scripts/mutate_code.sh runs them.

tests/mutations/*.mutation break a rule. Such a file says in its first lines what is broken, then

    rule: R3
    preset: dev
    target: ring_tests
    check: Seal.KeepsThePin
    survives: why no check can notice (only where that is so)
    === libshmring/claim.cpp
    --- old
    text that occurs once in that file; the amount of white space does not matter
    --- new
    what stands there instead

with as many === files, and old and new texts in each, as are needed.

tests/mutations/orders.txt makes one end of a pair of layout.hpp relaxed, everywhere: the tags in the sources say where.

usage: mutations.py list [NAME ...] | apply NAME | check
"""

import argparse
import pathlib
import re
import sys
from dataclasses import dataclass, field

sys.dont_write_bytecode = True
import check_pair_tags as pairs  # noqa: E402

FOLDER = "tests/mutations"
DESIGN_RULES = [f"R{number}" for number in range(1, 21)]
KEYS = ("rule", "preset", "target", "check", "survives")
# What an order becomes without one of its ends; a plain store cannot acquire, a plain load cannot release.
WITHOUT = {
    "release": {"release": "relaxed", "acq_rel": "acquire", "seq_cst": "acquire"},
    "acquire": {"acquire": "relaxed", "acq_rel": "release", "seq_cst": "release"},
}


@dataclass
class Mutation:
    name: str
    about: str
    values: dict
    edits: list = field(default_factory=list)  # (path, old text, new text)
    end: str = ""  # release or acquire: an order mutation of the pair values["rule"]


class Unfit(Exception):
    """A mutation that does not apply, or says nothing sensible."""


# ------------------------------------------------------------------------------------------------------- reading


def parse(name, text):
    """A .mutation file."""
    head, _, rest = text.partition("\n=== ")
    lines = [line for line in head.split("\n") if not line.startswith("# SPDX")]
    values = {key: value for line in lines for key, _, value in [line.partition(": ")] if key in KEYS}
    about = " ".join(line.lstrip("# ") for line in lines if line.partition(": ")[0] not in KEYS).strip()
    for key in KEYS[:4]:
        if not values.get(key):
            raise Unfit(f"{name}: no '{key}:'")
    edits = []
    for part in rest.split("\n=== ") if rest else []:
        path, _, body = part.partition("\n")
        pieces = re.split(r"^--- (old|new)\n", body, flags=re.MULTILINE)
        if pieces[0].strip() or pieces[1::2] != ["old", "new"] * (len(pieces) // 4):
            raise Unfit(f"{name}: --- old and --- new do not alternate below === {path}")
        edits += [(path, old, new) for old, new in zip(pieces[2::4], pieces[4::4])]
    if not edits:
        raise Unfit(f"{name}: changes nothing")
    return Mutation(name, about, values, edits)


def parse_orders(text):
    """orders.txt: pair | end | check, or '-' and a reason."""
    found = []
    for line in text.split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 4 or cells[1] not in WITHOUT:
            raise Unfit(f"orders.txt: not 'pair | release or acquire | check | reason': {line}")
        pair, end, check, reason = cells
        values = {"rule": pair, "preset": "tsan", "target": "pair_tests", "check": check, "survives": reason}
        found.append(Mutation(f"{pair}_{end.upper()}_RELAXED", f"the {end} end of {pair} is relaxed", values, end=end))
    return found


def read_all(root):
    folder = root / FOLDER
    rules = [parse(path.stem, path.read_text()) for path in sorted(folder.glob("*.mutation"), key=in_order)]
    return rules + parse_orders((folder / "orders.txt").read_text())


def in_order(path):
    """R2 before R10."""
    number = re.match(r"R(\d+)_", path.name)
    return (int(number.group(1)) if number else 0, path.name)


def runs(mutation):
    """Order mutations without a check are only listed."""
    return mutation.values["check"] != "-"


# ------------------------------------------------------------------------------------------------------ changing


def replace_once(name, path, text, old, new):
    words = old.split()
    if not words:
        raise Unfit(f"{name}: an old text is empty")
    places = list(re.finditer(r"\s+".join(re.escape(word) for word in words), text))
    if len(places) != 1:
        raise Unfit(f"{name}: found {len(places)} times in {path}: {' '.join(words)[:100]}")
    return text[: places[0].start()] + new.strip() + text[places[0].end() :]


def weaken(text, pair, end):
    """The source with every order that bears the pair's tag robbed of that end; and how many there were."""
    lines, shown, changed = pairs.split_comments(text), text.split("\n"), 0
    for index, line in enumerate(lines):
        orders = [(m, m.group(1)) for m in pairs.ORDER.finditer(line.code) if m.group(1) in WITHOUT[end]]
        if "atomic_signal_fence" in line.code or pair not in pairs.TAG.findall(pairs.comment_at(lines, index) if orders else ""):
            continue
        for match, order in reversed(orders):
            weaker = WITHOUT[end][order]
            # The operation that this order belongs to may begin on an earlier line.
            first, _ = pairs.statement_around(lines, index)
            before = " ".join(each.code for each in lines[first:index]) + line.code[: match.start()]
            calls = re.findall(r"(?:\.|->)(load|store|exchange|fetch_\w+|compare_exchange_\w+)\(", before)
            call = calls[-1] if calls else ""
            if order == "seq_cst" and call in ("load", "store"):
                if (call == "load") != (end == "acquire"):
                    continue
                weaker = "relaxed"
            at = match.start(1)
            shown[index] = shown[index][:at] + weaker + shown[index][at + len(order) :]
            changed += 1
    return "\n".join(shown), changed


def sources(root):
    return [p for folder in pairs.FOLDERS for p in sorted((root / folder).rglob("*")) if p.suffix in pairs.SUFFIXES]


def changed_files(root, mutation):
    """path -> its new text. Raises Unfit."""
    changed = {}
    if mutation.end:
        for path in sources(root):
            text, places = weaken(path.read_text(), mutation.values["rule"], mutation.end)
            if places:
                changed[path] = text
        if not changed and runs(mutation):
            raise Unfit(f"{mutation.name}: no {mutation.end} in the sources bears this tag")
    for name, old, new in mutation.edits:
        path = root / name
        if not path.is_file():
            raise Unfit(f"{mutation.name}: there is no {name}")
        changed[path] = replace_once(mutation.name, name, changed.get(path, path.read_text()), old, new)
    return changed


# ------------------------------------------------------------------------------------------------------ checking


def tests_in(root):
    """Suite.Name of every test of ours, and every scenario of tests/schedules."""
    pattern = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)
    names = {".".join(names) for path in (root / "tests").rglob("*.cpp") for names in pattern.findall(path.read_text())}
    scenarios = root / "tests/schedules/scenarios.cpp"
    return names | set(re.findall(r'\{"(\w+)",', scenarios.read_text() if scenarios.is_file() else ""))


def check(root):
    """All that is wrong, as lines of text."""
    errors, mutations, tests = [], read_all(root), tests_in(root)
    excused = dict(re.findall(r"^\| (R\d+) \| (.+) \|$", (root / FOLDER / "README.md").read_text(), re.MULTILINE))
    for mutation in mutations:
        try:
            changed_files(root, mutation)
        except Unfit as unfit:
            errors.append(str(unfit))
        for name in mutation.values["check"].split(":") if runs(mutation) else []:
            if name not in tests:
                errors.append(f"{mutation.name}: there is no test {name}")
        if not runs(mutation) and not mutation.values["survives"]:
            errors.append(f"{mutation.name}: neither a check nor a reason")
    rules = {mutation.values["rule"] for mutation in mutations}
    errors += [f"{rule}: no mutation, and no reason in {FOLDER}/README.md" for rule in DESIGN_RULES
               if rule not in rules and rule not in excused]
    errors += [f"{rule}: has a mutation, and a reason in {FOLDER}/README.md for having none" for rule in sorted(excused)
               if rule in rules]
    names = {mutation.name for mutation in mutations}
    for pair in pairs.read_table((root / pairs.TABLE).read_text()):
        errors += [f"orders.txt: no line '{pair} | {end}'" for end in WITHOUT
                   if f"{pair}_{end.upper()}_RELAXED" not in names]
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("command", choices=("list", "apply", "check"))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    try:
        if options.command == "check":
            errors = check(options.root)
            print("\n".join(errors), end="\n" if errors else "")
            return 1 if errors else 0
        mutations = read_all(options.root)
        unknown = set(options.names) - {mutation.name for mutation in mutations}
        if unknown or (options.command == "apply" and len(options.names) != 1):
            print(f"mutations.py: not the name of one mutation: {' '.join(sorted(unknown or options.names))}", file=sys.stderr)
            return 2
        for mutation in mutations:
            if options.names and mutation.name not in options.names:
                continue
            if options.command == "list":
                values = mutation.values
                print("|".join([mutation.name] + [values.get(key, "") for key in KEYS] + [mutation.about]))
                continue
            for path, text in changed_files(options.root, mutation).items():
                path.write_text(text)
                print(path.relative_to(options.root))
    except Unfit as unfit:
        print(unfit, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
