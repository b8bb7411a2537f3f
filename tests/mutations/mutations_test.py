# SPDX-License-Identifier: Apache-2.0
"""scripts/mutations.py, on mutations that are right and on the same ones with one thing wrong."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
sys.dont_write_bytecode = True
import mutations  # noqa: E402

MUTATION = """# SPDX-License-Identifier: Apache-2.0
# What is broken.
rule: R3
preset: dev
target: some_tests
check: Suite.Name
=== a.cpp
--- old
  if (one &&
      two) return;
--- new
  return;
--- old
three
--- new

=== b.cpp
--- old
four
--- new
five
"""


class Parsing(unittest.TestCase):
    def test_reads_what_is_broken_where_and_which_check_must_notice(self):
        mutation = mutations.parse("R3_X", MUTATION)
        self.assertEqual(mutation.about, "What is broken.")
        self.assertEqual(mutation.values, {"rule": "R3", "preset": "dev", "target": "some_tests", "check": "Suite.Name"})
        self.assertEqual([edit[0] for edit in mutation.edits], ["a.cpp", "a.cpp", "b.cpp"])
        self.assertEqual(mutation.edits[2][1:], ("four\n", "five\n"))

    def test_refuses_what_is_incomplete(self):
        for part in ("rule: R3\n", "preset: dev\n", "target: some_tests\n", "check: Suite.Name\n", "--- new\nfive\n"):
            with self.assertRaises(mutations.Unfit, msg=part):
                mutations.parse("R3_X", MUTATION.replace(part, ""))
        with self.assertRaises(mutations.Unfit):
            mutations.parse("R3_X", MUTATION.partition("===")[0])

    def test_reads_orders(self):
        first, second = mutations.parse_orders("# comment\nP1 | release | Suite.Name |\nP6 | acquire | - | the kernel's\n")
        self.assertEqual((first.name, first.end, mutations.runs(first)), ("P1_RELEASE_RELAXED", "release", True))
        self.assertEqual((second.values["survives"], mutations.runs(second)), ("the kernel's", False))
        for wrong in ("P1 | release", "P1 | relaxed | Suite.Name |"):
            with self.assertRaises(mutations.Unfit):
                mutations.parse_orders(wrong)


class Replacing(unittest.TestCase):
    def test_cares_for_words_not_for_white_space(self):
        text = mutations.replace_once("M", "a.cpp", "a();\n  if (one && two)\n    return;\nb();\n", "if (one &&\n two) return;", "c();")
        self.assertEqual(text, "a();\n  c();\nb();\n")

    def test_refuses_what_is_not_there_or_there_twice(self):
        for text in ("b", "a a"):
            with self.assertRaisesRegex(mutations.Unfit, "times in a.cpp"):
                mutations.replace_once("M", "a.cpp", text, "a", "c")


class Weakening(unittest.TestCase):
    def weaken(self, text, end, pair="P1"):
        return mutations.weaken(text, pair, end)

    def test_changes_the_one_end_of_the_one_pair(self):
        release = "w.store(1, std::memory_order_release);  // P1\n"
        self.assertEqual(self.weaken(release, "release"), (release.replace("release", "relaxed"), 1))
        self.assertEqual(self.weaken(release, "acquire"), (release, 0))
        self.assertEqual(self.weaken(release, "release", "P11"), (release, 0))

    def test_leaves_an_acq_rel_its_other_end(self):
        both = "w.compare_exchange_strong(a, b,\n    std::memory_order_acq_rel);  // P2, P1\n"
        self.assertEqual(self.weaken(both, "release"), (both.replace("acq_rel", "acquire"), 1))
        self.assertEqual(self.weaken(both, "acquire"), (both.replace("acq_rel", "release"), 1))

    def test_knows_which_ends_a_seq_cst_has(self):
        add = "w.fetch_add(1, std::memory_order_seq_cst);  // P1\n"
        load = "if (w.load(std::memory_order_seq_cst) != 0) f(w);  // P1\n"
        self.assertEqual(self.weaken(add, "release"), (add.replace("seq_cst", "acquire"), 1))
        self.assertEqual(self.weaken(load, "release"), (load, 0))
        self.assertEqual(self.weaken(load, "acquire"), (load.replace("seq_cst", "relaxed"), 1))

    def test_leaves_signal_fences_alone(self):
        fence = "std::atomic_signal_fence(std::memory_order_acq_rel);  // P1\n"
        self.assertEqual(self.weaken(fence, "release"), (fence, 0))


if __name__ == "__main__":
    unittest.main()
