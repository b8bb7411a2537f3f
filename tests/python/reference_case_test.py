# SPDX-License-Identifier: Apache-2.0
"""The reference case, side by side in one run, from the log call to the server: a small one, of forked workers."""

import in_environment

in_environment.enter()

import json
import os
import pathlib
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "bench/python/reference_case.py"
TASKS = 1000


class ReferenceCase(unittest.TestCase):
    def test_what_waits_in_a_batch_processor_is_lost_and_what_is_in_the_ring_is_not(self):
        output = subprocess.run([sys.executable, PROGRAM, "--json", "--tasks", str(TASKS), "--methods", "fork", "--rows",
                                 "batch,processor,handler", "--flusher", os.environ["SHMRING_FLUSHER"]], check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        arrived = {row["row"]: row["arrived"] for row in map(json.loads, output.splitlines())}
        self.assertEqual((arrived["processor"], arrived["handler"]), (TASKS, TASKS))
        self.assertLess(arrived["batch"], TASKS)


if __name__ == "__main__":
    unittest.main()
