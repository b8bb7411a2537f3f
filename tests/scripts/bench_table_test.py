# SPDX-License-Identifier: Apache-2.0
"""scripts/bench_result.py and scripts/bench_table.py, on a run of three benchmarks made by hand."""

import contextlib
import copy
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
sys.dont_write_bytecode = True
import bench_result  # noqa: E402
import bench_table  # noqa: E402


def run(name, family, ns, threads=1, kind="iteration"):
    return {"name": name, "run_name": name, "run_type": kind, "family_index": family, "per_family_instance_index": 0,
            "label": f"label of {name}", "threads": threads, "ns": ns, "items_per_second": threads * 1e9 / ns}


RAW = {
    "context": {"host_name": "secret-host", "executable": "/home/somebody/shmring-bench", "num_cpus": 2,
                "mhz_per_cpu": 2600, "shmring_version": "0.1.0", "compiler": "GNU 12.2.0",
                "shmring_build_type": "Release"},
    # Mixed at random, as the program is told to run them.
    "benchmarks": [run("clock_gettime/manual_time", 2, 20.0), run("emit_log/manual_time/threads:2", 1, 50.0, 2),
                   run("emit_log/manual_time", 0, 90.0), run("emit_log/manual_time", 0, 30.0),
                   run("clock_gettime/manual_time", 2, 19.0), run("emit_log/manual_time", 0, 40.0),
                   run("emit_log/manual_time", 0, 7.0, kind="aggregate"), run("clock_gettime/manual_time", 2, 30.0)],
}
HOW = {"date": "2026-11-20", "machine": "A Machine, 2 cores", "kernel": "6.1", "commit": "abc",
       "command": "scripts/bench.sh", "busy_percent": 0}


def result(**changes):
    return {**bench_result.result(copy.deepcopy(RAW), HOW), **changes}


class BenchResult(unittest.TestCase):
    def test_keeps_every_repetition_and_no_aggregate_in_the_order_of_registration(self):
        rows = result()["rows"]
        self.assertEqual([row["name"] for row in rows], ["emit_log", "emit_log/threads:2", "clock_gettime"])
        self.assertEqual(rows[0]["ns"], [90.0, 30.0, 40.0])

    def test_names_neither_host_nor_path(self):
        text = bench_result.to_text(result())
        self.assertNotIn("secret-host", text)
        self.assertNotIn("somebody", text)

    def test_text_is_json_of_the_same_content(self):
        self.assertEqual(json.loads(bench_result.to_text(result())), result())

    def test_refuses_a_run_in_which_a_benchmark_failed(self):
        raw = copy.deepcopy(RAW)
        raw["benchmarks"][3].update(error_occurred=True, error_message="records were dropped or lost")
        with self.assertRaisesRegex(ValueError, "emit_log.*dropped or lost"):
            bench_result.rows(raw)

    def test_refuses_a_run_without_benchmarks(self):
        with self.assertRaises(ValueError):
            bench_result.rows({"benchmarks": []})


class BenchTable(unittest.TestCase):
    def test_shows_median_lowest_ratio_to_the_clock_and_rate(self):
        self.assertIn("| label of emit_log/manual_time | 40.0 | 30.0 | 2.00 | 25.0 |", bench_table.table(result()))

    def test_rate_of_two_threads_is_that_of_both(self):
        self.assertIn("| label of emit_log/manual_time/threads:2 | 50.0 | 50.0 | 2.50 | 40.0 |", bench_table.table(result()))

    def test_names_date_machine_and_command(self):
        head = bench_table.table(result()).splitlines()[0]
        for part in ("2026-11-20", "A Machine, 2 cores", "`scripts/bench.sh`", "GNU 12.2.0"):
            self.assertIn(part, head)

    def test_has_no_ratio_where_the_clock_was_not_measured(self):
        self.assertIn("| 40.0 | 30.0 | - | 25.0 |", bench_table.table(result(rows=result()["rows"][:1])))

    def test_says_so_when_the_machine_was_busy(self):
        self.assertNotIn("Others used", bench_table.table(result()))
        self.assertIn("Others used 60 %", bench_table.table(result(busy_percent=60)))

    def test_counts_instructions_where_they_were_counted(self):
        self.assertNotIn("instructions", bench_table.table(result()))
        self.assertIn("takes 321 instructions", bench_table.table(result(instructions_per_log_record=321)))


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.result = pathlib.Path(self.folder.name) / "result.json"
        self.result.write_text(bench_result.to_text(result()), encoding="utf-8")
        self.readme = pathlib.Path(self.folder.name) / "README.md"

    def call(self, *options):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            code = bench_table.main([str(self.result), "--readme", str(self.readme), *options])
        return code, errors.getvalue()

    def write(self, between):
        self.readme.write_text(f"above\n{bench_table.BEGIN}\n{between}{bench_table.END}\nbelow\n", encoding="utf-8")

    def test_only_what_stands_between_the_markers_is_replaced(self):
        self.write("old\n")
        self.assertEqual(self.call()[0], 0)
        text = self.readme.read_text(encoding="utf-8")
        self.assertEqual(text, f"above\n{bench_table.BEGIN}\n{bench_table.table(result())}{bench_table.END}\nbelow\n")

    def test_a_second_time_changes_nothing(self):
        self.write("old\n")
        self.call()
        once = self.readme.read_text(encoding="utf-8")
        self.call()
        self.assertEqual(self.readme.read_text(encoding="utf-8"), once)

    def test_check_refuses_another_table_and_changes_nothing(self):
        self.write("old\n")
        code, errors = self.call("--check")
        self.assertEqual(code, 1)
        self.assertIn("bench_table.py --readme", errors)
        self.assertIn("old", self.readme.read_text(encoding="utf-8"))
        self.call()
        self.assertEqual(self.call("--check"), (0, ""))

    def test_a_file_without_markers_is_an_error_that_names_them(self):
        self.readme.write_text("nothing\n", encoding="utf-8")
        code, errors = self.call()
        self.assertEqual(code, 1)
        self.assertIn(bench_table.BEGIN, errors)

    def test_markers_in_the_wrong_order_are_an_error(self):
        self.readme.write_text(f"{bench_table.END}\n{bench_table.BEGIN}\n", encoding="utf-8")
        self.assertEqual(self.call()[0], 1)


if __name__ == "__main__":
    unittest.main()
