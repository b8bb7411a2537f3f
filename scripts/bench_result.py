#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes one result file of what the programs of bench/ wrote, and says how it came about.

Every round of every program of the harness is a file {"rows": [...]} (bench/harness/result_json.hpp). Rounds of the same
row are put together. Of the latencies the quantiles stay, and a coarser histogram of the rows that the chart shows.
shmring-drain-bench writes Google Benchmark's JSON; its rows are taken over with --drain.
"""

import argparse
import bisect
import json
import math
import os
import re
import sys

# Rows whose histogram is kept, for the chart: our log records, and what a reader will want to see beside them.
# No more than the chart has colours.
DISTRIBUTIONS = re.compile("(emit_log_site_tsc|emit_log|emit_log_drained|emit_log_first_touch|nothing|clock_memcpy|lttng_ust|spdlog_async|"
                           "quill|otel_cpp_batch_log|otel_rust_batch_log)$")
QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
PER_OCTAVE = 8  # buckets of a kept histogram


# Rows of shmring-drain-bench, pipeline/WHAT/NUMBER, in words.
DRAIN = {"records": "log records of one thread: {:,}", "live_writers": "log records, threads that live: {:,}",
         "dead_writers": "log records, processes that are gone: {:,}", "scopes": "log records, scopes mixed: {:,}",
         "body_bytes": "log records, bytes of the body: {:,}"}


class Problem(Exception):
    """Says to a person what is wrong with the files."""


def key_of(row):
    return row["name"], row["producers"]


def merged(rounds):
    """All rounds' rows, each once, in the order in which they first come. A row that some round skipped is skipped."""
    rows = {}
    for round_ in rounds:
        for row in round_["rows"]:
            known = rows.setdefault(key_of(row), {**row, "ns": [], "latency": {}})
            if "skipped" in row:
                known["skipped"] = row["skipped"]
                continue
            known["ns"] += row["ns"]
            for upper, count in row.get("latency", []):
                known["latency"][upper] = known["latency"].get(upper, 0) + count
    if not any(row["ns"] for row in rows.values()):
        raise Problem("nothing was measured")
    return list(rows.values())


def quantiles(buckets):
    """Of sorted [(upper, count), ...]."""
    sums, total = [], 0
    for _, count in buckets:
        total += count
        sums.append(total)
    found = {name: buckets[bisect.bisect_left(sums, share * total)][0] for name, share in QUANTILES.items()}
    return {**found, "max": buckets[-1][0], "operations": total}


def coarse(buckets):
    """The same, with PER_OCTAVE buckets to each doubling."""
    counts = {}
    for upper, count in buckets:
        step = math.ceil(math.log2(max(upper, 1)) * PER_OCTAVE - 1e-9)
        counts[step] = counts.get(step, 0) + count
    return [[round(2 ** (step / PER_OCTAVE), 1), count] for step, count in sorted(counts.items())]


def finished(row, instructions):
    """A row as the result file has it."""
    kept = {name: row[name] for name in ("name", "label", "record", "group", "producers")}
    if "skipped" in row:
        return {**kept, "skipped": row["skipped"]}
    kept["ns"] = row["ns"]
    if row["latency"]:
        kept["latency"] = quantiles(sorted(row["latency"].items()))
    if row["producers"] == 1 and row["name"] in instructions:
        kept["instructions"] = instructions[row["name"]]
    return kept


def histograms(rows):
    return [{"name": row["name"], "label": row["label"], "unit": "ns", "buckets": coarse(sorted(row["latency"].items()))}
            for row in rows if row["producers"] == 1 and DISTRIBUTIONS.match(row["name"]) and row["latency"]]


def drain_label(name):
    what, _, number = name.removeprefix("pipeline/").partition("/")
    return DRAIN[what].format(int(number)) if what in DRAIN else name


def drain_rows(raw):
    """One row per benchmark of shmring-drain-bench."""
    rows = {}
    for run in raw["benchmarks"]:
        if run.get("error_occurred"):
            raise Problem(f"{run['name']}: {run.get('error_message', 'failed')}")
        if run["run_type"] != "iteration" or "ns" not in run:
            continue
        name = run["run_name"].removesuffix("/manual_time")
        row = rows.setdefault(name, {"name": name, "label": drain_label(name), "record": "", "group": "flusher", "producers": 1, "ns": []})
        row["ns"].append(round(run["ns"], 3))
    return list(rows.values())


def counted(text):
    """Instructions of an operation, from lines `row few-operations their-count many-operations their-count`."""
    found = {}
    for line in text.splitlines():
        name, few, of_few, many, of_many = line.split()
        found[name] = round((int(of_many) - int(of_few)) / (int(many) - int(few)))
    return found


def result(rounds, how, instructions=None, drain=None):
    context = next((round_["context"] for round_ in rounds if "context" in round_), {"cores": os.cpu_count()})
    rows = merged(rounds)
    return {**how, **context, "rows": [finished(row, instructions or {}) for row in rows] + (drain_rows(drain) if drain else []),
            "histograms": histograms(rows)}


def to_text(value):
    """Indented, but a row on one line."""
    lists = ("rows", "histograms")
    head = json.dumps({key: part for key, part in value.items() if key not in lists}, indent=2)[:-2]
    parts = (f'  "{name}": [\n' + ",\n".join("    " + json.dumps(row) for row in value[name]) + "\n  ]" for name in lists)
    return f"{head},\n" + ",\n".join(parts) + "\n}\n"


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", nargs="+", help="JSON of the harness's programs")
    for name in ("date", "machine", "kernel", "commit", "command"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--mhz", type=int, help="of the processor")
    parser.add_argument("--busy-percent", type=int, required=True, help="what others used of the machine just before")
    parser.add_argument("--instructions", help="what valgrind counted: a file of lines as counted() wants them")
    parser.add_argument("--drain", help="JSON of Google Benchmark, from shmring-drain-bench")
    how = vars(parser.parse_args(arguments))
    files = {name: how.pop(name) for name in ("rounds", "instructions", "drain")}
    how = {key: value for key, value in how.items() if value is not None}
    try:
        instructions = {}
        if files["instructions"]:
            with open(files["instructions"], encoding="utf-8") as file:
                instructions = counted(file.read())
        sys.stdout.write(to_text(result([read(path) for path in files["rounds"]], how, instructions,
                                        read(files["drain"]) if files["drain"] else None)))
    except (Problem, OSError, ValueError) as problem:
        print(f"bench_result.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
