# SPDX-License-Identifier: Apache-2.0
"""Celery with worker_max_tasks_per_child=1: of each task a span and a log record arrive, though its child ends with it. The tasks are
examples/celery_tasks.py, the broker is a folder."""

import in_environment

in_environment.enter()

import os
import pathlib
import signal
import subprocess
import sys
import unittest

from support import RingTest, attributes, eventually, plain, records, writers

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
TASKS = 40


class Celery(RingTest):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.path).parent
        self.environment = dict(os.environ, SHMRING_PATH=self.path, PYTHONPATH=f"{EXAMPLES}:{os.environ['PYTHONPATH']}")

    def run_them(self):
        """Until the worker says that each has succeeded. Then all is killed: nobody has time to send what waits."""
        log = self.folder / "log"
        with open(log, "w") as output:
            worker = subprocess.Popen([sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "--pool", "prefork", "--concurrency", "20",
                                       "--loglevel", "INFO"],
                                      env=self.environment, cwd=self.folder, stdout=output, stderr=output, start_new_session=True)
        try:
            done = eventually(lambda: log.read_text().count(" succeeded in ") >= TASKS or worker.poll() is not None)
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self.assertTrue(done and log.read_text().count(" succeeded in ") == TASKS, log.read_text())

    def test_each_task_of_children_of_one_task_arrives(self):
        subprocess.run([sys.executable, EXAMPLES / "celery_tasks.py"], env=self.environment, cwd=self.folder, check=True)
        self.run_them()
        logs = {plain(record["body"]): record for scope, record in records(self.path) if scope == "orders"}
        spans = [span for _, span in records(self.path, "resourceSpans", "scopeSpans", "spans")]
        self.assert_bodies((f"order {number} placed" for number in range(TASKS)), scope="orders")
        self.assertEqual(sorted(attributes(span["attributes"])["order.id"] for span in spans), list(range(TASKS)))
        for span in spans:
            log = logs[f"order {attributes(span['attributes'])['order.id']} placed"]
            self.assertEqual((log["traceId"], log["spanId"]), (span["traceId"], span["spanId"]))
        self.assertEqual(len(writers(self.path, "resourceSpans")), TASKS)


if __name__ == "__main__":
    unittest.main()
