# SPDX-License-Identifier: Apache-2.0
"""scripts/check_faults.py: which names it reads out of a table, and which it misses."""

import importlib.util
import pathlib
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_faults.py"
spec = importlib.util.spec_from_file_location("check_faults", SCRIPT)
check_faults = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_faults)


class CheckFaults(unittest.TestCase):
    def test_reads_names_out_of_rows_only(self):
        text = "`Not.InARow`\n| fault | N | `A.B`, `I/P.Case/One`, `S.*` | `recover`, `ring_path.cpp` |\n"
        self.assertEqual(check_faults.named_tests(text), ["A.B", "I/P.Case/One", "S.*"])

    def test_a_name_must_be_there_whole(self):
        known = ["A.Bc", "S.X"]
        self.assertEqual(check_faults.missing(["A.B", "A.Bc", "S.*", "T.*"], known), ["A.B", "T.*"])


if __name__ == "__main__":
    unittest.main()
