# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry's SDK through a ring.

    from shmring.opentelemetry import add_processors
    add_processors()

gives the program's providers ShmRingLogRecordProcessor and ShmRingSpanProcessor: what is emitted, and what has ended, is in the ring when the call
returns. No thread, and nothing to do at exit or in a forked child.

The exporters (also by OTEL_LOGS_EXPORTER=shmring and its like) are for those whose set-up takes exporters only. The SDK puts
them behind its own batch processor, and what waits in that is lost with the process: prefer the processors.
"""

from ._logs import ShmRingLogExporter, ShmRingLogRecordProcessor
from ._metrics import ShmRingMetricExporter
from ._traces import ShmRingSpanExporter, ShmRingSpanProcessor

__all__ = [
    "ShmRingLogExporter",
    "ShmRingLogRecordProcessor",
    "ShmRingMetricExporter",
    "ShmRingSpanExporter",
    "ShmRingSpanProcessor",
    "add_processors",
]


def add_processors(ring=None, *, tracer_provider=None, logger_provider=None, **options):
    """Adds the processors to these providers, or to the program's."""
    from opentelemetry import _logs, trace

    tracers = tracer_provider or trace.get_tracer_provider()
    loggers = logger_provider or _logs.get_logger_provider()
    for provider, method in ((tracers, "add_span_processor"), (loggers, "add_log_record_processor")):
        if not hasattr(provider, method):
            raise TypeError(f"{provider!r} takes no processors: set the SDK's providers before add_processors(), or give them to it")
    tracers.add_span_processor(ShmRingSpanProcessor(ring, **options))
    loggers.add_log_record_processor(ShmRingLogRecordProcessor(ring, **options))
