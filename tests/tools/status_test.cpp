// SPDX-License-Identifier: Apache-2.0
// shmring status on real rings.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libshmring/ring_file.hpp"
#include "program.hpp"
#include "shmring/logger.hpp"

namespace shmring::tools::test {
namespace {

nlohmann::json status_json(const std::string& ring) {
  return nlohmann::json::parse(shmring({"status", ring, "--output", "json"}).out);
}

TEST(StatusOfARing, CountsWhatWasWritten) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path()}, "one\ntwo\nthree\n").exit_code, 0);
  const auto json = status_json(ring.path());
  EXPECT_EQ(json["accounting"]["written"], 3);
  EXPECT_EQ(json["accounting"]["pending"], 3);
  EXPECT_EQ(json["accounting"]["signals"]["logs"]["written"], 3);
  EXPECT_EQ(json["accounting"]["closes"], true);
  EXPECT_EQ(json["ring"]["blocks"]["open"], 1);
  EXPECT_EQ(json["writers"]["dead"], 1);
  EXPECT_EQ(json["flusher"]["state"], "none");
  EXPECT_FALSE(json["ring"]["oldest_age_ms"].is_null());
  const Ended text = shmring({"status", ring.path()});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("The accounting closes."), std::string::npos) << text.out;
}

TEST(StatusOfARing, SeesWhoLives) {
  const TestRing ring;
  const auto mine = Ring::open(ring.path());
  ASSERT_TRUE(mine);
  ASSERT_TRUE(mine->logger("test").emit(Severity::kInfo, "here"));
  EXPECT_EQ(status_json(ring.path())["writers"]["live"], 1);
}

TEST(StatusOfARing, IsBadNewsWhenOneCounterIsOneOff) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path(), "--body", "x"}).exit_code, 0);
  ASSERT_EQ(shmring({"status", ring.path()}).exit_code, 0);
  const auto file = RingFile::attach(ring.path());
  ASSERT_TRUE(file);
  const auto& descriptor = file->descriptors()[0];
  const std::uint32_t set = ExportedWord::unpack(descriptor.exported.load()).set;
  file->descriptors()[0].outcomes[set][0][0].fetch_add(1);
  const Ended ended = shmring({"status", ring.path()});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.out.find("DOES NOT CLOSE"), std::string::npos) << ended.out;
  EXPECT_EQ(status_json(ring.path())["accounting"]["closes"], false);
}

TEST(StatusOfARing, IsBadNewsWhenSomethingWasDropped) {
  const TestRing ring;
  const auto file = RingFile::attach(ring.path());
  ASSERT_TRUE(file);
  file->header().dropped[0][static_cast<std::size_t>(DropCause::kNoWriterSlot)].fetch_add(2);
  EXPECT_EQ(shmring({"status", ring.path()}).exit_code, 1);
  const auto json = status_json(ring.path());
  EXPECT_EQ(json["accounting"]["dropped"]["no_writer_slot"], 2);
  EXPECT_EQ(json["accounting"]["attempted"], 2);
  EXPECT_EQ(json["accounting"]["closes"], true);
}

TEST(StatusOfARing, ChecksThresholds) {
  const TestRing ring;
  const Ended without = shmring({"status", ring.path(), "--check"});
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_TRUE(without.out.starts_with("SHMRING CRITICAL: no flusher")) << without.out;
  EXPECT_EQ(lines(without.out).size(), 1U);

  Program holder({LEASE_HOLDER_PROGRAM, ring.path(), "fresh"});
  ASSERT_TRUE(eventually([&] { return holder.out_so_far() == "ready\n"; }));
  const Ended fine = shmring({"status", ring.path(), "--check", "--max-heartbeat-age", "1h"});
  EXPECT_EQ(fine.exit_code, 0) << fine.out;
  EXPECT_TRUE(fine.out.starts_with("SHMRING OK")) << fine.out;
  const auto file = RingFile::attach(ring.path());
  ASSERT_TRUE(file);
  file->header().dropped[0][0].fetch_add(3);
  EXPECT_EQ(shmring({"status", ring.path(), "--check", "--max-heartbeat-age", "1h"}).exit_code, 1);
  EXPECT_EQ(
      shmring({"status", ring.path(), "--check", "--max-heartbeat-age", "1h", "--max-drops", "3"}).exit_code,
      0);
  EXPECT_EQ(shmring({"status", ring.path(), "--max-drops", "3"}).exit_code, 2)
      << "a threshold without --check";
}

}  // namespace
}  // namespace shmring::tools::test
