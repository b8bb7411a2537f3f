// SPDX-License-Identifier: Apache-2.0
// P5: memory is the size of the ring file, allocated up front, and nothing more.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/stat.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "tests/support/child.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"

namespace shmring::testing {
namespace {

struct stat stat_of(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info;
}

/// Memory that is this process's own, in KiB. The ring's pages are shared, so they are not in it.
std::uint64_t anonymous_kib() {
  std::ifstream smaps("/proc/self/smaps_rollup");
  for (std::string word; smaps >> word;) {
    std::uint64_t kib = 0;
    if (word == "Anonymous:" && smaps >> kib) return kib;
  }
  ADD_FAILURE() << "no Anonymous: in /proc/self/smaps_rollup";
  return 0;
}

TEST(RingFileOnDisk, HasItsWholeSizeAllocatedFromTheStart) {
  const ScratchRing scratch({.blocks = 256, .block_bytes = 16384, .writers = 128});
  const struct stat info = stat_of(scratch.path());
  const Geometry geometry = scratch.attach().geometry();
  EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), geometry.file_bytes);
  EXPECT_EQ(geometry.capacity_bytes(), 256U * 16384U);
  EXPECT_GE(static_cast<std::uint64_t>(info.st_blocks) * 512, geometry.file_bytes);
  // What is not records: a header, and half a KiB for each writer and each block.
  EXPECT_LE(geometry.file_bytes - geometry.capacity_bytes(), 4096U + (256U + 128U) * 512U + 4096U);
}

TEST(RingFileOnDisk, DoesNotGrowWithRecordsOrChildren) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  const struct stat before = stat_of(promise.scratch().path());
  Drainer drainer(promise.file());
  for (std::uint32_t n = 0; n < scaled(1000); ++n) {
    ASSERT_TRUE(in_child([&] { return emit_many(logger, promise.obligations(), 2) == 2 ? 0 : 1; }).with(0));
    drainer.pass(promise.deliveries());
  }
  const struct stat after = stat_of(promise.scratch().path());
  EXPECT_EQ(after.st_size, before.st_size);
  EXPECT_EQ(after.st_blocks, before.st_blocks);
  promise.expect_kept(drainer);
}

TEST(PrivateMemory, OfAProducerDoesNotGrowWithItsRecords) {
  const ScratchRing scratch({.blocks = 256, .block_bytes = 16384});
  const Ring ring = scratch.open();
  const Logger logger = ring.logger("test");
  const auto emit = [&](std::uint32_t count) {
    std::uint32_t attempts = 0;
    for (std::uint32_t n = 0; n < count; ++n)
      attempts += logger.emit(Severity::kInfo, "text", {{"n", n}}) ? 1 : 1;
    return attempts;
  };
  emit(100'000);  // each page of the ring was touched once: what is counted below is growth
  const std::uint64_t before = anonymous_kib();
  const auto heap_before = ::mallinfo2().uordblks;
  EXPECT_EQ(emit(1'000'000), 1'000'000U);
  const auto heap_after = ::mallinfo2().uordblks;
  const std::uint64_t after = anonymous_kib();
  EXPECT_EQ(heap_after, heap_before);
  if (kSlowdown == 1) {
    EXPECT_LE(after, before + 64) << "KiB of private memory";  // a sanitizer's shadow counts as such
  }
  EXPECT_EQ(account(scratch.attach()).total.attempted(), 1'100'000U);
}

TEST(PrivateMemory, OfAnAttachedProgramIsSmall) {
  if (kSlowdown != 1) GTEST_SKIP() << "a sanitizer's shadow of the mapping counts as private memory";
  const ScratchRing scratch({.blocks = 2048, .block_bytes = 16384, .writers = 1024});
  const std::uint64_t before = anonymous_kib();
  const Ring ring = scratch.open();
  ASSERT_TRUE(ring.logger("test").emit(Severity::kInfo, "one record"));
  EXPECT_LE(anonymous_kib(), before + 256) << "KiB of private memory for a ring of 32 MiB";
}

}  // namespace
}  // namespace shmring::testing
