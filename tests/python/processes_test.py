# SPDX-License-Identifier: Apache-2.0
"""Children of multiprocessing and concurrent.futures: however they end, all that they logged is there. Their code does nothing for it but log."""

import concurrent.futures
import logging
import multiprocessing
import os
import signal
import unittest

import shmring
from support import RingTest, bodies

TASKS = 1000
# As a program does it, when it is loaded: children of `spawn` and `forkserver` load it again.
if "SHMRING_TEST_RING" in os.environ:
    logging.getLogger("tasks").addHandler(shmring.Handler(path=os.environ["SHMRING_TEST_RING"]))


def log_and_return(number):
    logging.getLogger("tasks").warning("task %d", number)
    return os.getpid()


def log_and_exit(number):
    logging.getLogger("tasks").warning("task %d", number)
    os._exit(0)


def log_and_die(number):
    logging.getLogger("tasks").warning("task %d", number)
    os.kill(os.getpid(), signal.SIGKILL)


class Processes(RingTest):
    def setUp(self):
        super().setUp()
        handler = shmring.Handler(path=self.path, capacity_bytes=32 << 20)
        logging.getLogger("tasks").addHandler(handler)
        self.addCleanup(logging.getLogger("tasks").removeHandler, handler)
        os.environ["SHMRING_TEST_RING"] = self.path
        self.addCleanup(os.environ.pop, "SHMRING_TEST_RING")
        self.ring = handler.ring

    def assert_all_arrived(self):
        self.assert_bodies(f"task {number}" for number in range(TASKS))
        status = self.ring.status()
        self.assertEqual((status["written"], sum(status["dropped"].values()), status["closes"]), (TASKS, 0, True))

    def one_process_each(self, target, exit_code):
        forks = multiprocessing.get_context("fork")
        for first in range(0, TASKS, 8):
            some = [forks.Process(target=target, args=(number,)) for number in range(first, first + 8)]
            for process in some:
                process.start()
            for process in some:
                process.join()
                self.assertEqual(process.exitcode, exit_code)
        self.assert_all_arrived()

    def test_processes_that_end_by_exit_right_after_the_log_call(self):
        self.one_process_each(log_and_exit, 0)

    def test_processes_that_are_killed_right_after_the_log_call(self):
        self.one_process_each(log_and_die, -signal.SIGKILL)

    def pool(self, method):
        with concurrent.futures.ProcessPoolExecutor(8, mp_context=multiprocessing.get_context(method)) as pool:
            workers = set(pool.map(log_and_return, range(TASKS)))
        self.assertNotIn(os.getpid(), workers)
        self.assert_all_arrived()

    def test_a_pool_of_forked_workers(self):
        self.pool("fork")

    def test_a_pool_of_spawned_workers(self):
        self.pool("spawn")

    def test_a_pool_of_a_fork_server(self):
        self.pool("forkserver")

    def test_a_parent_with_threads_forks_while_they_log(self):
        stop = []
        parent = logging.getLogger("tasks")

        def keep_logging():
            for _ in range(10000):  # the ring has room for them all
                if stop:
                    break
                parent.handle(parent.makeRecord("busy", 30, "f", 1, "busy", (), None))

        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            running = [threads.submit(keep_logging) for _ in range(2)]
            forks = multiprocessing.get_context("fork")
            children = [forks.Process(target=log_and_die, args=(number,)) for number in range(20)]
            for child in children:
                child.start()
                child.join()
            stop.append(True)
            for each in running:
                each.result()
        arrived = [body for body in bodies(self.path) if body.startswith("task")]
        self.assertEqual(sorted(arrived), sorted(f"task {number}" for number in range(20)))


if __name__ == "__main__":
    unittest.main()
