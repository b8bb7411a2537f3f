# SPDX-License-Identifier: Apache-2.0
"""Metrics of OpenTelemetry's SDK: one record in the ring for each, or several where its data points are more than a record holds."""

import logging

from opentelemetry.sdk.metrics.export import ExponentialHistogram, Gauge, Histogram, MetricExporter, MetricExportResult, Sum

from .. import _native
from . import _otlp as otlp
from . import _preferences as preferences
from ._writer import Writer

_log = logging.getLogger(__name__)


def _exemplars(field, exemplars):
    return b"".join(
        otlp.message(
            field,
            otlp.fixed64(2, each.time_unix_nano)
            + otlp.double_or_int(3, 6, each.value)
            + (otlp.message(4, each.span_id.to_bytes(8, "big")) if each.span_id is not None and each.trace_id is not None else b"")
            + (otlp.message(5, each.trace_id.to_bytes(16, "big")) if each.span_id is not None and each.trace_id is not None else b"")
            + otlp.attributes(7, each.filtered_attributes),
        )
        for each in exemplars or ()
    )


def _number_point(point):
    return (
        otlp.fixed64(2, point.start_time_unix_nano)
        + otlp.fixed64(3, point.time_unix_nano)
        + otlp.double_or_int(4, 6, point.value)
        + _exemplars(5, point.exemplars)
        + otlp.attributes(7, point.attributes)
    )


def _histogram_point(point):
    return (
        otlp.fixed64(2, point.start_time_unix_nano)
        + otlp.fixed64(3, point.time_unix_nano)
        + otlp.fixed64(4, point.count)
        + otlp.present_double(5, point.sum)
        + otlp.packed_fixed64(6, point.bucket_counts)
        + otlp.packed_doubles(7, point.explicit_bounds)
        + _exemplars(8, point.exemplars)
        + otlp.attributes(9, point.attributes)
        + otlp.present_double(11, point.min)
        + otlp.present_double(12, point.max)
    )


def _buckets(field, buckets):
    if not buckets.bucket_counts:
        return b""
    return otlp.message(field, otlp.signed(1, buckets.offset) + otlp.packed_varints(2, buckets.bucket_counts))


def _exponential_point(point):
    return (
        otlp.attributes(1, point.attributes)
        + otlp.fixed64(2, point.start_time_unix_nano)
        + otlp.fixed64(3, point.time_unix_nano)
        + otlp.fixed64(4, point.count)
        + otlp.present_double(5, point.sum)
        + otlp.signed(6, point.scale)
        + otlp.fixed64(7, point.zero_count)
        + _buckets(8, point.positive)
        + _buckets(9, point.negative)
        + otlp.number(10, point.flags)
        + _exemplars(11, point.exemplars)
        + otlp.present_double(12, point.min)
        + otlp.present_double(13, point.max)
    )


def _kind(data):
    """(field of Metric, how a data point is encoded, what stands beside the data points)"""
    if isinstance(data, Gauge):
        return 5, _number_point, b""
    temporality = otlp.number(2, int(data.aggregation_temporality))
    if isinstance(data, Sum):
        return 7, _number_point, temporality + otlp.number(3, int(data.is_monotonic))
    if isinstance(data, Histogram):
        return 9, _histogram_point, temporality
    if isinstance(data, ExponentialHistogram):
        return 10, _exponential_point, temporality
    raise TypeError(f"{type(data).__name__} is no kind of metric that OTLP has")


def encode_metric(metric, limit):
    """The metric as Metric messages of at most `limit` bytes, as far as its data points can be parted."""
    head = otlp.text(1, metric.name) + otlp.text(2, metric.description) + otlp.text(3, metric.unit)
    field, encode, beside = _kind(metric.data)
    room = limit - len(head) - len(beside) - 16
    points, size, messages = [], 0, []
    for point in metric.data.data_points:
        encoded = otlp.message(1, encode(point))
        if points and size + len(encoded) > room:
            messages.append(head + otlp.message(field, b"".join(points) + beside))
            points, size = [], 0
        points.append(encoded)
        size += len(encoded)
    if points:
        messages.append(head + otlp.message(field, b"".join(points) + beside))
    return messages


class ShmRingMetricExporter(MetricExporter):
    """For a PeriodicExportingMetricReader: commits what it collected to a ring.

    Options are those of shmring.open(). A ring that is not open yet in this process gets the resource of the first metrics. Temporality and the
    aggregation of histograms are those that OTEL_EXPORTER_OTLP_METRICS_* name, and for a kind of instrument that is given here what is given.
    """

    def __init__(self, ring=None, *, preferred_temporality=None, preferred_aggregation=None, **options):
        super().__init__({**preferences.temporality(), **(preferred_temporality or {})},
                         {**preferences.aggregation(), **(preferred_aggregation or {})})
        self._writer = Writer(ring, options)

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        all_written = True
        for of_resource in metrics_data.resource_metrics:
            ring = self._writer.open(of_resource.resource)
            if ring is None:
                return MetricExportResult.FAILURE
            for of_scope in of_resource.scope_metrics:
                scope = self._writer.scope(of_scope.scope)
                for metric in of_scope.metrics:
                    try:
                        messages = encode_metric(metric, ring.max_payload)
                    except Exception:
                        _log.exception("shmring: the metric %r could not be converted", metric.name)
                        all_written = False
                        continue
                    for message in messages:
                        all_written = ring.write(_native.METRIC, scope, message) and all_written
        return MetricExportResult.SUCCESS if all_written else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis=10_000):
        return True

    def shutdown(self, timeout_millis=30_000, **kwargs):
        """Nothing: all that was exported is in the ring."""
