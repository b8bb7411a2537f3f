#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the README's table from a result file of scripts/bench.sh.

Without --readme the table is printed. With it, what stands between these two lines of the file is replaced:

    <!-- bench:begin -->
    <!-- bench:end -->

--check changes nothing and exits 1 when the file says something else than the result.
"""

import argparse
import json
import pathlib
import statistics
import sys

BEGIN = "<!-- bench:begin -->"
END = "<!-- bench:end -->"
RESULTS = pathlib.Path(__file__).resolve().parents[1] / "bench" / "results"
CLOCK = "clock_gettime"


class Problem(Exception):
    """Says to a person what is wrong with a file."""


def figure(value):
    """As many digits as there is sense in."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def clock_ns(result):
    for row in result["rows"]:
        if row["name"].split("/")[0] == CLOCK:
            return statistics.median(row["ns"])
    return None


def row_line(row, clock):
    ns = statistics.median(row["ns"])
    ratio = f"{ns / clock:.2f}" if clock else "-"
    millions = statistics.median(row["records_per_second"]) / 1e6
    return f"| {row['label']} | {figure(ns)} | {figure(min(row['ns']))} | {ratio} | {figure(millions)} |"


def table(result):
    clock = clock_ns(result)
    repetitions = len(result["rows"][0]["ns"])
    lines = [
        f"Measured on {result['date']}: {result['machine']}, {result['mhz'] / 1000:.1f} GHz, Linux {result['kernel']}, "
        f"{result['compiler']}, {result['build_type']}, commit {result['commit']}; `{result['command']}`, "
        f"{repetitions} repetitions mixed at random.",
        "",
    ]
    if result["busy_percent"] > 10:
        lines += [f"**Others used {result['busy_percent']} % of the machine: take the column \"lowest\".**", ""]
    lines += [
        "| | ns, median | lowest | median / clock | million/s |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [row_line(row, clock) for row in result["rows"]]
    instructions = result.get("instructions_per_log_record")
    if instructions:
        lines += ["", f"A log record takes {instructions} instructions, those of the clock left out (callgrind)."]
    return "\n".join(lines) + "\n"


def with_table(text, new):
    """The text with the table between its markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise Problem(f"wants the lines {BEGIN} and {END}, once each and in this order")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{new}{END}{rest.split(END)[1]}"


def latest():
    results = sorted(RESULTS.glob("*.json"))
    if not results:
        raise Problem("no result in bench/results: run scripts/bench.sh")
    return results[-1]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", nargs="?", type=pathlib.Path, help="default: the latest in bench/results")
    parser.add_argument("--readme", type=pathlib.Path, help="the file to put the table into")
    parser.add_argument("--check", action="store_true", help="only compare; with --readme")
    options = parser.parse_args(arguments)
    if options.check and not options.readme:
        parser.error("--check wants --readme")
    try:
        path = options.result or latest()
        new = table(json.loads(path.read_text(encoding="utf-8")))
        if not options.readme:
            sys.stdout.write(new)
            return 0
        old = options.readme.read_text(encoding="utf-8")
        try:
            text = with_table(old, new)
        except Problem as problem:
            raise Problem(f"{options.readme} {problem}") from problem
        if options.check and text != old:
            raise Problem(f"{options.readme} is not what {path.name} says: scripts/bench_table.py --readme README.md")
        if not options.check:
            options.readme.write_text(text, encoding="utf-8")
    except (Problem, OSError) as problem:
        print(f"bench_table.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
