# SPDX-License-Identifier: Apache-2.0
"""scripts/bench_result.py, bench_table.py and bench_charts.py, on two rounds made by hand."""

import contextlib
import copy
import io
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
sys.dont_write_bytecode = True
import bench_charts  # noqa: E402
import bench_result  # noqa: E402
import bench_table  # noqa: E402


def row(name, group, ns, producers=1, latency=()):
    return {"name": name, "label": f"label of {name}", "record": "its fate", "group": group, "producers": producers,
            "ns": ns, "latency": [list(bucket) for bucket in latency]}


CONTEXT = {"cores": 2, "version": "0.1.0", "compiler": "GNU 12.2.0", "build_type": "Release"}
ROUNDS = [
    {"context": CONTEXT,
     "rows": [row("emit_log", "shmring", [90.0, 30.0], latency=[(30.0, 900), (64.0, 100)]),
              row("emit_log", "shmring", [50.0], 2), row("emit_log", "shmring", [70.0], 4),
              row("queue", "rival", [12.0], latency=[(12.0, 10)]),
              row("clock_memcpy", "floor", [20.0, 19.0], latency=[(20.0, 10)])]},
    {"context": CONTEXT,
     "rows": [row("emit_log", "shmring", [40.0], latency=[(30.0, 990), (5000.0, 10)]),
              row("clock_memcpy", "floor", [30.0])]},
    {"rows": [{"name": "absent", "label": "label of absent", "record": "", "group": "rival", "producers": 1,
               "skipped": "not here"}]},
]
HOW = {"date": "2026-11-20", "machine": "A Machine, 2 cores", "kernel": "6.1", "commit": "abc",
       "command": "scripts/bench.sh", "busy_percent": 0, "mhz": 2600}
DRAIN = {"benchmarks": [
    {"name": "pipeline/records/100000/manual_time", "run_name": "pipeline/records/100000/manual_time", "run_type": kind, "ns": ns}
    for kind, ns in (("iteration", 200.0), ("iteration", 180.0), ("iteration", 250.0), ("aggregate", 7.0))]}
PROCESSES = {"rows": [{"part": "exit", "name": "after 1 record", "unit": "us", "values": {"median": 36.0, "p99": 2400.0}}],
             "histograms": [{"name": "ring full", "unit": "ns", "buckets": [[100, 5], [200, 5]]}]}


KIB, MIB = 1 << 10, 1 << 20


def block_row(name, block_kib, capacity_mib, drained, ns):
    return {**row(name, "shmring", ns), "block_bytes": block_kib * KIB, "capacity_bytes": capacity_mib * MIB, "drained": drained}


BLOCKS = {**HOW, "rows": [block_row(name, block, capacity, drained, [ns, ns + 2, ns + 50])
                          for name, more in (("emit_log", 30.0), ("reserve", 0.0)) for capacity in (1, 32) for block in (4, 16)
                          for drained, ns in (("quarter", more + block), ("three_quarters", more + block + capacity))],
          "blocks": [{"block_bytes": block * KIB, "capacity_bytes": capacity * MIB, "records": 4 * block, "context_bytes": 40,
                      "unused_bytes": 8 * block, "sleepers": 100, "blocks_of_sleepers": min(100, 768 * capacity // block),
                      "refused_of_sleepers": max(0, 100 - 1024 * capacity // block)} for capacity in (1, 32) for block in (4, 16)]}


def result(**changes):
    return {**bench_result.result(copy.deepcopy(ROUNDS), HOW, {"emit_log": 321}, copy.deepcopy(DRAIN)), **changes}


def rows_by_id(value):
    return {(one["name"], one["producers"]): one for one in value["rows"]}


class BenchResult(unittest.TestCase):
    def test_keeps_every_visit_of_all_rounds_in_the_order_of_the_rows(self):
        rows = result()["rows"]
        self.assertEqual([(one["name"], one["producers"]) for one in rows],
                         [("emit_log", 1), ("emit_log", 2), ("emit_log", 4), ("queue", 1), ("clock_memcpy", 1), ("absent", 1),
                          ("pipeline/records/100000", 1)])
        self.assertEqual(rows[0]["ns"], [90.0, 30.0, 40.0])

    def test_quantiles_are_those_of_all_rounds_together(self):
        latency = rows_by_id(result())["emit_log", 1]["latency"]
        self.assertEqual(latency, {"p50": 30.0, "p99": 64.0, "p99.9": 5000.0, "max": 5000.0, "operations": 2000})

    def test_a_kept_histogram_has_all_operations_and_no_bucket_below_its_values(self):
        kept = {histogram["name"]: histogram for histogram in result()["histograms"]}
        self.assertEqual(sorted(kept), ["clock_memcpy", "emit_log"])
        self.assertEqual(sum(count for _, count in kept["emit_log"]["buckets"]), 2000)
        self.assertEqual([count for upper, count in kept["emit_log"]["buckets"] if upper >= 5000], [10])

    def test_instructions_are_the_difference_of_two_runs_by_operation(self):
        self.assertEqual(bench_result.counted("emit_log 1000 500000 4000 1400000\n"), {"emit_log": 300})
        rows = rows_by_id(result())
        self.assertEqual(rows["emit_log", 1]["instructions"], 321)
        self.assertNotIn("instructions", rows["emit_log", 2])

    def test_a_skipped_row_keeps_its_reason(self):
        self.assertEqual(rows_by_id(result())["absent", 1]["skipped"], "not here")

    def test_takes_the_drain_over_without_aggregates(self):
        self.assertEqual(rows_by_id(result())["pipeline/records/100000", 1]["ns"], [200.0, 180.0, 250.0])

    def test_a_drain_row_that_it_does_not_know_keeps_its_name(self):
        self.assertEqual(bench_result.drain_label("pipeline/else/1"), "pipeline/else/1")

    def test_refuses_a_drain_that_failed(self):
        raw = copy.deepcopy(DRAIN)
        raw["benchmarks"][1].update(error_occurred=True, error_message="records were dropped or lost")
        with self.assertRaisesRegex(bench_result.Problem, "dropped or lost"):
            bench_result.drain_rows(raw)

    def test_refuses_a_run_that_measured_nothing(self):
        with self.assertRaises(bench_result.Problem):
            bench_result.merged(ROUNDS[2:])

    def test_text_is_json_of_the_same_content(self):
        self.assertEqual(json.loads(bench_result.to_text(result())), result())


class BenchTable(unittest.TestCase):
    def test_shows_median_lowest_ratio_quantiles_instructions_and_fate(self):
        self.assertIn("| label of emit_log | 40.0 | 30.0 | 2.00 | 64.0 | 5,000 | 321 | its fate |", bench_table.full(result(), None))

    def test_names_date_machine_and_command(self):
        head = bench_table.full(result(), None).splitlines()[0]
        for part in ("2026-11-20", "A Machine, 2 cores", "2.6 GHz", "`scripts/bench.sh`", "GNU 12.2.0"):
            self.assertIn(part, head)

    def test_a_row_that_beats_us_is_shown_like_any_other(self):
        self.assertIn("| label of queue | 12.0 | 12.0 | 0.60 |", bench_table.full(result(), None))

    def test_a_row_that_was_not_measured_says_why(self):
        self.assertIn("| label of absent | not measured: not here |", bench_table.full(result(), None))

    def test_has_no_ratio_where_clock_and_copy_were_not_measured(self):
        rows = [one for one in result()["rows"] if one["group"] == "shmring"]
        self.assertIn("| 40.0 | 30.0 | - |", bench_table.full(result(rows=rows), None))

    def test_several_producers_stand_in_one_line(self):
        self.assertIn("| label of emit_log | 40.0 | 50.0 | 70.0 | 1.25 |", bench_table.full(result(), None))

    def test_the_flusher_is_shown_by_record_and_rate(self):
        self.assertIn("| log records of one thread: 100,000 | 200 | 180 | 5.00 |", bench_table.brief(result()))

    def test_processes_are_in_the_full_text_only(self):
        self.assertIn("| exit: after 1 record | us | median 36.0, p99 2,400 |", bench_table.full(result(), PROCESSES))
        self.assertNotIn("exit:", bench_table.brief(result()))

    def test_block_sizes_are_shown_by_capacity_drained_often_and_late(self):
        text = bench_table.full(result(), None, BLOCKS)
        self.assertIn("| label of emit_log: ns in blocks of | 1 MiB | 32 MiB |", text)
        self.assertIn("| 16 KiB | 48.0 / 49.0 | 48.0 / 80.0 |", text)

    def test_the_room_in_a_ring_is_shown_and_who_found_none(self):
        text = bench_table.full(result(), None, BLOCKS)
        self.assertIn("| 16 KiB | 64 | 40 bytes, 0.2 % | 128 bytes, 0.8 % | 48, 75.0 % (36 refused) | 100, 4.9 % |", text)

    def test_a_shape_that_was_not_measured_is_a_gap(self):
        def without(name):
            return [one for one in BLOCKS[name] if (one["block_bytes"], one["capacity_bytes"]) != (16 * KIB, 1 * MIB)]
        text = bench_table.full(result(), None, {**BLOCKS, "rows": without("rows"), "blocks": without("blocks")})
        self.assertIn("| 16 KiB | - | 48.0 / 80.0 |", text)
        self.assertIn("128 bytes, 0.8 % | - | 100, 4.9 % |", text)

    def test_says_so_when_the_machine_was_busy(self):
        self.assertNotIn("Others used", bench_table.full(result(), None))
        self.assertIn("Others used 60 %", bench_table.full(result(busy_percent=60), None))


class BenchCharts(unittest.TestCase):
    def words(self, svg):
        return [element.text for element in xml.etree.ElementTree.fromstring(svg).iter() if element.text and element.text.strip()]

    def test_every_measured_row_of_one_producer_is_in_the_chart_of_costs(self):
        words = self.words(bench_charts.cost(result()))
        for label in ("label of emit_log", "label of queue", "label of clock_memcpy"):
            self.assertIn(label, words)

    def test_every_chart_names_date_machine_and_command(self):
        for svg in bench_charts.draw(result(), PROCESSES, BLOCKS).values():
            text = " ".join(self.words(svg))
            for part in ("2026-11-20", "A Machine, 2 cores", "scripts/bench.sh"):
                self.assertIn(part, text)

    def test_the_chart_of_block_sizes_has_a_line_for_each_operation_and_capacity_in_both_panels(self):
        svg = bench_charts.blocks(BLOCKS)
        of_legend = 2
        self.assertEqual(svg.count("<polyline"), 2 * 2 * 2 + of_legend)
        self.assertEqual(svg.count("stroke-dasharray"), 2 * 2 + of_legend // 2)
        for words in ("1 MiB", "32 MiB", "label of emit_log", "label of reserve", *bench_charts.DRAINED.values()):
            self.assertIn(words, self.words(svg))

    def test_a_linear_axis_has_some_round_steps_and_room_for_its_highest_value(self):
        for high in (0.7, 9, 52.9, 80, 81, 1000):
            ticks = bench_charts.Linear(high, 400, 80).ticks()
            self.assertEqual(ticks[0], 0)
            self.assertGreaterEqual(ticks[-1], high)
            self.assertTrue(3 < len(ticks) < 11, ticks)

    def test_charts_adapt_to_dark_pages(self):
        for svg in bench_charts.draw(result(), PROCESSES, BLOCKS).values():
            self.assertIn("prefers-color-scheme: dark", svg)

    def test_the_share_of_slower_operations_falls_from_all_to_the_last(self):
        self.assertEqual(bench_charts.slower_than([[10, 90], [20, 9], [50, 1]]),
                         [(10, 1.0), (10, 0.1), (20, 0.1), (20, 0.01), (50, 0.01)])

    def test_labels_do_not_cover_each_other(self):
        places = sorted(bench_charts.spread([(10, "a"), (11, "b"), (12, "c")], 15).values())
        self.assertGreaterEqual(min(b - a for a, b in zip(places, places[1:])), 15)

    def test_without_several_producers_or_histograms_there_is_no_such_chart(self):
        few = result(rows=rows_by_id(result()).values(), histograms=[])
        few["rows"] = [one for one in few["rows"] if one["producers"] == 1]
        self.assertEqual(sorted(bench_charts.draw(few)), ["cost"])


class Readme(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "results").mkdir()
        self.result = self.folder / "results" / "2026-11-20-a-machine.json"
        self.result.write_text(bench_result.to_text(result()), encoding="utf-8")
        self.readme = self.folder / "README.md"

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
        new = bench_table.brief(result(), bench_charts.draw(result()))
        self.assertEqual(text, f"above\n{bench_table.BEGIN}\n{new}{bench_table.END}\nbelow\n")

    def test_charts_and_all_figures_are_written_beside_the_result(self):
        self.write("old\n")
        self.result.with_name(self.result.stem + bench_table.PROCESSES).write_text(json.dumps(PROCESSES), encoding="utf-8")
        self.call()
        self.assertEqual(sorted(path.name for path in self.result.parent.iterdir() if path.suffix != ".json"),
                         ["README.md", "cost.svg", "latency.svg", "producers.svg"])
        self.assertIn("after 1 record", (self.result.parent / "README.md").read_text(encoding="utf-8"))

    def test_block_sizes_have_a_chart_when_they_were_measured(self):
        self.write("old\n")
        self.result.with_name(self.result.stem + bench_table.BLOCKS).write_text(json.dumps(BLOCKS), encoding="utf-8")
        self.call()
        self.assertTrue((self.result.parent / "blocks.svg").exists())
        self.assertIn("](blocks.svg)", (self.result.parent / "README.md").read_text(encoding="utf-8"))
        self.assertEqual(self.call("--check"), (0, ""))

    def test_what_stands_beside_a_result_is_not_taken_for_the_latest_one(self):
        for end in (bench_table.PROCESSES, bench_table.BLOCKS):
            self.result.with_name(self.result.stem + end).write_text("{}", encoding="utf-8")
        with unittest.mock.patch.object(bench_table, "RESULTS", self.result.parent):
            self.assertEqual(bench_table.latest(), self.result)

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

    def test_check_refuses_another_chart(self):
        self.write("old\n")
        self.call()
        (self.result.parent / "cost.svg").write_text("<svg/>", encoding="utf-8")
        self.assertEqual(self.call("--check")[0], 1)

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
