# SPDX-License-Identifier: Apache-2.0
"""The README shows the example that is in the repository, and that does what the README says."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

from support import RingTest, attributes, logs, records, writers

PROJECT = pathlib.Path(__file__).resolve().parents[2]
POOL = PROJECT / "examples/process_pool.py"
WORKERS = PROJECT / "examples/multiprocessing_workers.py"


class Examples(RingTest):
    def test_the_readme_shows_the_pool(self):
        (shown,) = re.findall(r"<!-- python:begin -->\n```python\n(.*?)```\n<!-- python:end -->", (PROJECT / "README.md").read_text(), re.S)
        program = "".join(line for line in POOL.read_text().splitlines(keepends=True) if not line.startswith("#"))
        self.assertEqual(shown, program)

    def test_every_record_of_the_pool_arrives(self):
        subprocess.run([sys.executable, POOL], check=True, env=dict(os.environ, SHMRING_PATH=self.path))
        self.assert_bodies(f"order {number} placed" for number in range(1000))
        self.assertEqual({attributes(record["attributes"])["order.id"] for record in logs(self.path)}, set(range(1000)))
        self.assertEqual({scope for scope, _ in records(self.path)}, {"orders"})

    def test_every_record_of_a_process_for_each_task_arrives_of_the_killed_one_too(self):
        for method in ("fork", "spawn"):
            with self.subTest(method):
                self.path = f"{self.path}.{method}"
                subprocess.run([sys.executable, WORKERS, method], check=True, env=dict(os.environ, SHMRING_PATH=self.path))
                self.assert_bodies(f"order {number} placed" for number in range(10))
                self.assertEqual(len(writers(self.path)), 10)


if __name__ == "__main__":
    unittest.main()
