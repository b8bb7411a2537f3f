// SPDX-License-Identifier: Apache-2.0
// A ring on a disk outlives the machine's boot: it is set aside, drained, and removed.

#include "libshmring/earlier_boot.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "libshmring/accounting.hpp"
#include "libshmring/identity.hpp"
#include "shmring/shmring.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

using testing::FlusherProcess;
using testing::Medium;
using testing::ScratchRing;

/// As if the machine had been started anew since the ring was made.
void boot_anew(const ScratchRing& ring) {
  const RingFile file = ring.attach();
  RingIdentity identity = file.identity();
  for (std::uint8_t& byte : identity.boot_id) byte = static_cast<std::uint8_t>(byte + 1);
  identity.checksum = identity_checksum(identity);
  ASSERT_EQ(::pwrite(file.fd(), &identity, sizeof(identity), 0), static_cast<ssize_t>(sizeof(identity)));
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> arguments(const ScratchRing& ring) {
  return {"--ring", ring.path(), "--file", ring.folder() / "out.jsonl", "--once"};
}

TEST(EarlierBoot, ARingOnADiskIsSetAsideByTheNextProducerAndDrainedByTheNextFlusher) {
  const ScratchRing ring({.blocks = 16, .medium = Medium::kDisk});
  ASSERT_TRUE(ring.open().logger("test").emit(Severity::kInfo, "before the boot"));
  boot_anew(ring);

  const auto fresh =
      Ring::open_or_create({.path = ring.path(), .capacity_bytes = 65536, .block_bytes = 4096});
  ASSERT_TRUE(fresh) << fresh.error().message;
  ASSERT_TRUE(fresh->logger("test").emit(Severity::kInfo, "after the boot"));
  ASSERT_EQ(rings_set_aside(ring.path()).size(), 1U);

  FlusherProcess flusher(SHMRING_FLUSHER, arguments(ring), ring.folder() / "flusher.log");
  EXPECT_EQ(flusher.wait(), 0) << flusher.log_text();
  const std::string out = text_of(ring.folder() / "out.logs.jsonl");
  EXPECT_NE(out.find("before the boot"), std::string::npos);
  EXPECT_NE(out.find("after the boot"), std::string::npos);
  EXPECT_TRUE(rings_set_aside(ring.path()).empty());
  EXPECT_EQ(account(ring.attach()).total.pending, 0U);
}

TEST(EarlierBoot, AFlusherThatComesFirstSetsTheRingAsideItself) {
  const ScratchRing ring({.blocks = 16, .medium = Medium::kDisk});
  ASSERT_TRUE(ring.open().logger("test").emit(Severity::kInfo, "before the boot"));
  boot_anew(ring);
  FlusherProcess flusher(SHMRING_FLUSHER, arguments(ring), ring.folder() / "flusher.log");
  EXPECT_EQ(flusher.wait(), 0) << flusher.log_text();
  EXPECT_NE(text_of(ring.folder() / "out.logs.jsonl").find("before the boot"), std::string::npos);
  EXPECT_TRUE(rings_set_aside(ring.path()).empty());
  EXPECT_FALSE(ring.attach().of_an_earlier_boot());
}

TEST(EarlierBoot, ARingThatCannotBeDeliveredWaitsForTheNextStart) {
  const ScratchRing ring({.blocks = 16, .medium = Medium::kDisk});
  ASSERT_TRUE(ring.open().logger("test").emit(Severity::kInfo, "before the boot"));
  boot_anew(ring);
  auto nowhere = arguments(ring);
  nowhere.insert(nowhere.end(),
                 {"--exporter", "otlp", "--endpoint", "http://127.0.0.1:1", "--shutdown-timeout", "50ms"});
  EXPECT_TRUE(FlusherProcess(SHMRING_FLUSHER, nowhere, ring.folder() / "flusher.log").wait().has_value());
  ASSERT_EQ(rings_set_aside(ring.path()).size(), 1U);
  EXPECT_EQ(FlusherProcess(SHMRING_FLUSHER, arguments(ring), ring.folder() / "flusher.log").wait(), 0);
  EXPECT_TRUE(rings_set_aside(ring.path()).empty());
}

TEST(EarlierBoot, ARingInMemoryIsNeverOfAnEarlierBoot) {
  const ScratchRing ring({.blocks = 16});
  boot_anew(ring);  // a container is shown a boot id of its own
  EXPECT_FALSE(ring.attach().of_an_earlier_boot());
}

}  // namespace
}  // namespace shmring::flusher
