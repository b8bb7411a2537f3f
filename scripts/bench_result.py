#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a result file from what shmring-bench wrote: every repetition's figures, and how they came about.

Host name and paths, which the benchmark library puts into its output, are left out.
"""

import argparse
import json
import sys


def rows(raw):
    """One row per benchmark, in the order in which the program registered them."""
    by_name = {}
    for run in raw["benchmarks"]:
        if run.get("error_occurred"):
            raise ValueError(f"{run['name']}: {run.get('error_message', 'failed')}")
        if run["run_type"] != "iteration":
            continue
        row = by_name.setdefault(run["run_name"], {
            "name": run["run_name"].replace("/manual_time", ""),
            "label": run["label"],
            "threads": run["threads"],
            "ns": [],
            "records_per_second": [],
            "order": (run["family_index"], run["per_family_instance_index"]),
        })
        row["ns"].append(round(run["ns"], 3))
        row["records_per_second"].append(round(run["items_per_second"]))
    if not by_name:
        raise ValueError("no benchmark has run")
    ordered = sorted(by_name.values(), key=lambda row: row["order"])
    return [{key: value for key, value in row.items() if key != "order"} for row in ordered]


def result(raw, how):
    context = raw["context"]
    return {
        **how,
        "cores": context["num_cpus"],
        "mhz": context["mhz_per_cpu"],
        "version": context["shmring_version"],
        "compiler": context["compiler"],
        "build_type": context["shmring_build_type"],
        "rows": rows(raw),
    }


def to_text(value):
    """Indented, but a row's figures on one line."""
    table = value.pop("rows")
    head = json.dumps(value, indent=2)[:-2]
    lines = ",\n".join("    " + json.dumps(row) for row in table)
    return f'{head},\n  "rows": [\n{lines}\n  ]\n}}\n'


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", help="JSON of Google Benchmark, from shmring-bench")
    for name in ("date", "machine", "kernel", "commit", "command"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--busy-percent", type=int, required=True, help="what others used of the machine just before")
    parser.add_argument("--instructions-per-log-record", type=int)
    how = vars(parser.parse_args(arguments))
    with open(how.pop("raw"), encoding="utf-8") as file:
        raw = json.load(file)
    how = {key: value for key, value in how.items() if value is not None}
    try:
        sys.stdout.write(to_text(result(raw, how)))
    except ValueError as error:
        print(f"bench_result.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
