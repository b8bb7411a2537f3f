// SPDX-License-Identifier: Apache-2.0
// A child knows that it is one, and is another instance.
#include "libshmring/fork_page.hpp"

#include <gtest/gtest.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

TEST(ForkPage, IsOnePagePerProcess) {
  const auto first = prepare_fork_page();
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, *prepare_fork_page());
}

TEST(ForkPage, KeepsGenerationAndInstanceWithinAProcess) {
  ASSERT_TRUE(prepare_fork_page());
  EXPECT_EQ(process_generation(), process_generation());
  EXPECT_NE(process_generation(), 0U);
  EXPECT_EQ(process_instance().high, process_instance().high);
  EXPECT_NE(process_instance().high, process_instance().low);
}

TEST(ForkPageProcesses, IsWipedInAChildAndInItsChild) {
  const auto page = prepare_fork_page();
  ASSERT_TRUE(page);
  const std::uint64_t generation = process_generation();
  const InstanceId instance = process_instance();
  EXPECT_EQ(test::in_child([&] {
              if ((*page)->generation.load() != 0) return 1;
              const std::uint64_t childs = process_generation();
              if (childs == generation || process_instance().low == instance.low) return 2;
              return test::in_child([&] {
                return process_generation() != childs && process_generation() != generation ? 0 : 3;
              });
            }),
            0);
  EXPECT_EQ(process_generation(), generation);
  EXPECT_EQ(process_instance().low, instance.low);
}

}  // namespace
}  // namespace shmring
