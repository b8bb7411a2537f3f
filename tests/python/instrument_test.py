# SPDX-License-Identifier: Apache-2.0
"""opentelemetry-instrument and OpenTelemetry's variables, with the wheel that install_test.py made: the SDK finds the exporters by name."""

import in_environment

in_environment.enter()

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader

from shmring.opentelemetry import ShmRingMetricExporter
from support import RingTest, bodies, records, spans

PROGRAM = """
import os, sys
from opentelemetry import metrics, trace
from opentelemetry._logs import LogRecord, get_logger

if "with-processors" in sys.argv:
    from shmring.opentelemetry import add_processors; add_processors()
with trace.get_tracer("app").start_as_current_span("a span"):
    get_logger("app").emit(LogRecord(body="a log"))
metrics.get_meter("app").create_counter("a.counter").add(1)
if "and-no-end" in sys.argv:
    os._exit(0)
"""


class Instrument(RingTest):
    @classmethod
    def setUpClass(cls):
        wheels = list(pathlib.Path(os.environ["SHMRING_WHEELS"]).glob("*.whl"))
        pip = in_environment.able_python()
        if not wheels or pip is None:
            raise unittest.SkipTest("there is no wheel, or no pip to install it; the test python.install says why")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.packages = f"{folder.name}/packages"
        subprocess.run([pip, "-m", "pip", "--python", sys.executable, "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps",
                        "--no-compile", "--target", cls.packages, *wheels], check=True)

    def run_program(self, *arguments, exporters="shmring"):
        variables = {f"OTEL_{signal}_EXPORTER": exporters for signal in ("TRACES", "LOGS", "METRICS")}
        program = pathlib.Path(self.path).with_name("app.py")
        program.write_text(PROGRAM)
        instrument = pathlib.Path(sys.executable).with_name("opentelemetry-instrument")
        subprocess.run([instrument, sys.executable, program, *arguments], check=True,
                       env=dict(os.environ, SHMRING_PATH=self.path, PYTHONPATH=self.packages, **variables))
        if not pathlib.Path(self.path).exists():
            return [], [], []
        found = [metric["name"] for _, metric in records(self.path, "resourceMetrics", "scopeMetrics", "metrics")]
        return bodies(self.path), [span["name"] for span in spans(self.path)], found

    def test_three_variables_and_everything_arrives(self):
        self.assertEqual(self.run_program(), (["a log"], ["a span"], ["a.counter"]))

    def test_what_waits_behind_an_exporter_is_lost_with_the_process(self):
        self.assertEqual(self.run_program("and-no-end"), ([], [], []))

    def test_with_the_processors_instead_nothing_waits(self):
        logs, names, _ = self.run_program("with-processors", "and-no-end", exporters="none")
        self.assertEqual((logs, names), (["a log"], ["a span"]))


class MetricPreferences(RingTest):
    """As the SDK's own exporter for OTLP takes them."""

    def set(self, **variables):
        change = mock.patch.dict(os.environ, {f"OTEL_EXPORTER_OTLP_METRICS_{name}": value for name, value in variables.items()})
        change.start()
        self.addCleanup(change.stop)

    def preferences(self, exporter):
        aggregations = {kind: type(each) for kind, each in exporter._preferred_aggregation.items()}
        return exporter._preferred_temporality, aggregations

    def test_each_word_means_what_it_means_to_the_sdk(self):
        for variable, words in (("TEMPORALITY_PREFERENCE", ("cumulative", "delta", "LowMemory", " DELTA ", "sometimes", "")),
                                ("DEFAULT_HISTOGRAM_AGGREGATION", ("explicit_bucket_histogram", "base2_exponential_bucket_histogram", "none", ""))):
            for word in words:
                with self.subTest(variable, word=word):
                    self.set(**{variable: word})
                    self.assertEqual(self.preferences(ShmRingMetricExporter(path=self.path)), self.preferences(OTLPMetricExporter()))

    def test_a_word_that_is_none_is_told_of(self):
        self.set(TEMPORALITY_PREFERENCE="sometimes")
        with self.assertLogs("shmring.opentelemetry", "WARNING") as told:
            ShmRingMetricExporter(path=self.path)
        self.assertIn("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=sometimes", told.output[0])

    def test_what_the_program_gives_goes_before_the_variables(self):
        self.set(TEMPORALITY_PREFERENCE="delta")
        exporter = ShmRingMetricExporter(path=self.path, preferred_temporality={Counter: AggregationTemporality.CUMULATIVE})
        self.assertEqual(exporter._preferred_temporality[Counter], AggregationTemporality.CUMULATIVE)

    def test_what_is_asked_for_arrives(self):
        self.set(TEMPORALITY_PREFERENCE="delta", DEFAULT_HISTOGRAM_AGGREGATION="base2_exponential_bucket_histogram")
        provider = MeterProvider([PeriodicExportingMetricReader(ShmRingMetricExporter(path=self.path))], shutdown_on_exit=False)
        provider.get_meter("a").create_histogram("h").record(5)
        provider.shutdown()
        (metric,) = [record for _, record in records(self.path, "resourceMetrics", "scopeMetrics", "metrics")]
        self.assertEqual(metric["exponentialHistogram"]["aggregationTemporality"], 1)


if __name__ == "__main__":
    unittest.main()
