// SPDX-License-Identifier: Apache-2.0
// FAULTS: creator killed at every step. Until the file has its name nobody else sees a byte of it, and between two system
// calls nothing changes for others: so the creator is really killed before and after each system call.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "tests/crash/stepper.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {
namespace {

OpenOptions small(const std::filesystem::path& path) {
  return {.path = path,
          .capacity_bytes = 8U * 4096U,
          .block_bytes = 4096,
          .writers = 4,
          .resource = {.service_name = "test"}};
}

/// What is left is nothing, or one whole ring; and whoever comes next gets a ring and can write.
void expect_usable(const ScratchFolder& folder, const std::filesystem::path& path) {
  const auto files = std::filesystem::directory_iterator(folder.path());
  EXPECT_LE(std::distance(begin(files), end(files)), 1);
  // A creator that died after the ring had its name has left it whole.
  if (std::filesystem::exists(path)) {
    EXPECT_TRUE(RingFile::attach(path));
  }
  EXPECT_TRUE(in_child([&] {
                const auto ring = Ring::open_or_create(small(path));
                return ring && ring->prepare_thread() ? 0 : 1;
              }).with(0));
  const RingFile file = value_or_abort(RingFile::attach(path));
  const auto findings = fsck(file);
  EXPECT_TRUE(std::ranges::none_of(
      findings, [](const Finding& f) { return f.severity == Finding::Severity::kDamage; }));
  EXPECT_EQ(account(file).blocks.free, 8U);
}

TEST(CreatorKilledAtEverySystemCall, LeavesNothingOrAWholeRing) {
  std::uint32_t deaths = 0;
  std::uint32_t with_ring = 0;
  for (bool reached = true; reached && !::testing::Test::HasFailure(); ++deaths) {
    const ScratchFolder folder;
    const std::filesystem::path path = folder.path() / "test.ring";
    Tracee creator([] {}, [&path] { static_cast<void>(Ring::open_or_create(small(path))); });
    for (std::uint32_t n = 0; reached && n < deaths; ++n) reached = creator.to_system_call();
    EXPECT_EQ(creator.mishap(), "");
    creator.kill();
    with_ring += std::filesystem::exists(path) ? 1 : 0;
    SCOPED_TRACE("killed at the beginning or end number " + std::to_string(deaths) + " of a system call");
    expect_usable(folder, path);
  }
  std::printf("%u deaths, %u of them after the ring had its name\n", deaths, with_ring);
  EXPECT_GT(with_ring, 1U);
  EXPECT_GT(deaths, with_ring + 10);
}

}  // namespace
}  // namespace shmring::testing
