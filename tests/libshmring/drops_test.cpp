// SPDX-License-Identifier: Apache-2.0
// Every drop is counted; the program is told once per cause and process.
#include <gtest/gtest.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::emit;
using test::TestRing;

std::vector<DropCause> told;
void note(DropCause cause, std::string_view message) {
  EXPECT_FALSE(message.empty());
  told.push_back(cause);
}

bool reserve_too_much(const Ring& ring) {
  return static_cast<bool>(ring.writer().try_reserve(RecordKind::kLog, 1U << 20U));
}

TEST(ErrorHandler, IsToldOncePerCauseAndProcess) {
  const TestRing ring;
  const Ring opened = ring.open();
  told.clear();
  EXPECT_EQ(set_error_handler(&note), nullptr);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(reserve_too_much(opened));
  EXPECT_EQ(told, std::vector<DropCause>{DropCause::kTooLarge});
  for (std::uint32_t i = 0; i < 4; ++i) test::seal_with(ring, i, {"x"});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(emit(opened, "a"));
  EXPECT_EQ(told, (std::vector<DropCause>{DropCause::kTooLarge, DropCause::kRingFull}));
  EXPECT_EQ(set_error_handler(nullptr), &note);
  EXPECT_EQ(ring.slot_drops(0, DropCause::kTooLarge), 3U);
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 3U);
}

TEST(ErrorHandler, IsNeverToldFromWithinAnEmit) {
  const TestRing ring;
  const Ring opened = ring.open();
  told.clear();
  set_error_handler(&note);
  const auto slot = opened.writer().try_reserve(RecordKind::kLog, 1);
  const auto nested = opened.writer().try_reserve(RecordKind::kLog, 1);
  EXPECT_FALSE(opened.writer().try_reserve(RecordKind::kLog, 1));
  set_error_handler(nullptr);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(ring.slot_drops(0, DropCause::kNested), 1U);
}

TEST(ErrorHandlerProcesses, IsToldAgainInAChild) {
  const TestRing ring;
  const Ring opened = ring.open();
  set_error_handler(&note);
  EXPECT_FALSE(reserve_too_much(opened));
  EXPECT_EQ(test::in_child([&] {
              told.clear();
              for (int i = 0; i < 2; ++i) static_cast<void>(reserve_too_much(opened));
              return static_cast<int>(told.size());
            }),
            1);
  set_error_handler(nullptr);
}

}  // namespace
}  // namespace shmring
