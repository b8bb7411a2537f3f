#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cost of one `logging` call: a NullHandler, shmring.Handler, and OpenTelemetry's processors behind a handler that builds their record.
The rows take turns, in batches; of the batches the one at the first decile is shown, since what else the machine does only adds.

usage: log_call.py [--calls N] [--batches N] [--json]
"""

import argparse
import json
import logging
import os
import tempfile
import time

import shmring


def opentelemetry_handler(processor):
    """As OpenTelemetry's handlers do it: one LogRecord of theirs for each of `logging`."""
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider

    provider = LoggerProvider()
    provider.add_log_record_processor(processor)

    class Handler(logging.Handler):
        def emit(self, record):
            provider.get_logger(record.name).emit(LogRecord(
                timestamp=int(record.created * 1e9), observed_timestamp=time.time_ns(), severity_number=SeverityNumber.WARN,
                severity_text=record.levelname, body=record.getMessage(),
                attributes={"code.file.path": record.pathname, "code.function.name": record.funcName, "code.line.number": record.lineno}))

    return Handler()


def rows(ring):
    yield "NullHandler", logging.NullHandler()
    yield "shmring.Handler", shmring.Handler(ring)
    try:
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter

        from shmring.opentelemetry import ShmRingLogRecordProcessor
    except ImportError:
        return
    yield "OpenTelemetry, ShmRingLogRecordProcessor", opentelemetry_handler(ShmRingLogRecordProcessor(ring))

    class Nowhere(InMemoryLogRecordExporter):
        def export(self, batch):
            pass

    yield "OpenTelemetry, BatchLogRecordProcessor to nowhere", opentelemetry_handler(BatchLogRecordProcessor(Nowhere(), max_queue_size=1 << 20))


def batch(logger, calls):
    begin = time.perf_counter_ns()
    for number in range(calls):
        logger.warning("order %d placed", number)
    return (time.perf_counter_ns() - begin) / calls


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--batches", type=int, default=41)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        ring = shmring.open(os.path.join(folder, "bench.ring"), capacity_bytes=256 << 20)
        loggers = {}
        for name, handler in rows(ring):
            loggers[name] = logging.Logger("checkout")
            loggers[name].addHandler(handler)
        costs = {name: [] for name in loggers}
        for _ in range(options.batches):
            for name, logger in loggers.items():
                costs[name].append(batch(logger, options.calls))
        assert not any(ring.drops().values()), "the ring was too small for this many calls"
    shown = {name: sorted(found)[len(found) // 10] for name, found in costs.items()}
    if options.json:
        print(json.dumps(shown))
        return
    print("| handler | one call | more than NullHandler |\n|---|---|---|")
    for name, cost in shown.items():
        print(f"| {name} | {cost / 1e3:.2f} us | {(cost - shown['NullHandler']) / 1e3:.2f} us |")


if __name__ == "__main__":
    main()
