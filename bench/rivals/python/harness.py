# SPDX-License-Identifier: Apache-2.0
"""bench/harness for Python: the same command line, the same way of measuring, the same JSON; one producer.

A subject has `batch` (operations between two drains), `push(i)` and `drain(pushed)`, which returns how many were found.
"""

import argparse
import json
import random
import re
import statistics
import sys
import time

UNCOUNTED = 1  # batches at the begin of a visit


class Broken(Exception):
    """A row lost records."""


def one_batch(subject, first):
    push = subject.push
    begin = time.perf_counter_ns()
    for i in range(first, first + subject.batch):
        push(i)
    return time.perf_counter_ns() - begin


def stamped_batch(subject, first, latencies):
    push, now = subject.push, time.perf_counter_ns
    begin = now()
    for i in range(first, first + subject.batch):
        before = now()
        push(i)
        latencies.append(now() - before)
    return now() - begin


def visit(subject, at_least_ms, run_batch):
    """The median batch's nanoseconds of an operation. `run_batch(subject, first, is_counted)`."""
    of_batches, elapsed, number = [], 0, 0
    while elapsed < at_least_ms * 1e6 or not of_batches:
        took = run_batch(subject, number * subject.batch, number >= UNCOUNTED)
        if subject.drain(subject.batch) != subject.batch:
            raise Broken("records were refused or lost")
        if number >= UNCOUNTED:
            of_batches.append(took / subject.batch)
            elapsed += took
        number += 1
    return statistics.median_high(of_batches)


def histogram(latencies):
    """[[nanoseconds at most, how often], ...], as fine as the harness's: 32 buckets to each doubling."""
    counts = {}
    for value in latencies:
        shift = max(value.bit_length() - 6, 0)
        upper = ((value >> shift) + 1 << shift) - 1
        counts[upper] = counts.get(upper, 0) + 1
    largest = max(latencies, default=0)
    return [[float(min(upper, largest)), count] for upper, count in sorted(counts.items())]


def measure(rows, options):
    for _ in range(options.repetitions):
        for row in random.sample(rows, len(rows)):
            row["ns"].append(round(visit(row["subject"], options.visit_ms, lambda s, first, _: one_batch(s, first)), 3))
            if options.stamped_ms == 0:
                continue

            def stamped(subject, first, is_counted, kept=row["latencies"]):
                return stamped_batch(subject, first, kept if is_counted else [])
            visit(row["subject"], options.stamped_ms, stamped)
    return [{"name": row["name"], "label": row["label"], "record": row["record"], "group": "rival", "producers": 1,
             "ns": row["ns"], "latency": histogram(row["latencies"])} for row in rows]


def main(rows):
    """`rows`: dicts of name, label, record and make(), which makes the subject."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--filter", default="")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--visit-ms", type=int, default=10)
    parser.add_argument("--stamped-ms", type=int, default=10)
    options = parser.parse_args()
    chosen = [{**row, "subject": row["make"](), "ns": [], "latencies": []} for row in rows
              if re.search(options.filter, row["name"])]
    try:
        print(json.dumps({"rows": measure(chosen, options)}))
    except Broken as error:
        print(f"bench/rivals/python: {error}", file=sys.stderr)
        return 1
    return 0
