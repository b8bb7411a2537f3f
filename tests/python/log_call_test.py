# SPDX-License-Identifier: Apache-2.0
"""The bench of one log call, in short: its report is whole. What it measures here is no figure."""

import in_environment

in_environment.enter()

import json
import pathlib
import re
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "bench/python/log_call.py"
ROWS = ["NullHandler", "shmring.Handler", "OpenTelemetry, ShmRingLogRecordProcessor", "OpenTelemetry, BatchLogRecordProcessor to nowhere"]


def output(*options):
    return subprocess.run([sys.executable, PROGRAM, "--calls", "20", "--batches", "2", *options], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


class LogCall(unittest.TestCase):
    def test_each_row_has_its_cost(self):
        costs = json.loads(output("--json"))
        self.assertEqual(list(costs), ROWS)
        self.assertGreater(min(costs.values()), 0)

    def test_the_table_has_each_row_beside_the_null_handler(self):
        heading, line, *rows = output().splitlines()
        self.assertEqual((heading, line), ("| handler | one call | more than NullHandler |", "|---|---|---|"))
        found = [re.fullmatch(r"\| (.*) \| (\d+\.\d\d) us \| (-?\d+\.\d\d) us \|", row).groups() for row in rows]
        self.assertEqual([name for name, _, _ in found], ROWS)
        self.assertEqual(found[0][2], "0.00")
        for _, cost, more in found:
            self.assertAlmostEqual(float(cost) - float(found[0][1]), float(more), delta=0.02)


if __name__ == "__main__":
    unittest.main()
