# SPDX-License-Identifier: Apache-2.0
"""What OpenTelemetry's variables ask of an OTLP exporter of metrics, by kind of instrument."""

import logging
import os

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter, ObservableGauge, ObservableUpDownCounter, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, ExponentialBucketHistogramAggregation

_log = logging.getLogger(__name__)

_ALL = (Counter, Histogram, ObservableCounter, UpDownCounter, ObservableUpDownCounter, ObservableGauge)
_DELTA = {
    "cumulative": (),
    "delta": (Counter, Histogram, ObservableCounter),
    "lowmemory": (Counter, Histogram),
}
_HISTOGRAM = {
    "explicit_bucket_histogram": ExplicitBucketHistogramAggregation,
    "base2_exponential_bucket_histogram": ExponentialBucketHistogramAggregation,
}


def _asked_for(variable, known):
    """What the variable names, in upper or lower case; the first of those that are known where it names none."""
    default = next(iter(known))
    word = os.environ.get(variable, "").strip().lower() or default
    if word not in known:
        _log.warning("shmring: %s=%s is none of %s; it is %s now", variable, os.environ[variable], ", ".join(known), default)
        word = default
    return known[word]


def temporality():
    delta = _asked_for("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", _DELTA)
    return {kind: AggregationTemporality.DELTA if kind in delta else AggregationTemporality.CUMULATIVE for kind in _ALL}


def aggregation():
    return {Histogram: _asked_for("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", _HISTOGRAM)()}
