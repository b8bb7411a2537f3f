# SPDX-License-Identifier: Apache-2.0
"""What OpenTelemetry's SDK holds and what arrives, field by field: beside it stands the SDK's own OTLP encoder."""

import in_environment

in_environment.enter()

import base64
import logging
import os
import subprocess
import sys
import unittest
import warnings

from google.protobuf import json_format
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.metrics import Observation
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk import metrics
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import view
from opentelemetry.sdk.metrics.export import (AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
                                              HistogramDataPoint, InMemoryMetricReader, Metric, MetricExportResult, MetricsData,
                                              NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

import shmring
from shmring import opentelemetry as ours
from otel_generator import Generator
from support import RingTest, attributes, bodies, logs, records, requests, spans

logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # it warns of each attribute beyond a limit
warnings.simplefilter("ignore")
RESOURCE = Resource({"service.name": "shop", "deployment.environment.name": "test", "host.cores": 4, "load": 0.5, "spot": True,
                     "list": ["a", "b"], "numbers": [1, 2]}, "https://opentelemetry.io/schemas/1.29.0")
CASES = 300


def as_message(kind, request):
    """OTLP's JSON has ids in hexadecimal, where Protocol Buffers' own has base64."""

    def converted(value):
        if isinstance(value, list):
            return [converted(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {key: base64.b64encode(bytes.fromhex(each)).decode() if key in ("traceId", "spanId", "parentSpanId") else converted(each)
                for key, each in value.items()}

    return json_format.ParseDict(converted(request), kind())


def by_scope(request, resources, scopes, items):
    """Records by all that their scope says."""
    found = {}
    for resource in getattr(request, resources):
        for scope in getattr(resource, scopes):
            found.setdefault((str(scope.scope), scope.schema_url), []).extend(getattr(scope, items))
    return found


def resources(request, kind):
    """(attributes, schema URL) of each, without those that are the process's own."""
    return [({entry.key: entry.value for entry in each.resource.attributes if entry.key not in ("process.pid", "service.instance.id")},
             each.schema_url) for each in getattr(request, kind)]


SCOPES = [dict(name="a", version="1"), dict(name="a", version="2"), dict(name="b", version=""),
          dict(name="c.d", version="0.1", schema_url="https://opentelemetry.io/schemas/1.30.0"),
          dict(name="c.d", version="0.1", schema_url="https://opentelemetry.io/schemas/1.31.0"),
          dict(name="c.d", version="0.1", attributes={"text": "\u00e9", "truth": True, "number": -1, "real": 0.5, "list": ["x", "y"]}),
          dict(name="c.d", version="0.1", attributes={"truth": True}),
          dict(name="c.d", version="0.1", attributes={"truth": False}, schema_url="https://opentelemetry.io/schemas/1.30.0")]


def scoped(get):
    """What the SDK's provider gives for each of these."""
    return [get(*(each[key] for key in ("name", "version")), schema_url=each.get("schema_url"), attributes=each.get("attributes"))
            for each in SCOPES]


class Compared(RingTest):
    maxDiff = None

    def arrived(self, kind, key):
        merged = kind()
        for request in requests(self.path):
            if key in request:
                merged.MergeFrom(as_message(kind, request))
        return merged

    def assert_same(self, theirs, ours_, parts, forget=lambda record: None):
        (expected, url), = resources(theirs, parts[0])
        for attributes_, schema_url in resources(ours_, parts[0]):
            self.assertEqual(({key: attributes_.get(key) for key in expected}, schema_url), (expected, url))
        theirs, ours_ = by_scope(theirs, *parts), by_scope(ours_, *parts)
        self.assertEqual(set(theirs), set(ours_))
        for scope, expected in theirs.items():
            self.assertEqual(len(expected), len(ours_[scope]))
            for one, other in zip(expected, ours_[scope]):
                forget(one), forget(other)
                if one.SerializeToString(deterministic=True) != other.SerializeToString(deterministic=True):  # nan is not nan, but -0.0 is 0.0
                    self.assertEqual(str(one), str(other))
                    self.fail(f"they differ in what is not shown: {one}")


class Logs(Compared):
    PARTS = ("resource_logs", "scope_logs", "log_records")

    def setUp(self):
        super().setUp()
        self.memory = InMemoryLogRecordExporter()
        self.provider = LoggerProvider(resource=RESOURCE, log_record_limits=LogRecordLimits(max_log_record_attributes=4))
        self.provider.add_log_record_processor(ours.ShmRingLogRecordProcessor(path=self.path))
        self.provider.add_log_record_processor(SimpleLogRecordProcessor(self.memory))
        self.addCleanup(self.provider.shutdown)

    @staticmethod
    def a_body_of_nothing_is_none(record):
        if not record.body.WhichOneof("value"):
            record.ClearField("body")

    def test_generated_records_arrive_as_the_sdk_encodes_them(self):
        make = Generator(1)
        scopes = scoped(self.provider.get_logger)
        for _ in range(CASES):
            context = trace.set_span_in_context(NonRecordingSpan(make.context())) if make.random() < 0.5 else None
            make.choice(scopes).emit(LogRecord(
                timestamp=make.randrange(1, 2**63), observed_timestamp=make.randrange(1, 2**63), context=context,
                severity_number=make.choice([None, *SeverityNumber]), severity_text=make.choice([None, make.text()]), body=make.any_value(),
                attributes=make.attributes(make.any_value), event_name=make.choice([None, "event"])))
        self.assert_same(encode_logs(self.memory.get_finished_logs()), self.arrived(ExportLogsServiceRequest, "resourceLogs"), self.PARTS,
                         self.a_body_of_nothing_is_none)

    def test_a_record_without_a_time_gets_that_of_its_emit(self):
        self.provider.get_logger("a").emit(LogRecord(body="x"))
        self.assertGreater(int(logs(self.path)[0]["timeUnixNano"]), 10**18)

    def test_scopes_that_differ_in_the_kind_of_a_value_only_stay_apart(self):
        """The SDK's encoder puts them together: in Python they are equal."""
        for value in (1, True, 1.0):
            self.provider.get_logger("a", attributes={"k": value}).emit(LogRecord(body="x"))
        scopes = [of_scope["scope"]["attributes"][0]["value"] for of_scope in requests(self.path)[0]["resourceLogs"][0]["scopeLogs"]]
        self.assertEqual([list(value) for value in scopes], [["intValue"], ["boolValue"], ["doubleValue"]])

    def test_a_resource_that_the_processor_was_given_is_not_mixed_with_the_sdks(self):
        path = self.path + ".2"
        self.provider.add_log_record_processor(ours.ShmRingLogRecordProcessor(path=path, resource={"host.cores": 8}))
        self.provider.get_logger("a").emit(LogRecord(body="x"))
        of_resource = requests(path)[0]["resourceLogs"][0]
        resource = attributes(of_resource["resource"]["attributes"])
        self.assertEqual((resource["service.name"], resource["host.cores"], resource.get("spot"), of_resource.get("schemaUrl")),
                         ("shop", 8, None, None))

    def test_a_ring_that_cannot_be_opened_stops_no_program_and_is_told_of_once(self):
        processor = ours.ShmRingLogRecordProcessor(path="/nonexistent/folder/x.ring", attach_only=True)
        self.provider.add_log_record_processor(processor)
        with self.assertLogs("shmring.opentelemetry._writer", logging.ERROR) as told:
            self.provider.get_logger("a").emit(LogRecord(body="x"))
            self.provider.get_logger("a").emit(LogRecord(body="y"))
        self.assertEqual(len(told.output), 1)
        self.assertEqual(bodies(self.path), ["x", "y"])

    def test_a_forked_child_that_ends_at_once_loses_nothing(self):
        logger = self.provider.get_logger("a")
        for number in range(50):
            child = os.fork()
            if child == 0:
                logger.emit(LogRecord(body=f"child {number}"))
                os._exit(0)
            os.waitpid(child, 0)
        self.assertEqual(sorted(bodies(self.path)), sorted(f"child {number}" for number in range(50)))

    def test_the_exporter_writes_what_a_batch_processor_hands_on(self):
        provider = LoggerProvider()
        provider.add_log_record_processor(BatchLogRecordProcessor(ours.ShmRingLogExporter(path=self.path)))
        provider.get_logger("a").emit(LogRecord(body="x"))
        provider.shutdown()
        self.assertEqual(bodies(self.path), ["x"])


class Spans(Compared):
    PARTS = ("resource_spans", "scope_spans", "spans")

    def setUp(self):
        super().setUp()
        self.memory = InMemorySpanExporter()
        limits = SpanLimits(max_span_attributes=4, max_events=3, max_links=2, max_event_attributes=2, max_link_attributes=2)
        self.provider = TracerProvider(resource=RESOURCE, span_limits=limits, shutdown_on_exit=False)
        self.provider.add_span_processor(ours.ShmRingSpanProcessor(path=self.path))
        self.provider.add_span_processor(SimpleSpanProcessor(self.memory))

    def emit(self, make, tracer):
        parent = trace.set_span_in_context(NonRecordingSpan(make.context())) if make.random() < 0.5 else None
        links = [Link(make.context(), make.attributes()) for _ in range(make.randrange(4))]
        span = tracer.start_span(make.text() or "span", parent, make.choice(list(SpanKind)), make.attributes(), links, make.randrange(1, 2**62))
        for _ in range(make.randrange(5)):
            span.add_event(make.text() or "event", make.attributes(), make.randrange(1, 2**63))
        span.set_status(make.choice([Status(), Status(StatusCode.OK), Status(StatusCode.ERROR, "why"), Status(StatusCode.ERROR)]))
        span.end(make.randrange(2**62, 2**63))

    @staticmethod
    def only_what_the_sdk_writes(span):
        """The SDK's encoder writes neither W3C's flags nor the trace state of a link; we do. It writes a status that says nothing."""
        if span.HasField("status") and not span.status.code:
            span.ClearField("status")
        span.flags &= 0x300
        for link in span.links:
            link.flags &= 0x300
            link.trace_state = ""

    def test_generated_spans_arrive_as_the_sdk_encodes_them(self):
        make = Generator(2)
        tracers = scoped(self.provider.get_tracer)
        for _ in range(CASES):
            self.emit(make, make.choice(tracers))
        self.assertGreater(sum(span.dropped_events + span.dropped_links + span.dropped_attributes for span in self.memory.get_finished_spans()), 0)
        self.assert_same(encode_spans(self.memory.get_finished_spans()), self.arrived(ExportTraceServiceRequest, "resourceSpans"), self.PARTS,
                         self.only_what_the_sdk_writes)

    def test_flags_and_the_trace_state_of_links_arrive_too(self):
        link = SpanContext(1, 2, True, TraceFlags(1), TraceState([("a", "b")]))
        self.provider.get_tracer("a").start_span("x", links=[Link(link)]).end()
        (span,) = spans(self.path)
        self.assertEqual((span["flags"] & 0x301, span["links"][0]["flags"], span["links"][0]["traceState"]), (0x101, 0x301, "a=b"))

    def test_a_span_that_is_not_sampled_is_not_written(self):
        processor = ours.ShmRingSpanProcessor(path=self.path)
        span = self.provider.get_tracer("a").start_span("x")
        span._context = SpanContext(1, 2, False, TraceFlags(0))
        processor.on_end(span)
        self.assertFalse(os.path.exists(self.path) and spans(self.path))

    def test_the_exporter_writes_what_a_processor_hands_on(self):
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(ours.ShmRingSpanExporter(path=self.path)))
        provider.get_tracer("a").start_span("x").end()
        self.assertEqual([span["name"] for span in spans(self.path)], ["x"])

    def test_a_log_record_of_the_handler_belongs_to_the_current_span(self):
        logger = logging.Logger("x")
        logger.addHandler(shmring.Handler(path=self.path))
        with self.provider.get_tracer("a").start_as_current_span("s") as span:
            logger.warning("inside")
        logger.warning("outside")
        inside, outside = logs(self.path)
        self.assertEqual((inside["traceId"], inside["spanId"]),
                         (f"{span.get_span_context().trace_id:032x}", f"{span.get_span_context().span_id:016x}"))
        self.assertNotIn("traceId", outside)

    def test_one_line_adds_both_processors(self):
        tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider()
        ours.add_processors(shmring.open(self.path), tracer_provider=tracers, logger_provider=loggers)
        tracers.get_tracer("a").start_span("s").end()
        loggers.get_logger("a").emit(LogRecord(body="l"))
        self.assertEqual(([span["name"] for span in spans(self.path)], bodies(self.path)), (["s"], ["l"]))
        self.assertRaises(TypeError, ours.add_processors, tracer_provider=object(), logger_provider=loggers)

    def test_the_processors_leave_nothing_for_the_end_of_the_program(self):
        program = '''if True:
            import atexit, os, sys
            from opentelemetry.sdk._logs import LoggerProvider
            from opentelemetry.sdk.trace import TracerProvider
            tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
            callbacks = atexit._ncallbacks()
            from shmring.opentelemetry import add_processors
            add_processors(path=sys.argv[1], tracer_provider=tracers, logger_provider=loggers)
            tracers.get_tracer("t").start_span("x").end()
            print(atexit._ncallbacks() - callbacks, "callbacks,", len(os.listdir("/proc/self/task")), "thread")'''
        result = subprocess.run([sys.executable, "-c", program, self.path], stdout=subprocess.PIPE, text=True)
        self.assertEqual(result.stdout, "0 callbacks, 1 thread\n")


class Beyond(RingTest):
    """What the SDK's encoder refuses, with the record or all of the batch."""

    class Unprintable:
        def __str__(self):
            raise ValueError("no")

    def setUp(self):
        super().setUp()
        self.ring = shmring.open(self.path, capacity_bytes=8 << 20, block_bytes=4096, max_record_bytes=64 << 10)
        self.loggers = LoggerProvider()
        self.loggers.add_log_record_processor(ours.ShmRingLogRecordProcessor(self.ring))
        self.addCleanup(self.loggers.shutdown)
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(ours.ShmRingSpanProcessor(self.ring))

    def export(self, points):
        metric = Metric("m", "", "", Gauge(points))
        return ours.ShmRingMetricExporter(self.ring).export(
            MetricsData([ResourceMetrics(RESOURCE, [ScopeMetrics(InstrumentationScope("a"), [metric], "")], "")]))

    def points(self):
        return [point for _, metric in records(self.path, "resourceMetrics", "scopeMetrics", "metrics")
                for point in metric["gauge"]["dataPoints"]]

    GIVEN = {"long": 2**63, "surrogate": "a\udc80", "object": complex(1, 2), "unprintable": Unprintable(), "": "nameless",
             "memory": [bytearray(b"\xff"), memoryview(b"\xff")]}
    EXPECTED = {"long": str(2**63), "surrogate": "a\\udc80", "object": "(1+2j)", "unprintable": "<Unprintable object whose str() failed>",
                "memory": ["/w==", "/w=="]}

    def test_values_that_otlp_has_not_are_texts(self):
        self.loggers.get_logger("a").emit(LogRecord(timestamp=1, body=self.GIVEN))
        self.assertEqual(bodies(self.path), [self.EXPECTED])
        self.assertEqual(self.export([NumberDataPoint(self.GIVEN, None, 1, 2**63), NumberDataPoint({}, None, 1, -(10**400))]),
                         MetricExportResult.SUCCESS)
        one, other = self.points()
        self.assertEqual((attributes(one["attributes"]), one["asDouble"]), (self.EXPECTED, 2**63))
        self.assertEqual(other["asDouble"], "-Infinity")
        span = self.tracers.get_tracer("a").start_span("s\udc80", attributes={"long": 2**63, "surrogate": "a\udc80"})
        span.end()
        (arrived,) = spans(self.path)
        self.assertEqual((arrived["name"], attributes(arrived["attributes"])), ("s\\udc80", {"long": str(2**63), "surrogate": "a\\udc80"}))

    def test_values_that_hold_themselves_end_somewhere(self):
        endless = {}
        endless["endless"] = [endless]
        self.loggers.get_logger("a").emit(LogRecord(body=endless))
        self.assertEqual(self.export([NumberDataPoint(endless, None, 1, 2)]), MetricExportResult.SUCCESS)
        (body,), (point,) = bodies(self.path), self.points()
        for value in (body, attributes(point["attributes"])):
            self.assertIn("endless", value["endless"][0])

    def test_records_larger_than_a_block_arrive_and_larger_ones_than_the_ring_takes_are_counted(self):
        logger, tracer = self.loggers.get_logger("a"), self.tracers.get_tracer("a")
        for number, size in enumerate((5000, 60000, 70000)):
            logger.emit(LogRecord(body="x" * size))
            tracer.start_span("y" * size).end()
            written = self.export([NumberDataPoint({"z": "z" * size}, None, 1, 2)])
            self.assertEqual(written, MetricExportResult.SUCCESS if size < 64 << 10 else MetricExportResult.FAILURE)
            self.assertEqual(self.ring.drops()["too_large"], 0 if size < 64 << 10 else 3)
        arrived = [len(text) for text in bodies(self.path)], [len(span["name"]) for span in spans(self.path)]
        self.assertEqual(arrived, ([5000, 60000], [5000, 60000]))
        self.assertEqual([len(attributes(point["attributes"])["z"]) for point in self.points()], [5000, 60000])

    def test_a_full_ring_stops_no_program_and_the_exporters_say_so(self):
        while not self.ring.drops()["ring_full"]:
            self.loggers.get_logger("a").emit(LogRecord(body="x" * 60000))
        self.tracers.get_tracer("a").start_span("y" * 60000).end()
        self.assertEqual(self.export([NumberDataPoint({"z": "z" * 60000}, None, 1, 2)]), MetricExportResult.FAILURE)
        status = self.ring.status()
        self.assertEqual((status["attempted"] - status["written"], status["closes"]), (3, True))


class Metrics(Compared):
    PARTS = ("resource_metrics", "scope_metrics", "metrics")

    def assert_arrives(self, data, **options):
        exporter = ours.ShmRingMetricExporter(path=self.path, **options)
        self.assertEqual(exporter.export(data), MetricExportResult.SUCCESS)
        self.assert_same(encode_metrics(data), self.arrived(ExportMetricsServiceRequest, "resourceMetrics"), self.PARTS)

    def test_what_every_instrument_collects_arrives_as_the_sdk_encodes_it(self):
        reader = InMemoryMetricReader()
        views = [view.View(instrument_name="exponential", aggregation=view.ExponentialBucketHistogramAggregation())]
        provider = metrics.MeterProvider([reader], RESOURCE, metrics.AlwaysOnExemplarFilter(), views=views, shutdown_on_exit=False)
        meter = provider.get_meter("a", "1", schema_url="https://opentelemetry.io/schemas/1.30.0", attributes={"n": 1, "t": True})
        make = Generator(3)
        counter, difference = meter.create_counter("counter", "1", "counts"), meter.create_up_down_counter("difference")
        histogram, exponential = meter.create_histogram("histogram", "ms"), meter.create_histogram("exponential")
        gauge = provider.get_meter("b").create_gauge("gauge")
        meter.create_observable_gauge("observed", [lambda options: [Observation(7, {"a": 1})]])
        with TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("s"):
            for _ in range(CASES):
                where = make.attributes(most=2)
                counter.add(make.randrange(10), where)
                difference.add(make.random() - 0.5, where)
                histogram.record(make.random() * 100, where)
                exponential.record(make.choice([0, make.random() * 1e6, make.random()]), where)
                gauge.set(make.randrange(-5, 5), where)
        data = reader.get_metrics_data()
        self.assertTrue([1 for scope in data.resource_metrics[0].scope_metrics for metric in scope.metrics
                         for point in metric.data.data_points if point.exemplars])
        self.assert_arrives(data)
        provider.shutdown()

    def test_generated_data_points_of_each_kind_arrive_as_the_sdk_encodes_them(self):
        make = Generator(4)
        found = [Metric(f"metric {i}", make.text(), make.text(), make.metric_data()) for i in range(CASES)]
        scope = InstrumentationScope("a", "1", "https://opentelemetry.io/schemas/1.30.0", {"list": [1.5, 2.5]})
        self.assert_arrives(MetricsData([ResourceMetrics(RESOURCE, [ScopeMetrics(scope, found, scope.schema_url)], RESOURCE.schema_url)]))

    def test_a_metric_larger_than_a_record_arrives_in_parts(self):
        points = [NumberDataPoint({"i": i, "text": "x" * 1000}, 1, 2, i) for i in range(2000)]
        metric = Metric("large", "", "", Sum(points, AggregationTemporality.CUMULATIVE, True))
        data = MetricsData([ResourceMetrics(RESOURCE, [ScopeMetrics(InstrumentationScope("a"), [metric], "")], "")])
        self.assertEqual(ours.ShmRingMetricExporter(path=self.path).export(data), MetricExportResult.SUCCESS)
        parts = [record for _, record in records(self.path, "resourceMetrics", "scopeMetrics", "metrics")]
        self.assertGreater(len(parts), 1)
        self.assertEqual([int(point["asInt"]) for part in parts for point in part["sum"]["dataPoints"]], list(range(2000)))
        self.assertTrue(all(part["name"] == "large" and part["sum"]["isMonotonic"] for part in parts))


if __name__ == "__main__":
    unittest.main()
