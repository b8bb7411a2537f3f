// SPDX-License-Identifier: Apache-2.0
#include "flusher/splitting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using testing::bodies_of;
using ::testing::ElementsAre;
using testing::FakeExporter;
using ::testing::Field;
using ::testing::IsEmpty;
using testing::LogsRequest;

using Bodies = std::vector<std::string>;

/// Of records whose bodies are their numbers, first to first + count - 1.
Batch batch_of(int count, Signal signal = Signal::kLogs) {
  LogsRequest request;
  auto* const scope = request.add_resource_logs()->add_scope_logs();
  for (int i = 0; i < count; ++i) {
    scope->add_log_records()->mutable_body()->set_string_value(std::to_string(i));
  }
  return {
      .signal = signal, .request = request.SerializeAsString(), .records = static_cast<std::uint64_t>(count)};
}

/// A server in one function: what it says to a request with these bodies.
using Server = std::function<SendResult(const Bodies&, std::size_t bytes)>;

class FakeServer final : public Exporter {
 public:
  Server server;
  std::vector<Bodies> requests;
  Bodies taken;
  Patience patience = Patience::kRetry;

  void submit(std::shared_ptr<const Batch> batch, Done done) override {
    const Bodies bodies = bodies_of(batch->request);
    EXPECT_EQ(bodies.size(), batch->records);
    for (const Bodies& before : requests) EXPECT_NE(before, bodies) << "the same request again";
    requests.push_back(bodies);
    const SendResult result = server(bodies, batch->request.size());
    if (result.outcome == SendOutcome::kAccepted) taken.insert(taken.end(), bodies.begin(), bodies.end());
    done(result);
  }
  void set_patience(Signal, Patience wanted) override { patience = wanted; }
};

class FakeStore final : public DeadLetters {
 public:
  struct Letter {
    Bodies bodies;
    std::string destination;
    std::string reason;
  };
  std::vector<Letter> letters;
  bool has_room = true;

  bool keep(const DeadLetter& letter) override {
    if (!has_room) return false;
    letters.push_back({bodies_of(std::string(letter.request)), std::string(letter.destination),
                       std::string(letter.reason)});
    EXPECT_EQ(letters.back().bodies.size(), letter.records);
    return true;
  }
};

SendResult bad(const std::string& reason = "bad data") {
  return {.outcome = SendOutcome::kRejected, .reason = reason, .refusal = Refusal::kBadData};
}
SendResult too_large() {
  return {.outcome = SendOutcome::kRejected, .reason = "too large", .refusal = Refusal::kTooLarge};
}

/// Refuses requests that hold one of these.
Server that_dislikes(const std::set<std::string>& disliked) {
  return [=](const Bodies& bodies, std::size_t) {
    for (const std::string& body : bodies) {
      if (disliked.count(body) > 0) return bad("dislikes " + body);
    }
    return SendResult{};
  };
}

struct SplittingRig {
  FakeStore store;
  std::uint64_t duplicates = 0;
  FakeServer* server = new FakeServer;
  SplittingExporter exporter;
  std::vector<SendResult> results;

  explicit SplittingRig(Server says, Bisect bisect = Bisect::kYes)
      : exporter(std::unique_ptr<Exporter>(server),
                 {.name = "otlp",
                  .bisect = bisect,
                  .dead_letters = &store,
                  .on_possible_duplicates = [this](const Batch& b) { duplicates += b.records; }}) {
    server->server = std::move(says);
  }
  SendResult send(const Batch& batch) {
    exporter.submit(std::make_shared<const Batch>(batch),
                    [this](const SendResult& result) { results.push_back(result); });
    EXPECT_EQ(results.size(), 1U);
    return results.empty() ? SendResult{} : results.back();
  }
  SendResult send(int records) { return send(batch_of(records)); }
  /// Everything arrived, or was kept.
  void expect_complete(int records) const {
    std::multiset<std::string> seen(server->taken.begin(), server->taken.end());
    for (const auto& letter : store.letters) seen.insert(letter.bodies.begin(), letter.bodies.end());
    std::multiset<std::string> all;
    for (int i = 0; i < records; ++i) all.insert(std::to_string(i));
    EXPECT_EQ(seen, all);
  }
};

TEST(SplittingExporter, LeavesAloneWhatIsNotRefused) {
  SplittingRig rig(
      [](const Bodies&, std::size_t) { return SendResult{.rejected = 3, .reason = "three too old"}; });
  const SendResult result = rig.send(10);
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(result.rejected, 3U);
  EXPECT_EQ(rig.server->requests.size(), 1U);
  EXPECT_THAT(rig.store.letters, IsEmpty());
}

TEST(SplittingExporter, OneBadRecordCostsOneRecordWhereverItIs) {
  for (const int records : {1, 2, 3, 5, 8, 100, 257}) {
    for (int at = 0; at<records; at += records> 10 ? 7 : 1) {
      SplittingRig rig(that_dislikes({std::to_string(at)}));
      const SendResult result = rig.send(records);
      EXPECT_EQ(result.outcome, records > 1 ? SendOutcome::kAccepted : SendOutcome::kRejected);
      EXPECT_EQ(result.dead_lettered, 1U);
      EXPECT_EQ(result.rejected, 0U);
      ASSERT_EQ(rig.store.letters.size(), 1U);
      EXPECT_THAT(rig.store.letters[0].bodies, ElementsAre(std::to_string(at)));
      EXPECT_EQ(rig.store.letters[0].destination, "otlp");
      EXPECT_EQ(rig.store.letters[0].reason, "dislikes " + std::to_string(at));
      rig.expect_complete(records);
      EXPECT_LE(rig.server->requests.size(), std::max(1.0, 4 * std::log2(records)));
    }
  }
}

TEST(SplittingExporter, EndsWhereBothHalvesAreRefused) {
  SplittingRig rig([](const Bodies&, std::size_t) { return bad("no such tenant"); });
  const SendResult result = rig.send(2048);
  EXPECT_EQ(result.outcome, SendOutcome::kRejected);
  EXPECT_EQ(result.dead_lettered, 2048U);
  EXPECT_EQ(rig.server->requests.size(), 3U);
  ASSERT_EQ(rig.store.letters.size(), 1U) << "as a whole";
  EXPECT_EQ(rig.store.letters[0].reason, "no such tenant");
  rig.expect_complete(2048);
}

TEST(SplittingExporter, OfTwoBadNeighboursOnlyTheirPartIsRefused) {
  SplittingRig rig(that_dislikes({"5", "6"}));  // of 16: parted in the quarter 4 to 7
  const SendResult result = rig.send(16);
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(result.dead_lettered, 4U);
  ASSERT_EQ(rig.store.letters.size(), 1U);
  EXPECT_THAT(rig.store.letters[0].bodies, ElementsAre("4", "5", "6", "7"));
  rig.expect_complete(16);
}

TEST(SplittingExporter, AFaultThatIsGoneWithTheNextRequestCostsNothing) {
  int requests = 0;
  SplittingRig rig([&](const Bodies&, std::size_t) { return requests++ == 0 ? bad() : SendResult{}; });
  EXPECT_EQ(rig.send(100).outcome, SendOutcome::kAccepted);
  EXPECT_EQ(rig.server->requests.size(), 3U);
  EXPECT_EQ(rig.server->taken.size(), 100U);
}

TEST(SplittingExporter, DoesNotBisectWhenToldSo) {
  SplittingRig rig(that_dislikes({"1"}), Bisect::kNo);
  EXPECT_EQ(rig.send(10).dead_lettered, 10U);
  EXPECT_EQ(rig.server->requests.size(), 1U);
}

TEST(SplittingExporter, ARefusalThatSaysNothingAboutTheRecordsIsNotSplit) {
  SplittingRig rig([](const Bodies&, std::size_t) {
    return SendResult{.outcome = SendOutcome::kRejected, .reason = "HTTP status 401"};
  });
  const SendResult result = rig.send(10);
  EXPECT_EQ(result.outcome, SendOutcome::kRejected);
  EXPECT_EQ(result.dead_lettered, 10U);
  EXPECT_EQ(rig.server->requests.size(), 1U);
}

TEST(SplittingExporter, TooLargeIsCutUntilItFits) {
  for (const Bisect bisect : {Bisect::kYes, Bisect::kNo}) {
    SplittingRig rig(
        [](const Bodies&, std::size_t bytes) { return bytes > 100 ? too_large() : SendResult{}; }, bisect);
    const SendResult result = rig.send(1000);
    EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
    EXPECT_EQ(result.dead_lettered + result.rejected, 0U);
    EXPECT_EQ(rig.server->taken.size(), 1000U);
    EXPECT_EQ(rig.server->taken, bodies_of(batch_of(1000).request)) << "in their order";
  }
}

TEST(SplittingExporter, NothingAsLargeAsWhatWasTooLargeIsTried) {
  std::size_t refused = 1U << 20U;
  SplittingRig rig([&](const Bodies& bodies, std::size_t bytes) {
    if (bodies.size() > 1) {
      EXPECT_LT(bytes, refused);
    }
    if (bytes <= 100) return SendResult{};
    refused = std::min(refused, bytes);
    return too_large();
  });
  EXPECT_EQ(rig.send(1000).outcome, SendOutcome::kAccepted);
}

TEST(SplittingExporter, ARecordTooLargeByItselfIsRefusedAlone) {
  Batch batch = batch_of(0);
  LogsRequest request;
  auto* const scope = request.add_resource_logs()->add_scope_logs();
  for (int i = 0; i < 50; ++i)
    scope->add_log_records()->mutable_body()->set_string_value(i == 33 ? std::string(500, 'x')
                                                                       : std::to_string(i));
  batch.request = request.SerializeAsString();
  batch.records = 50;
  SplittingRig rig([](const Bodies&, std::size_t bytes) { return bytes > 400 ? too_large() : SendResult{}; });
  const SendResult result = rig.send(batch);
  EXPECT_EQ(result.dead_lettered, 1U);
  EXPECT_EQ(rig.server->taken.size(), 49U);
  ASSERT_EQ(rig.store.letters.size(), 1U);
  EXPECT_THAT(rig.store.letters[0].bodies, ElementsAre(std::string(500, 'x')));
}

TEST(SplittingExporter, AServerToWhichEverythingIsTooLargeIsNotAskedForEver) {
  SplittingRig rig([](const Bodies&, std::size_t) { return too_large(); });
  EXPECT_EQ(rig.send(2048).dead_lettered, 2048U);
  EXPECT_LE(rig.server->requests.size(), 44U);
  rig.expect_complete(2048);
}

TEST(SplittingExporter, BadDataInAPartThatFitsIsFoundThere) {
  SplittingRig rig([](const Bodies& bodies, std::size_t bytes) {
    return bytes > 300 ? too_large() : that_dislikes({"70"})(bodies, bytes);
  });
  const SendResult result = rig.send(128);
  EXPECT_EQ(result.dead_lettered, 1U);
  rig.expect_complete(128);
}

TEST(SplittingExporter, WhatTheStoreDoesNotTakeIsRejected) {
  SplittingRig rig(that_dislikes({"3"}));
  rig.store.has_room = false;
  const SendResult result = rig.send(8);
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(result.rejected, 1U);
  EXPECT_EQ(result.dead_lettered, 0U);
  EXPECT_EQ(result.reason, "dislikes 3");
}

TEST(SplittingExporter, PartialSuccessOfAPartAddsUp) {
  SplittingRig rig([](const Bodies& bodies, std::size_t bytes) {
    SendResult result = that_dislikes({"0"})(bodies, bytes);
    if (result.outcome == SendOutcome::kAccepted) result.rejected = 1;
    return result;
  });
  const SendResult result = rig.send(4);  // taken: 2 and 3, then 1
  EXPECT_EQ(result.rejected, 2U);
  EXPECT_EQ(result.dead_lettered, 1U);
}

TEST(SplittingExporter, WhatIsGivenBackHalfwayIsCountedAsFarAsItWasTakenAndKeepsNoLetters) {
  SplittingRig rig([](const Bodies& bodies, std::size_t bytes) {
    if (bodies.front() == "1") return SendResult{.outcome = SendOutcome::kRetryable, .reason = "away"};
    return that_dislikes({"0"})(bodies, bytes);
  });
  const SendResult result = rig.send(4);
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_EQ(result.reason, "away");
  EXPECT_EQ(rig.duplicates, 2U);
  EXPECT_THAT(rig.store.letters, IsEmpty());
  rig.exporter.set_patience(Signal::kLogs, Patience::kGiveBack);
  EXPECT_EQ(rig.server->patience, Patience::kGiveBack);
}

TEST(SplittingExporter, WhatIsAbandonedHalfwayIsCountedAsFarAsItWasTaken) {
  auto* const next = new FakeExporter;
  std::uint64_t duplicates = 0;
  SplittingExporter exporter(
      std::unique_ptr<Exporter>(next),
      {.name = "otlp", .on_possible_duplicates = [&](const Batch& b) { duplicates += b.records; }});
  exporter.submit(std::make_shared<const Batch>(batch_of(9)), [](const SendResult&) { FAIL(); });
  next->answer(0, bad());
  next->answer(1);
  exporter.abandon_all();
  EXPECT_EQ(duplicates, 5U);
}

TEST(SplittingExporter, WhatIsNoRequestIsRefusedAsAWhole) {
  SplittingRig rig([](const Bodies&, std::size_t) { return bad(); });
  Batch batch{.request = "payload", .records = 1};
  rig.store.has_room = false;
  const SendResult result = rig.send(batch);
  EXPECT_EQ(result.outcome, SendOutcome::kRejected);
  EXPECT_EQ(rig.server->requests.size(), 1U);
}

}  // namespace
}  // namespace shmring::flusher
