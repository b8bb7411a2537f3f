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
# Ends of names: the results of shmring-process-bench and shmring-block-bench stand beside the one of the same run.
PROCESSES = "-processes.json"
BLOCKS = "-blocks.json"
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


def block_cost_table(blocks, name):
    """One operation over block size, by capacity: drained often / late."""
    rows = blocks["rows"]
    often, late = (bench_charts.by_capacity(rows, name, drained) for drained in bench_charts.DRAINED)
    label = next(row["label"] for row in rows if row["name"] == name)
    lines = [f"| {label}: ns in blocks of | " + " | ".join(f"{capacity >> 20} MiB" for capacity in often) + " |",
             "|---:|" + "---:|" * len(often)]
    for size in sorted({row["block_bytes"] for row in rows}):
        cells = [f"{figure(often[capacity][size])} / {figure(late[capacity][size])}" if size in often[capacity] else "-" for capacity in often]
        lines.append(f"| {size >> 10} KiB | " + " | ".join(cells) + " |")
    return [*lines, ""]


def held_cell(block):
    if block is None:
        return "-"
    held, refused = block["blocks_of_sleepers"], block["refused_of_sleepers"]
    share = 100 * held * block["block_bytes"] / block["capacity_bytes"]
    return f"{held}, {share:.1f} %" + (f" ({refused} refused)" if refused else "")


def room_table(blocks):
    """What a full block has in it, and how much of each ring sleeping threads hold."""
    capacities = sorted({block["capacity_bytes"] for block in blocks["blocks"]})
    by_shape = {(block["block_bytes"], block["capacity_bytes"]): block for block in blocks["blocks"]}
    threads = blocks["blocks"][0]["sleepers"]
    lines = [f"{threads} threads emitted one record each and sleep; then all is drained. Blocks that they still hold, by capacity, and records that "
             "found no free block:", "",
             "| block | log records in it | context | unused at its end | " + " | ".join(f"{capacity >> 20} MiB" for capacity in capacities) + " |",
             "|---:|---:|---:|---:|" + "---:|" * len(capacities)]
    for size in sorted({size for size, _ in by_shape}):
        one = next(block for (block_bytes, _), block in by_shape.items() if block_bytes == size)
        cells = [f"{size >> 10} KiB", f"{one['records']:,}"]
        cells += [f"{one[part]:,} bytes, {100 * one[part] / size:.1f} %" for part in ("context_bytes", "unused_bytes")]
        for capacity in capacities:
            cells.append(held_cell(by_shape.get((size, capacity))))
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def block_tables(blocks):
    """What shmring-block-bench wrote."""
    if not blocks:
        return []
    lines = ["Block size over capacity: drained whenever a quarter of the ring is full / only when three quarters are. Claims are included.", ""]
    for name in dict.fromkeys(row["name"] for row in blocks["rows"]):
        lines += block_cost_table(blocks, name)
    return lines + room_table(blocks)


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


def full(result, processes, blocks=None, charts=()):
    lines = head(result) + charts_of(charts, "") + cost_tables(result) + flusher_table(result) + processes_table(processes)
    lines += block_tables(blocks)
    return "\n".join([*lines, FOOT.rstrip()]) + "\n"


def with_table(text, new):
    """The text with the table between its markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise Problem(f"wants the lines {BEGIN} and {END}, once each and in this order")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{new}{END}{rest.split(END)[1]}"


def latest():
    results = [path for path in sorted(RESULTS.glob("*.json")) if not path.name.endswith((PROCESSES, BLOCKS))]
    if not results:
        raise Problem("no result in bench/results: run scripts/bench.sh")
    return results[-1]


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_beside(path, end):
    other = path.with_name(path.stem + end)
    return read(other) if other.exists() else None


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
        result, (processes, blocks) = read(path), (read_beside(path, end) for end in (PROCESSES, BLOCKS))
        if not options.readme:
            sys.stdout.write(full(result, processes, blocks))
            return 0
        charts = bench_charts.draw(result, processes, blocks)
        old = options.readme.read_text(encoding="utf-8")
        try:
            text = with_table(old, brief(result, charts))
        except Problem as problem:
            raise Problem(f"{options.readme} {problem}") from problem
        put(options.readme, text, old, options.check)
        beside = {f"{name}.svg": svg for name, svg in charts.items()}
        beside["README.md"] = f"# What was measured last\n\nMade by scripts/bench_table.py.\n\n{full(result, processes, blocks, charts)}"
        for name, content in beside.items():
            other = path.with_name(name)
            put(other, content, other.read_text(encoding="utf-8") if other.exists() else "", options.check)
    except (Problem, OSError) as problem:
        print(f"bench_table.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
