# SPDX-License-Identifier: Apache-2.0
"""Log records of OpenTelemetry's SDK."""

import logging

from opentelemetry.sdk._logs import LogRecordProcessor

try:
    from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
except ImportError:  # an SDK before 1.39
    from opentelemetry.sdk._logs.export import LogExporter as LogRecordExporter
    from opentelemetry.sdk._logs.export import LogExportResult as LogRecordExportResult

from ._writer import Writer

_log = logging.getLogger(__name__)


def write_log(writer, data):
    """True: committed, or not to be recorded; False: dropped. Takes what on_emit() and what export() are given."""
    record = data.log_record
    resource = getattr(data, "resource", None) or getattr(record, "resource", None)
    if writer.open(resource) is None:
        return False
    logger = writer.logger(data.instrumentation_scope)
    severity = getattr(record.severity_number, "value", 0)
    if not logger.enabled(severity):
        return True
    return logger.log(
        severity,
        record.body,
        record.attributes,
        trace=(record.trace_id or 0, record.span_id or 0, int(record.trace_flags or 0)),
        severity_text=record.severity_text,
        event_name=getattr(record, "event_name", None),
        timestamp=record.timestamp,
        observed_timestamp=record.observed_timestamp,
        dropped_attributes_count=getattr(data, "dropped_attributes", 0) or getattr(record, "dropped_attributes", 0),
    )


class ShmRingLogRecordProcessor(LogRecordProcessor):
    """Commits each log record to a ring when it is emitted.

    Options are those of shmring.open(). A ring that is not open yet in this process gets the resource of the first record.
    """

    def __init__(self, ring=None, **options):
        self._writer = Writer(ring, options)

    def on_emit(self, log_record):
        try:
            write_log(self._writer, log_record)
        except Exception:
            _log.exception("shmring: a log record could not be converted")

    emit = on_emit  # its name before 1.35

    def shutdown(self):
        """Nothing: all that was emitted is in the ring."""

    def force_flush(self, timeout_millis=30000):
        return True


class ShmRingLogExporter(LogRecordExporter):
    """Writes what the SDK's own processors hand on. What a batch processor has not handed on yet is lost with the process."""

    def __init__(self, ring=None, **options):
        self._writer = Writer(ring, options)

    def export(self, batch):
        written = [write_log(self._writer, each) for each in batch]
        return LogRecordExportResult.SUCCESS if all(written) else LogRecordExportResult.FAILURE

    def shutdown(self):
        """Nothing: all that was exported is in the ring."""

    def force_flush(self, timeout_millis=30000):
        return True
