# SPDX-License-Identifier: Apache-2.0
"""Spans of OpenTelemetry's SDK."""

import logging

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ._writer import Writer

_log = logging.getLogger(__name__)


def _ids(context):
    return context.trace_id, context.span_id, int(context.trace_flags)


def _state(context):
    return context.trace_state.to_header() if context.trace_state else None


def _dropped(thing):
    return getattr(thing, "dropped_attributes", 0) or 0


def write_span(writer, span):
    """True: committed; False: dropped."""
    if writer.open(span.resource) is None:
        return False
    context, parent, status = span.get_span_context(), span.parent, span.status
    return writer.tracer(span.instrumentation_scope).emit(
        span.name,
        _ids(context),
        span.start_time,
        span.end_time,
        span.attributes,
        kind=span.kind.value + 1,  # OTLP's begin with `unspecified`
        trace_state=_state(context),
        parent_span_id=parent.span_id if parent else None,
        parent_is_remote=bool(parent and parent.is_remote),
        events=[(each.name, each.timestamp, each.attributes, _dropped(each)) for each in span.events],
        links=[(_ids(each.context), each.attributes, _state(each.context), each.context.is_remote, _dropped(each)) for each in span.links],
        status=status.status_code.value,
        status_message=status.description,
        dropped_attributes_count=span.dropped_attributes,
        dropped_events_count=span.dropped_events,
        dropped_links_count=span.dropped_links,
    )


class ShmRingSpanProcessor(SpanProcessor):
    """Commits each sampled span to a ring when it ends.

    Options are those of shmring.open(). A ring that is not open yet in this process gets the resource of the first span.
    """

    def __init__(self, ring=None, **options):
        self._writer = Writer(ring, options)

    def on_end(self, span):
        if not span.context.trace_flags.sampled:
            return
        try:
            write_span(self._writer, span)
        except Exception:
            _log.exception("shmring: a span could not be converted")


class ShmRingSpanExporter(SpanExporter):
    """Writes what the SDK's own processors hand on. What a batch processor has not handed on yet is lost with the process."""

    def __init__(self, ring=None, **options):
        self._writer = Writer(ring, options)

    def export(self, spans):
        written = [write_span(self._writer, each) for each in spans]
        return SpanExportResult.SUCCESS if all(written) else SpanExportResult.FAILURE

    def shutdown(self):
        """Nothing: all that was exported is in the ring."""

    def force_flush(self, timeout_millis=30000):
        return True
