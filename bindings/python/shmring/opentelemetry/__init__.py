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
from ._traces import ShmRingSpanExporter, ShmRingSpanProcessor

__all__ = [
    "ShmRingLogExporter",
    "ShmRingLogRecordProcessor",
    "ShmRingMetricExporter",
    "ShmRingSpanExporter",
    "ShmRingSpanProcessor",
    "add_processors",
]


def __getattr__(name):
    # The SDK's metrics are loaded for those who use them: a worker that lives for one task starts sooner.
    if name == "ShmRingMetricExporter":
        from ._metrics import ShmRingMetricExporter

        return ShmRingMetricExporter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def add_processors(ring=None, *, tracer_provider=None, logger_provider=None, **options):
    """Adds the processors to these providers; without any, to those that the program has set: both, or the one that is the SDK's."""
    from opentelemetry import _logs, trace

    if tracer_provider is None and logger_provider is None:
        tracers, loggers = trace.get_tracer_provider(), _logs.get_logger_provider()
        tracers = tracers if hasattr(tracers, "add_span_processor") else None
        loggers = loggers if hasattr(loggers, "add_log_record_processor") else None
        if tracers is None and loggers is None:
            raise TypeError("no provider takes processors: set the SDK's providers before add_processors(), or give them to it")
    else:
        tracers, loggers = tracer_provider, logger_provider
        for provider, method in ((tracers, "add_span_processor"), (loggers, "add_log_record_processor")):
            if provider is not None and not hasattr(provider, method):
                raise TypeError(f"{provider!r} takes no processors: it is not one of the SDK's")
    if tracers is not None:
        tracers.add_span_processor(ShmRingSpanProcessor(ring, **options))
    if loggers is not None:
        loggers.add_log_record_processor(ShmRingLogRecordProcessor(ring, **options))
