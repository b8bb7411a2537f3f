# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry SDK for Python, batch and simple processors, with an exporter that only counts. The record is the one of
bench/sample_records.hpp, as programs make it; nothing of it is encoded here, which the SDK does in its export thread."""

import time

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult,
                                            SimpleLogRecordProcessor)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

import harness

BATCH = 2048
# Twice what is pushed between two drains, so that nothing is dropped; all else is the SDK's default.
QUEUE = {"max_queue_size": 2 * BATCH}
RESOURCE = Resource({"service.name": "shop"})
CUSTOMERS = ("Ada Lovelace", "Grace Hopper", "Donald Knuth", "Ken Thompson")
ROUTES = ("/api/v1/orders/{id}", "/api/v2/orders/{id}")
BODIES = ("order placed; payment authorised, waiting for the warehouse now.",
          "order refused: the card has expired, the customer is informed.  ")


def parent_context(number):
    span = SpanContext(int.from_bytes(bytes([0x40 + number]) * 16, "big"), int.from_bytes(bytes([0x80 + number]) * 8, "big"),
                       is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(span))


REQUESTS = [{"body": BODIES[i % 2], "context": parent_context(i),
             "attributes": {"order.id": 1_000_000_000 + i, "customer.name": CUSTOMERS[i % 4], "http.route": ROUTES[i // 2 % 2]}}
            for i in range(64)]


class LogCounter(LogRecordExporter):
    def __init__(self):
        self.count = 0

    def export(self, batch):
        self.count += len(batch)
        return LogRecordExportResult.SUCCESS

    def shutdown(self):
        pass

    def force_flush(self, timeout_millis=30000):
        return True


class SpanCounter(SpanExporter):
    def __init__(self):
        self.count = 0

    def export(self, spans):
        self.count += len(spans)
        return SpanExportResult.SUCCESS


class Subject:
    batch = BATCH

    def drain(self, pushed):
        self.provider.force_flush()
        count, self.exporter.count = self.exporter.count, 0
        return count


class Logs(Subject):
    def __init__(self, processor):
        self.exporter = LogCounter()
        self.provider = LoggerProvider(resource=RESOURCE)
        self.provider.add_log_record_processor(processor(self.exporter))
        self.logger = self.provider.get_logger("shop.orders", "1.4.0")

    def push(self, i):
        request = REQUESTS[i % 64]
        now = time.time_ns()
        self.logger.emit(LogRecord(timestamp=now, observed_timestamp=now, context=request["context"],
                                   severity_number=SeverityNumber.INFO, body=request["body"], attributes=request["attributes"]))


class Spans(Subject):
    def __init__(self, processor):
        self.exporter = SpanCounter()
        self.provider = TracerProvider(resource=RESOURCE)
        self.provider.add_span_processor(processor(self.exporter))
        self.tracer = self.provider.get_tracer("shop.orders", "1.4.0")

    def push(self, i):
        request = REQUESTS[i % 64]
        span = self.tracer.start_span("POST /api/v1/orders/{id}", context=request["context"], kind=SpanKind.SERVER,
                                      attributes=request["attributes"])
        span.set_attribute("server.address", "localhost")
        span.end()


QUEUED = "objects in the process, not encoded; all in the queue lost with it"
HANDED_ON = "an object handed to an exporter that does nothing, not encoded"
ROWS = [
    {"name": "otel_python_batch_log", "label": "OpenTelemetry Python, BatchLogRecordProcessor", "record": QUEUED,
     "make": lambda: Logs(lambda exporter: BatchLogRecordProcessor(exporter, **QUEUE))},
    {"name": "otel_python_simple_log", "label": "OpenTelemetry Python, SimpleLogRecordProcessor",
     "record": HANDED_ON, "make": lambda: Logs(SimpleLogRecordProcessor)},
    {"name": "otel_python_batch_span", "label": "OpenTelemetry Python, BatchSpanProcessor", "record": QUEUED,
     "make": lambda: Spans(lambda exporter: BatchSpanProcessor(exporter, **QUEUE))},
    {"name": "otel_python_simple_span", "label": "OpenTelemetry Python, SimpleSpanProcessor",
     "record": HANDED_ON, "make": lambda: Spans(SimpleSpanProcessor)},
]

if __name__ == "__main__":
    raise SystemExit(harness.main(ROWS))
