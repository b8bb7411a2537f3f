# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry SDK for Python with its batch processor and its OTLP/HTTP exporter: emits the sample log record so many times and
prints how many, seconds, CPU seconds of the process, CPU seconds of the thread that emits. For shmring-throughput-bench."""

import sys
import time

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

from otel_sdk import BATCH, QUEUE, REQUESTS, RESOURCE


def emit(provider, logger, records):
    """CPU seconds of emitting."""
    cpu = 0.0
    for first in range(0, records, BATCH):
        before = time.thread_time()
        for i in range(first, min(first + BATCH, records)):
            request = REQUESTS[i % 64]
            now = time.time_ns()
            logger.emit(LogRecord(timestamp=now, observed_timestamp=now, context=request["context"],
                                  severity_number=SeverityNumber.INFO, body=request["body"], attributes=request["attributes"]))
        cpu += time.thread_time() - before
        provider.force_flush()
    return cpu


def main(records):
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(), **QUEUE))
    logger = provider.get_logger("shop.orders", "1.4.0")
    emit(provider, logger, BATCH)  # connects
    begin, cpu_before = time.perf_counter(), time.process_time()
    emitting = emit(provider, logger, records)
    cpu = time.process_time() - cpu_before
    print(records, f"{time.perf_counter() - begin:.6f} {cpu:.6f} {emitting:.6f}")
    provider.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
