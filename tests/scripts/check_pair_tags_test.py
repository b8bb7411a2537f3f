# SPDX-License-Identifier: Apache-2.0
"""scripts/check_pair_tags.py, on snippets that are right and on the same ones with one thing wrong."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
sys.dont_write_bytecode = True
import check_pair_tags  # noqa: E402

TABLE = """
//  P1  word.committed   release: writer           acquire: reader, walker   the bytes below it
//  P2  word.state       release: claim, recycle acquire: claim              the reset words
"""

SOURCE = """
word.committed.store(1, std::memory_order_release);  // P1
// P1
auto c = word.committed.load(std::memory_order_acquire);
if (word.state.compare_exchange_strong(expected, desired,
                                       std::memory_order_acq_rel,  // P2: hands over
                                       std::memory_order_relaxed)) {  // the failed value is not used
}
auto hint = header.hint.load(std::memory_order_relaxed);  // a hint; the CAS decides
"""


def errors(source=SOURCE, table=TABLE):
    return check_pair_tags.check(table, {"a.cpp": source})


class CheckPairTags(unittest.TestCase):
    def test_finds_nothing_where_every_order_is_tagged(self):
        self.assertEqual(errors(), [])

    def test_names_file_and_line_of_a_release_without_tag(self):
        found = errors(SOURCE.replace("release);  // P1", "release);"))
        self.assertIn("a.cpp:2: release without the tag of its pair", found)

    def test_names_an_acquire_without_tag(self):
        self.assertIn("a.cpp:4: acquire without the tag of its pair", errors(SOURCE.replace("\n// P1\n", "\n\n")))

    def test_a_tag_two_lines_above_is_too_far_away(self):
        self.assertIn("a.cpp:5: acquire without the tag of its pair", errors(SOURCE.replace("\n// P1\n", "\n// P1\n\n")))

    def test_the_tag_of_the_statement_above_does_not_count(self):
        found = errors(SOURCE + "word.committed.store(2, std::memory_order_release);  // P1\n"
                                "word.committed.store(3, std::memory_order_release);\n")
        self.assertEqual(found, ["a.cpp:11: release without the tag of its pair"])

    def test_any_other_words_do_not_replace_a_tag(self):
        found = errors(SOURCE.replace("release);  // P1", "release);  // publishes"))
        self.assertIn("a.cpp:2: release without the tag of its pair", found)

    def test_knows_a_tag_that_the_table_does_not(self):
        found = errors(SOURCE.replace("release);  // P1", "release);  // P1, P7"))
        self.assertEqual(found, ["a.cpp:2: P7 is not in the table of include/shmring/layout.hpp"])

    def test_misses_the_other_end_of_a_pair(self):
        found = errors(SOURCE.replace("std::memory_order_acquire", "std::memory_order_relaxed"))
        self.assertEqual(found, ["include/shmring/layout.hpp: P1 has no acquire end in the sources"])

    def test_misses_both_ends_of_a_row_that_nobody_uses(self):
        found = errors(table=TABLE + "//  P3  word.freed  release: recycle  acquire: waiter  a free block\n")
        self.assertEqual(len([e for e in found if "P3 has no" in e]), 2)

    def test_an_acq_rel_is_both_ends(self):
        self.assertEqual(errors(SOURCE.replace("acq_rel", "acquire")),
                         ["include/shmring/layout.hpp: P2 has no release end in the sources"])

    def test_a_tagged_seq_cst_is_both_ends_and_an_untagged_one_none(self):
        self.assertEqual(errors(SOURCE.replace("acq_rel", "seq_cst")), [])
        found = errors(SOURCE.replace("acq_rel,  // P2: hands over", "seq_cst,  // with the waiter's"))
        self.assertEqual(len(found), 2)
        found = errors(SOURCE.replace("acq_rel,  // P2", "seq_cst,  // P9"))
        self.assertIn("a.cpp:6: P9 is not in the table of include/shmring/layout.hpp", found)

    def test_an_end_in_the_kernel_is_not_looked_for(self):
        found = errors(SOURCE + "auto w = mutex.load(std::memory_order_acquire);  // P3\n",
                       TABLE + "//  P3  mutex word  release: kernel  acquire: liveness  the owner's death\n")
        self.assertEqual(found, [])

    def test_relaxed_and_seq_cst_need_a_reason(self):
        found = errors(SOURCE.replace("  // a hint; the CAS decides", ""))
        self.assertEqual(found, ["a.cpp:9: relaxed without a comment that says why it is the right one"])
        found = errors(SOURCE + "\nstd::atomic_thread_fence(std::memory_order_seq_cst);\n")
        self.assertEqual(found, ["a.cpp:11: seq_cst without a comment that says why it is the right one"])

    def test_a_fence_between_threads_needs_a_tag_and_a_signal_fence_a_reason(self):
        found = errors(SOURCE + "std::atomic_thread_fence(std::memory_order_release);  // why\n")
        self.assertEqual(found, ["a.cpp:10: release without the tag of its pair"])
        self.assertEqual(errors(SOURCE + "std::atomic_signal_fence(std::memory_order_release);  // own handlers\n"), [])
        found = errors(SOURCE + "std::atomic_signal_fence(std::memory_order_release);\n")
        self.assertEqual(len(found), 1)

    def test_an_operation_that_names_no_order_is_found(self):
        for call in ("word.load()", "word->store(1)", "word.fetch_add(1)", "word.compare_exchange_weak(a, b)"):
            self.assertEqual(errors(SOURCE + call + ";\n"), ["a.cpp:10: an atomic operation without a memory order"])

    def test_the_other_spellings_of_an_order_count_too(self):
        found = errors(SOURCE + "x.load(std::memory_order::acquire);\n\n__atomic_load_n(p, __ATOMIC_ACQUIRE);\n")
        self.assertEqual(len(found), 2)

    def test_orders_and_tags_in_literals_and_comments_mean_nothing(self):
        self.assertEqual(errors(SOURCE + 'auto s = "memory_order_release";  // memory_order_release\n'), [])
        found = errors(SOURCE + 'f(std::memory_order_release, "// P1");\n')
        self.assertEqual(found, ["a.cpp:10: release without the tag of its pair"])
        self.assertEqual(errors(SOURCE + "auto n = 1'000'000; f(std::memory_order_release);  // P1\n"), [])

    def test_a_layout_without_table_is_an_error(self):
        self.assertEqual(len(errors(table="// no rows here")), 1)


if __name__ == "__main__":
    unittest.main()
