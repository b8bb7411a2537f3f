// SPDX-License-Identifier: Apache-2.0
// shmring status on real rings.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "libshmring/lease.hpp"
#include "libshmring/reader.hpp"
#include "libshmring/ring_file.hpp"
#include "program.hpp"
#include "shmring/logger.hpp"
#include "spool/destination_note.hpp"
#include "spool/spool_file.hpp"
#include "spool/spool_note.hpp"

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

/// A ring from which two records were handed over to a spool, and acknowledged.
struct Spooled {
  TestRing ring;
  std::filesystem::path folder = std::filesystem::path(ring.path()).parent_path() / "spool";

  Spooled() {
    EXPECT_EQ(shmring({"emit", ring.path()}, "one\ntwo\n").exit_code, 0);
    const auto file = RingFile::attach(ring.path());
    const auto lease = Lease::try_take(*file);
    const auto reader = Reader::create(*file, *lease);
    spool::RingId id;
    std::copy_n(std::begin(file->header().identity.uuid), id.size(), id.begin());
    EXPECT_TRUE(spool::note_spool(ring.path(), folder));
    const auto spool = spool::SpoolFile::open(folder, {.min_free = 0}, id);
    (*reader)->drain(1 << 20, [&](Slice&& slice) {
      OutcomeCounts counts{};
      counts[static_cast<std::size_t>(Outcome::kSpooled)] = slice.key.records();
      EXPECT_TRUE((*spool)->begin());
      spool::NewBatch batch{
          .signal = Signal::kLogs, .request = "r", .records = slice.key.records(), .destinations = {"otlp"}};
      batch.pieces.push_back({.key = slice.key, .valid = slice.key.records()});
      EXPECT_TRUE((*spool)->keep({batch}, spool::WhenFull::kRefuse));
      EXPECT_TRUE((*spool)->commit());
      key = slice.key;
      return true;
    });
    check_between();
    OutcomeCounts counts{};
    counts[static_cast<std::size_t>(Outcome::kSpooled)] = key.records();
    EXPECT_EQ((*reader)->acknowledge(key, counts), Reader::Acknowledged::kDone);
  }
  /// After the spool's commit and before the ring's acknowledgement each record is counted once.
  void check_between() const {
    const auto json = status_json(ring.path());
    EXPECT_EQ(json["accounting"]["closes"], true) << json;
    EXPECT_EQ(json["accounting"]["pending"], 2);
  }
  SliceKey key;
};

TEST(StatusOfARing, CountsWhatWaitsInItsSpool) {
  const Spooled spooled;
  const auto json = status_json(spooled.ring.path());
  EXPECT_EQ(json["accounting"]["closes"], true) << json;
  EXPECT_EQ(json["accounting"]["pending"], 2);
  EXPECT_EQ(json["accounting"]["pending_in_spool"], 2);
  EXPECT_EQ(json["accounting"]["spooled"], 0);
  EXPECT_EQ(json["spools"][0]["batches"], 1);
  EXPECT_EQ(json["spools"][0]["waiting"][0]["destination"], "otlp");
  const Ended text = shmring({"status", spooled.ring.path()});
  EXPECT_EQ(text.exit_code, 0) << text.out;
  EXPECT_NE(text.out.find("2 logs wait for otlp"), std::string::npos) << text.out;
}

TEST(StatusOfARing, DoesNotCloseWhenACounterOfItsSpoolIsOneOff) {
  for (const char* column : {"taken", "accepted", "spool_evicted", "corrupt"}) {
    const Spooled spooled;
    auto database =
        spool::Database::open(spooled.folder / spool::SpoolFile::kFileName, spool::Mode::kReadWrite);
    ASSERT_TRUE(database->execute(std::string("UPDATE totals SET ") + column + " = " + column + " + 1"));
    EXPECT_EQ(status_json(spooled.ring.path())["accounting"]["closes"], false) << column;
    EXPECT_EQ(shmring({"status", spooled.ring.path()}).exit_code, 1) << column;
  }
}

TEST(StatusOfARing, SaysThatASpoolIsGone) {
  const Spooled spooled;
  std::filesystem::remove_all(spooled.folder);
  const auto json = status_json(spooled.ring.path());
  EXPECT_EQ(json["accounting"]["closes"], false);
  EXPECT_EQ(json["accounting"]["spooled"], 2);
  EXPECT_FALSE(json["spools"][0]["problem"].is_null());
}

TEST(StatusOfARing, ShowsWhatEachDestinationTook) {
  const TestRing ring;
  EXPECT_EQ(status_json(ring.path())["destinations"], nlohmann::json::array());
  const auto file = RingFile::attach(ring.path());
  ASSERT_TRUE(file);
  spool::DestinationBooks otlp{.name = "otlp"};
  otlp.lanes[0] = {.accepted = 1000, .rejected = 2, .dead_lettered = 3, .last_success_ms = 1'700'000'000'000};
  otlp.lanes[1] = {.accepted = 234};
  otlp.last_error = {.text = "HTTP \x1b[31m503", .signal = Signal::kTraces, .at_ms = 1'700'000'000'001};
  ASSERT_TRUE(spool::note_destinations(*file, {otlp, {.name = "file"}}));
  const auto list = status_json(ring.path())["destinations"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["name"], "otlp");
  EXPECT_EQ(list[0]["accepted"], 1234);
  EXPECT_EQ(list[0]["rejected"], 2);
  EXPECT_EQ(list[0]["dead_lettered"], 3);
  EXPECT_EQ(list[0]["last_success_unix_ms"], 1'700'000'000'000);
  EXPECT_GT(list[0]["last_success_age_ms"], 0);
  EXPECT_EQ(list[0]["last_error"]["text"], "HTTP \x1b[31m503");
  EXPECT_EQ(list[0]["last_error"]["signal"], "traces");
  EXPECT_EQ(list[0]["last_error"]["unix_ms"], 1'700'000'000'001);
  EXPECT_GT(list[0]["last_error"]["age_ms"], 0);
  EXPECT_EQ(list[0]["signals"]["logs"]["accepted"], 1000);
  EXPECT_TRUE(list[0]["signals"]["traces"]["last_success_unix_ms"].is_null());
  EXPECT_TRUE(list[1]["last_success_age_ms"].is_null());
  EXPECT_TRUE(list[1]["last_error"].is_null());
  const std::string text = shmring({"status", ring.path()}).out;
  EXPECT_NE(text.find("otlp: 1,234 accepted, 2 rejected, 3 dead-lettered, last success "), std::string::npos)
      << text;
  EXPECT_NE(text.find(" ago, traces: HTTP \\x1b[31m503"), std::string::npos) << text;
  EXPECT_NE(text.find("file: 0 accepted, 0 rejected, no success yet"), std::string::npos) << text;
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
