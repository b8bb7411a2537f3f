# SPDX-License-Identifier: Apache-2.0
"""What a program may give to OpenTelemetry's SDK, from a seed: every kind of value, and every field there or not."""

import random

from opentelemetry.sdk.metrics._internal.exemplar import Exemplar
from opentelemetry.sdk.metrics._internal.point import Buckets
from opentelemetry.sdk.metrics.export import (AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
                                              HistogramDataPoint, NumberDataPoint, Sum)
from opentelemetry.trace import SpanContext, TraceFlags, TraceState


class Generator(random.Random):
    def likely(self):
        return self.random() < 0.5

    def text(self):
        return "".join(self.choices("abc \u00e9\u20ac\U0001f600\"\\\n\0", k=self.randrange(12)))

    def number(self):
        return self.choice([0, 1, -1, 2**63 - 1, -(2**63), self.randrange(-1000, 1000)])

    def real(self):
        return self.choice([0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf"), float("nan"), self.random()])

    def scalar(self):
        return self.choice([self.text, self.number, self.real, self.likely])()

    def homogeneous(self):
        make = self.choice([self.text, self.number, self.real, self.likely])
        return self.choice([list, tuple])(make() for _ in range(self.randrange(4)))

    def any_value(self, depth=0):
        if depth == 3 or self.random() < 0.6:
            return self.choice([self.scalar, lambda: self.randbytes(self.randrange(5)), lambda: None])()
        if self.likely():
            return self.choice([list, tuple])(self.any_value(depth + 1) for _ in range(self.randrange(4)))
        return {f"k{i}": self.any_value(depth + 1) for i in range(self.randrange(4))}

    def attributes(self, value=None, most=6):
        make = value or (lambda: self.choice([self.scalar, self.homogeneous])())
        return {f"key.{i}": make() for i in range(self.randrange(most))}

    def ids(self):
        return self.randrange(1, 2**128), self.randrange(1, 2**64)

    def context(self):
        state = TraceState([("a", "1"), ("b@c", "x y")]) if self.likely() else None
        return SpanContext(*self.ids(), self.likely(), TraceFlags(self.randrange(2)), state)

    def time(self):
        return self.choice([0, 1, self.randrange(2**63), 2**63 - 1])

    def maybe(self, value):
        return value if self.likely() else None

    def exemplars(self):
        return [Exemplar(self.attributes(self.any_value), self.choice([self.real(), self.number()]), self.time(),
                         *(reversed(self.ids()) if self.likely() else (None, None))) for _ in range(self.randrange(3))]

    def number_point(self, start=None):
        return NumberDataPoint(self.attributes(self.any_value), start, self.time(), self.choice([self.number(), self.real()]),
                               self.exemplars())

    def histogram_point(self):
        bounds = self.choice([[], [0.0], [-1.5, 0.0, 1e300]])
        return HistogramDataPoint(self.attributes(self.any_value), self.time(), self.time(), self.randrange(2**64), self.real(),
                                  [self.randrange(2**64) for _ in range(len(bounds) + 1)], bounds, self.maybe(self.real()),
                                  self.maybe(self.real()), self.exemplars())

    def buckets(self):
        return Buckets(self.randrange(-100, 100), [self.randrange(2**self.randrange(60)) for _ in range(self.randrange(5))])

    def exponential_point(self):
        return ExponentialHistogramDataPoint(self.attributes(self.any_value), self.time(), self.time(), self.randrange(2**64), self.real(),
                                             self.randrange(-10, 21), self.choice([0, self.randrange(2**64)]), self.buckets(), self.buckets(),
                                             self.randrange(2), self.maybe(self.real()), self.maybe(self.real()), self.exemplars())

    def metric_data(self):
        temporality = self.choice([AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])

        def points(make):
            return [make() for _ in range(self.randrange(1, 4))]

        return self.choice([lambda: Gauge(points(self.number_point)), lambda: Sum(points(lambda: self.number_point(self.time())), temporality, self.likely()),
                            lambda: Histogram(points(self.histogram_point), temporality),
                            lambda: ExponentialHistogram(points(self.exponential_point), temporality)])()
