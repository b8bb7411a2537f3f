# SPDX-License-Identifier: Apache-2.0
"""A ring that cannot be made: strace answers a system call with an error of our choice, and `shmring create` must say what
failed and leave nothing behind. usage: injected_errors_test.py SHMRING_PROGRAM"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
CANNOT_OPEN = 3


def strace_works():
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(strace_works(), "there is no strace here, or it may trace nothing")
class FaultRingCreate(unittest.TestCase):
    def create(self, call, error):
        """Exit code, what it said, files left behind."""
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
            path = os.path.join(folder, "test.ring")
            trace = os.path.join(tempfile.gettempdir(), f"trace-{os.getpid()}")
            command = ["strace", "-f", "-o", trace, "-e", f"trace={call}", "-e", f"inject={call}:error={error}"]
            run = subprocess.run([*command, PROGRAM, "create", path, "--size", "64KiB", "--block-size", "4KiB"],
                                 capture_output=True, text=True, check=False)
            with open(trace, encoding="utf-8") as lines:
                self.assertIn("(INJECTED)", lines.read(), "the fault did not happen")
            os.unlink(trace)
            return run.returncode, run.stderr, os.listdir(folder)

    def assert_refused(self, call, error, *words):
        code, said, left = self.create(call, error)
        self.assertEqual(code, CANNOT_OPEN, said)
        for word in ("test.ring", *words):
            self.assertIn(word, said)
        self.assertEqual(left, [])

    def test_no_space(self):
        self.assert_refused("fallocate", "ENOSPC", "it needs", "free", "make the ring smaller")

    def test_an_input_output_error_while_it_is_allocated(self):
        self.assert_refused("fallocate", "EIO", "cannot allocate", "Input/output error")

    def test_an_input_output_error_while_it_is_given_its_name(self):
        self.assert_refused("linkat", "EIO", "cannot create", "Input/output error")

    def test_no_space_for_its_name(self):
        self.assert_refused("linkat", "ENOSPC", "No space left on device")

    def test_a_mode_that_cannot_be_set(self):
        self.assert_refused("fchmod", "EPERM", "cannot set the mode", "Operation not permitted")

    def test_a_file_system_that_cannot_be_examined(self):
        self.assert_refused("fstatfs", "EIO", "cannot examine the file system", "Input/output error")


if __name__ == "__main__":
    unittest.main()
