// SPDX-License-Identifier: Apache-2.0
// FAULTS: another libc on one ring. A program of musl locks a slot's mutex and dies; what is in the slot then tells nobody of
// it, and the tag that musl's own mutex leads to is refused.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "libshmring/identity.hpp"
#include "libshmring/robust_mutex.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {
namespace {

TEST(FaultRingLibc, AnotherLibcsMutexTellsNobodyOfItsDeathAndItsRingIsRefused) {
  const std::string program = SHMRING_MUSL_WRITER;
  if (program.empty()) GTEST_SKIP() << "there was no musl-gcc when this was built";
  const ScratchRing ring({.blocks = 8});
  const RingFile file = ring.attach();
  WriterSlot& slot = file.slots()[0];
  FlusherProcess writer(program, {ring.path(), std::to_string(file.geometry().slots_offset)},
                        ring.folder() / "out");
  ASSERT_EQ(writer.wait(), 0) << writer.log_text();
  EXPECT_EQ(futex_word(slot) & kFutexOwnerDied, 0U) << "its death can be seen: then why refuse it?";

  RingIdentity identity = file.identity();
  identity.abi_tag = static_cast<std::uint32_t>(std::strtoul(writer.log_text().c_str(), nullptr, 10));
  ASSERT_NE(identity.abi_tag & 0xFFU, abi_tag() & 0xFFU) << "the same place of the word";
  ASSERT_NE(identity.abi_tag & 0xFFU, 255U) << "the word was not found";
  identity.checksum = identity_checksum(identity);
  ASSERT_EQ(::pwrite(file.fd(), &identity, sizeof(identity), 0), static_cast<ssize_t>(sizeof(identity)));
  const auto attached = RingFile::attach(ring.path());
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().code, ErrorCode::kIncompatibleAbi);
  for (const char* word : {"musl", "glibc", "give this program a ring of its own"}) {
    EXPECT_NE(attached.error().message.find(word), std::string::npos) << attached.error().message;
  }
}

}  // namespace
}  // namespace shmring::testing
