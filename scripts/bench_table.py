#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tables and charts from a result file of scripts/bench.sh.

Without options all tables are printed. With --readme, what stands between these two lines of the file is replaced by the charts and
the tables that most readers want:

    <!-- bench:begin -->
    <!-- bench:end -->

and beside the result the charts are drawn and README.md is written, which has everything. --check changes nothing and exits 1 when
any of them says something else than the result.
"""

import argparse
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench_charts  # noqa: E402

BEGIN = "<!-- bench:begin -->"
END = "<!-- bench:end -->"
ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PROCESSES = "-processes.json"  # the end of the name of shmring-process-bench's result, which stands beside the other one
DENOMINATOR = "clock_memcpy"
# Of the flusher, in the README: one size, one number of writers, many writers.
FLUSHER_IN_BRIEF = ("pipeline/records/100000", "pipeline/records/1000000", "pipeline/live_writers/1000")


class Problem(Exception):
    """Says to a person what is wrong with a file."""


def figure(value):
    """As many digits as there is sense in."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def denominator(result):
    for row in result["rows"]:
        if row["name"] == DENOMINATOR and row["producers"] == 1 and "ns" in row:
            return statistics.median(row["ns"])
    return None


def head(result):
    repetitions = max(len(row["ns"]) for row in result["rows"] if "ns" in row)
    ghz = f", {result['mhz'] / 1000:.1f} GHz" if "mhz" in result else ""
    compiler = f"{result['compiler']}, {result['build_type']}, " if "compiler" in result else ""  # none: no row of C++
    lines = [
        f"Measured on {result['date']}: {result['machine']}{ghz}, Linux {result['kernel']}, {compiler}commit "
        f"{result['commit']}; `{result['command']}`, {repetitions} visits of each row, all mixed at random.", ""]
    if result["busy_percent"] > 10:
        lines += [f"**Others used {result['busy_percent']} % of the machine: take the column \"lowest\".**", ""]
    return lines


def cost_line(row, base):
    if "skipped" in row:
        return f"| {row['label']} | not measured: {row['skipped']} | | | | | | |"
    ns = statistics.median(row["ns"])
    latency = row.get("latency")
    cells = [row["label"], figure(ns), figure(min(row["ns"])), f"{ns / base:.2f}" if base else "-"]
    cells += [figure(latency["p99"]), figure(latency["p99.9"])] if latency else ["-", "-"]
    cells += [str(row.get("instructions", "-")), row["record"]]
    return "| " + " | ".join(cells) + " |"


def cost_table(result, group, title):
    rows = [row for row in result["rows"] if row["group"] == group and row["producers"] == 1]
    if not rows:
        return []
    base = denominator(result)
    return [f"| {title} | ns, median | lowest | / (clock + memcpy) | p99 | p99.9 | instructions | what becomes of the record |",
            "|---|---:|---:|---:|---:|---:|---:|---|", *(cost_line(row, base) for row in rows), ""]


def producers_table(result):
    """Rows that were measured with several producers; nanoseconds of a record, the median."""
    counts = sorted({row["producers"] for row in result["rows"]})
    names = [row["name"] for row in result["rows"] if row["producers"] == 2 and "ns" in row]
    if not names:
        return []
    by_key = {(row["name"], row["producers"]): row for row in result["rows"] if "ns" in row}
    lines = ["| producers at once | " + " | ".join(map(str, counts)) + " | 2 / 1 |", "|---|" + "---:|" * (len(counts) + 1)]
    for name in names:
        medians = {count: statistics.median(by_key[name, count]["ns"]) for count in counts if (name, count) in by_key}
        cells = [by_key[name, 2]["label"]] + [figure(medians[count]) if count in medians else "" for count in counts]
        cells.append(f"{medians[2] / medians[1]:.2f}" if 1 in medians else "-")
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def flusher_table(result, names=None):
    rows = [row for row in result["rows"] if row["group"] == "flusher" and (names is None or row["name"] in names)]
    if not rows:
        return []
    lines = ["| the flusher, from ring to finished request, one core | ns of a record, median | lowest | million/s |",
             "|---|---:|---:|---:|"]
    for row in rows:
        ns = statistics.median(row["ns"])
        lines.append(f"| {row['label']} | {figure(ns)} | {figure(min(row['ns']))} | {1000 / ns:.2f} |")
    return [*lines, ""]


def processes_table(processes):
    """What shmring-process-bench wrote: rows of part, name, unit and any values."""
    if not processes:
        return []
    lines = ["| threads by the hundred, short-lived processes | unit | |", "|---|---|---|"]
    for row in processes["rows"]:
        values = ", ".join(f"{name} {figure(value)}" for name, value in row["values"].items())
        lines.append(f"| {row['part']}: {row['name']} | {row['unit']} | {values} |")
    return [*lines, ""]


def charts_of(names, folder):
    return [f"![{bench_charts.ALT[name]}]({folder}{name}.svg)\n" for name in bench_charts.ALT if name in names]


def cost_tables(result):
    return (cost_table(result, "shmring", "shmring") + cost_table(result, "rival", "rivals") +
            cost_table(result, "floor", "the machine itself") + producers_table(result))


FOOT = ("One producer unless the table says otherwise; p99 and p99.9 are of single operations and include the time stamps' own cost (last row "
        "of the machine); callgrind counts instructions, and none for the clock, which is a system call there. ")


def brief(result, charts=()):
    """For the README."""
    lines = head(result) + charts_of(charts, "bench/results/") + cost_tables(result) + flusher_table(result, FLUSHER_IN_BRIEF)
    return "\n".join([*lines, FOOT + "[bench/README.md](bench/README.md) says how all of it is measured, "
                      "[bench/results](bench/results/README.md) has the other figures."]) + "\n"


def full(result, processes, charts=()):
    lines = head(result) + charts_of(charts, "") + cost_tables(result) + flusher_table(result) + processes_table(processes)
    return "\n".join([*lines, FOOT.rstrip()]) + "\n"


def with_table(text, new):
    """The text with the table between its markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise Problem(f"wants the lines {BEGIN} and {END}, once each and in this order")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{new}{END}{rest.split(END)[1]}"


def latest():
    results = [path for path in sorted(RESULTS.glob("*.json")) if not path.name.endswith(PROCESSES)]
    if not results:
        raise Problem("no result in bench/results: run scripts/bench.sh")
    return results[-1]


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def put(path, new, old, is_check):
    if is_check and new != old:
        raise Problem(f"{path} is not what the result says: scripts/bench_table.py --readme README.md")
    if new != old:
        path.write_text(new, encoding="utf-8")


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", nargs="?", type=pathlib.Path, help="default: the latest in bench/results")
    parser.add_argument("--readme", type=pathlib.Path, help="the file to put the tables into")
    parser.add_argument("--check", action="store_true", help="only compare; with --readme")
    options = parser.parse_args(arguments)
    if options.check and not options.readme:
        parser.error("--check wants --readme")
    try:
        path = options.result or latest()
        of_processes = path.with_name(path.stem + PROCESSES)
        result, processes = read(path), read(of_processes) if of_processes.exists() else None
        if not options.readme:
            sys.stdout.write(full(result, processes))
            return 0
        charts = bench_charts.draw(result, processes)
        old = options.readme.read_text(encoding="utf-8")
        try:
            text = with_table(old, brief(result, charts))
        except Problem as problem:
            raise Problem(f"{options.readme} {problem}") from problem
        put(options.readme, text, old, options.check)
        beside = {f"{name}.svg": svg for name, svg in charts.items()}
        beside["README.md"] = f"# What was measured last\n\nMade by scripts/bench_table.py.\n\n{full(result, processes, charts)}"
        for name, content in beside.items():
            other = path.with_name(name)
            put(other, content, other.read_text(encoding="utf-8") if other.exists() else "", options.check)
    except (Problem, OSError) as problem:
        print(f"bench_table.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
