# SPDX-License-Identifier: Apache-2.0
"""gunicorn: of each request a span and a log record arrive, though its worker ends after it, or is killed. The application is examples/gunicorn_app.py.

40 requests to workers that begin as copies of their parent. Without --preload each loads all modules anew: 5 then, or what SHMRING_TEST_REQUESTS says."""

import in_environment

in_environment.enter()

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import unittest

from support import RingTest, attributes, eventually, plain, records, writers

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
WORKERS = 2
THREADS = ("--worker-class", "gthread", "--threads", "2")


class Connection(http.client.HTTPConnection):
    """To a server at a socket that has a path."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.host)


class Gunicorn(RingTest):
    def start(self, *arguments):
        folder = pathlib.Path(self.path).parent
        self.socket, log = folder / "http.socket", folder / "log"
        command = [sys.executable, "-m", "gunicorn", "--chdir", EXAMPLES, "--bind", f"unix:{self.socket}", "--no-control-socket", "--workers", WORKERS,
                   "--worker-tmp-dir", folder, "--log-file", log, *arguments, "gunicorn_app:app"]
        self.server = subprocess.Popen([str(each) for each in command], env=dict(os.environ, SHMRING_PATH=self.path), start_new_session=True)
        self.addCleanup(self.kill)
        self.assertTrue(eventually(lambda: self.socket.exists() or self.server.poll() is not None))
        self.assertIsNone(self.server.poll(), log.exists() and log.read_text())

    def kill(self):
        if self.server.returncode is None:
            os.killpg(self.server.pid, signal.SIGKILL)  # the workers, too: nobody has time to send what waits
            self.server.wait()

    def request(self, path):
        """Again, where the connection ended without an answer: a worker that stops closes those that it has not read from."""

        def answered():
            connection = Connection(str(self.socket))
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                self.assertEqual((answer.status, answer.read()), (200, b"an order\n"))
                return True
            except ConnectionError:
                return False
            finally:
                connection.close()

        self.assertTrue(eventually(answered))

    def assert_each_arrives(self, paths, *arguments):
        self.start(*arguments)
        for path in paths:
            self.request(path)
        self.kill()
        logs = {plain(record["body"]): record for _, record in records(self.path)}
        spans = {attributes(span["attributes"])["url.path"]: span for _, span in records(self.path, "resourceSpans", "scopeSpans", "spans")}
        self.assertEqual(sorted(logs), sorted(f"shown: {path}" for path in paths))
        self.assertEqual(sorted(spans), sorted(paths))
        self.assertEqual((len(records(self.path)), len(records(self.path, "resourceSpans", "scopeSpans", "spans"))), (len(paths), len(paths)))
        for path, span in spans.items():
            log = logs[f"shown: {path}"]
            self.assertEqual((log["traceId"], log["spanId"]), (span["traceId"], span["spanId"]))
        return writers(self.path)

    def recycled(self, count, *arguments):
        count = int(os.environ.get("SHMRING_TEST_REQUESTS", count))
        workers = self.assert_each_arrives([f"/order/{number}" for number in range(count)], "--max-requests", "1", *arguments)
        if "gthread" in arguments:  # such a worker takes what its other threads have begun, too
            self.assertGreater(len(workers), WORKERS)
        else:
            self.assertEqual(len(workers), count)

    def test_sync_workers_of_one_request(self):
        self.recycled(5)

    def test_workers_with_threads_of_one_request(self):
        self.recycled(5, *THREADS)

    def test_preloaded_sync_workers_of_one_request(self):
        self.recycled(40, "--preload")

    def test_preloaded_workers_with_threads_of_one_request(self):
        self.recycled(40, "--preload", *THREADS)

    def test_workers_that_are_killed_right_after_the_last_answer(self):
        workers = self.assert_each_arrives([f"/order/{number}" for number in range(40)], "--preload", *THREADS)
        self.assertLessEqual(len(workers), WORKERS)


if __name__ == "__main__":
    unittest.main()
