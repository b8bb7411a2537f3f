// SPDX-License-Identifier: Apache-2.0
// P3: a record leaves the ring only after its destination has accepted it. A flusher that dies loses nothing; one that
// lost its lease changes nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {
namespace {

/// A destination that outlives the flushers that send to it.
struct Destination {
  std::atomic<std::uint32_t> times[kMaxIds];
  std::atomic<std::uint64_t> mangled;
  std::atomic<std::uint64_t> in_flight;  // sent, and not known to be acknowledged
  std::atomic<std::uint64_t> accepted;
};

OutcomeCounts all_accepted(std::uint64_t records) {
  OutcomeCounts counts{};
  counts[static_cast<std::size_t>(Outcome::kAccepted)] = records;
  return counts;
}

void send(const Slice& slice, Destination& destination) {
  SliceWalk walk(slice);
  while (const auto record = walk.next()) {
    ++destination.in_flight;
    const auto id = id_of(record->payload);
    if (id && is_payload_of(*id, record->payload)) {
      ++destination.times[*id];
    } else {
      ++destination.mangled;
    }
    ++destination.accepted;
  }
}

/// A flusher's whole life: drains a little, sends, acknowledges, for ever.
[[noreturn]] void flush(const RingFile& ring, Destination& destination) {
  std::optional<Lease> lease;
  while (!lease) {
    if (auto taken = Lease::try_take(ring)) lease.emplace(std::move(*taken));
  }
  const auto reader = value_or_abort(Reader::create(ring, *lease));
  for (;;) {
    std::vector<SliceKey> sent;
    reader->drain(16'384, [&](Slice&& slice) {
      send(slice, destination);
      sent.push_back(slice.key);
      return true;
    });
    for (const SliceKey& key : sent) {
      if (reader->acknowledge(key, all_accepted(key.records())) == Reader::Acknowledged::kSuperseded)
        std::abort();
      destination.in_flight -= key.records();
    }
  }
}

TEST(FlusherKilledAtAnyInstant, LosesNothingAndRepeatsNoMoreThanWasOnItsWay) {
  Promise promise({.blocks = 32});
  const Logger logger = promise.scratch().open().logger("test");
  Shared<Destination> destination;
  Child producer = Child::forked([&]() -> int {
    for (;;) {
      // A record that finds the ring full is no obligation; it is only counted.
      if (!emit_one(logger, promise.obligations())) std::this_thread::yield();
      if (promise.obligations().issued.load() + 10 > kMaxIds) return 0;
    }
  });
  SplitMix random(3);
  std::uint64_t may_repeat = 0;
  std::uint32_t kills_in_flight = 0;
  for (std::uint32_t n = 0; n < scaled(300); ++n) {
    const std::uint64_t before = destination->accepted.load();
    Child flusher = Child::forked([&]() -> int { flush(promise.file(), *destination); });
    const std::uint64_t records = random.below(200);
    ASSERT_TRUE(eventually([&] { return destination->accepted.load() > before + records; }));
    spin(random.below(20'000));
    flusher.signal(SIGKILL);
    const Ended ended = flusher.wait();
    ASSERT_TRUE(ended.by(SIGKILL)) << ended.text();
    may_repeat += destination->in_flight.load();
    kills_in_flight += destination->in_flight.load() > 0 ? 1 : 0;
    destination->in_flight = 0;
    if (promise.obligations().issued.load() + kMaxIds / 4 > kMaxIds) break;
  }
  producer.signal(SIGKILL);
  static_cast<void>(producer.wait());
  EXPECT_GT(kills_in_flight, 0U)
      << "no kill came between sending and acknowledging: the fault never happened";

  const std::uint32_t issued = promise.obligations().issued.load();
  for (std::uint32_t id = 0; id < issued; ++id) {
    if (const std::uint32_t times = destination->times[id].load(); times > 0)
      promise.deliveries().add(id, times);
  }
  EXPECT_EQ(destination->mangled.load(), 0U);
  // The successor of the last one sends what that had on its way once more.
  promise.expect_kept();
  EXPECT_LE(promise.deliveries().duplicates(), may_repeat);
  EXPECT_LE(promise.deliveries().duplicates(), promise.accounting().total.duplicates_possible);
  promise.expect_blocks_back();
}

/// A flusher that was stopped, lost its lease, and does not know it. Its lock is given up under it.
class StaleFlusher {
 public:
  explicit StaleFlusher(const RingFile& ring)
      : lease_(value_or_abort(Lease::try_take(ring))),
        reader_(value_or_abort(Reader::create(ring, lease_))) {}

  std::vector<SliceKey> drain() {
    std::vector<SliceKey> keys;
    reader_->drain(kNoLimit, [&keys](Slice&& slice) {
      keys.push_back(slice.key);
      return true;
    });
    return keys;
  }
  void lose_lease() {
    const Lease gone = std::move(lease_);
  }  // what is left remembers its epoch, and holds no lock
  bool acknowledge(const SliceKey& key) {
    return reader_->acknowledge(key, all_accepted(key.records())) == Reader::Acknowledged::kDone;
  }

 private:
  Lease lease_;
  std::unique_ptr<Reader> reader_;
};

TEST(FlusherThatLostItsLease, CanAcknowledgeNothing) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  ASSERT_EQ(emit_many(logger, promise.obligations(), 50), 50U);
  StaleFlusher stale(promise.file());
  const std::vector<SliceKey> keys = stale.drain();
  ASSERT_FALSE(keys.empty());
  ASSERT_EQ(Lease::try_take(promise.file()).error().code, ErrorCode::kBusy);
  stale.lose_lease();
  Drainer successor(promise.file());
  for (const SliceKey& key : keys) EXPECT_FALSE(stale.acknowledge(key));
  EXPECT_TRUE(stale.drain().empty());
  EXPECT_EQ(outcome(promise.accounting(), Outcome::kAccepted), 0U);
  EXPECT_EQ(promise.accounting().total.duplicates_possible, 50U);
  promise.expect_kept(successor);
  for (const SliceKey& key : keys) EXPECT_FALSE(stale.acknowledge(key));
  EXPECT_EQ(outcome(promise.accounting(), Outcome::kAccepted), 51U);
}

TEST(FlusherThatLostItsLease, FindsNothingAlikeInALaterLifeOfTheBlock) {
  Promise promise({.blocks = 4});
  const Logger logger = promise.scratch().open().logger("test");
  ASSERT_EQ(emit_many(logger, promise.obligations(), 3), 3U);
  StaleFlusher stale(promise.file());
  const std::vector<SliceKey> keys = stale.drain();
  stale.lose_lease();
  Drainer successor(promise.file());
  for (std::uint32_t n = 0; n < 200; ++n) {
    emit_many(logger, promise.obligations(), 3);
    successor.pass(promise.deliveries());
    for (const SliceKey& key : keys) ASSERT_FALSE(stale.acknowledge(key));
  }
  promise.expect_kept(successor);
}

TEST(RivalFlusherThreads, CountEachRecordOnce) {
  ScratchRing scratch({.blocks = 64});
  const Ring ring = scratch.open();
  const Logger logger = ring.logger("test");
  const RingFile& file = ring.core()->file();
  Shared<Obligations> obligations;
  std::uint64_t by_the_stale = 0;
  for (std::uint32_t n = 0; n < scaled(300); ++n) {
    emit_many(logger, *obligations, 100);
    StaleFlusher stale(file);
    const std::vector<SliceKey> keys = stale.drain();
    std::atomic<bool> begun{false};
    std::uint64_t acknowledged = 0;
    std::thread rival([&] {
      begun = true;
      for (const SliceKey& key : keys) acknowledged += stale.acknowledge(key) ? key.records() : 0;
    });
    ASSERT_TRUE(eventually([&] { return begun.load(); }));
    spin(n * 7 % 400);
    stale.lose_lease();
    Deliveries deliveries;
    Drainer(file).empty(deliveries);
    rival.join();
    by_the_stale += acknowledged;
    ASSERT_EQ(acknowledged + deliveries.total(), 100U) << "in round " << n;
  }
  const Accounting accounting = account(file);
  EXPECT_EQ(accounting.total.written, obligations->count());
  EXPECT_EQ(outcome(accounting, Outcome::kAccepted), obligations->count());
  EXPECT_GT(by_the_stale, 0U);
  expect_closed(file);
}

}  // namespace
}  // namespace shmring::testing
