// SPDX-License-Identifier: Apache-2.0
// Ticks in the bytes of a block become nanoseconds, by clocks that are believed as numbers only.
#include "libshmring/tick_times.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace shmring {
namespace {

using Limits64 = std::numeric_limits<std::uint64_t>;

constexpr std::uint64_t kOneGigahertz = std::uint64_t{1} << 32U;  // nanoseconds for 2^32 ticks
constexpr ClockAnchor kClock{.ticks = 1'000, .unix_ns = 70'000, .rate = kOneGigahertz};
constexpr char kTimeTag = '\x09', kObservedTag = '\x59';  // fields 1 and 11, both fixed64

/// A fixed64 field.
std::string field(char tag, std::uint64_t value) {
  std::string text(1 + sizeof(value), tag);
  std::memcpy(text.data() + 1, &value, sizeof(value));
  return text;
}

/// A log's payload with both times.
std::string log_at(std::uint64_t ticks) {
  return field(kTimeTag, ticks) + field(kObservedTag, ticks) + "\x2A\x03\x0A\x01z";
}

/// A block's bytes, record by record; a record is known by its number.
class TickBlock {
 public:
  TickBlock& resource() { return append(RecordKind::kResource, 0, "r"); }
  TickBlock& scope() { return append(RecordKind::kScope, 0, "s"); }
  TickBlock& clock(const ClockAnchor& clock) {
    return append(RecordKind::kClock, 0, {reinterpret_cast<const char*>(&clock), sizeof(clock)});
  }
  TickBlock& log(std::uint8_t ticks, std::string_view payload) {
    return append(RecordKind::kLog, ticks, payload);
  }
  TickBlock& append(RecordKind kind, std::uint8_t ticks, std::string_view payload) {
    const RecordHeader header{static_cast<std::uint32_t>(payload.size()), static_cast<std::uint8_t>(kind),
                              ticks, 0};
    at_.push_back(bytes_.size());
    bytes_.resize(bytes_.size() + record_bytes(payload.size()));
    std::memcpy(bytes_.data() + at_.back(), &header, sizeof(header));
    std::memcpy(bytes_.data() + at_.back() + sizeof(header), payload.data(), payload.size());
    return *this;
  }

  void convert(Signal signal = Signal::kLogs) { convert_ticks(bytes_, signal); }
  RecordHeader header(std::size_t record) const {
    RecordHeader header{};
    std::memcpy(&header, bytes_.data() + at_[record], sizeof(header));
    return header;
  }
  std::string payload(std::size_t record) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + at_[record] + sizeof(RecordHeader),
            header(record).size};
  }
  std::vector<std::byte>& bytes() { return bytes_; }
  std::size_t at(std::size_t record) const { return at_[record]; }

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> at_;
};

TEST(UnixNsOf, GoesFromTheClocksMomentAtItsRate) {
  for (const std::uint64_t ticks_per_us : {1'000U, 2'000U, 4'000U}) {
    const ClockAnchor clock{
        .ticks = 5'000'000, .unix_ns = 90'000, .rate = kOneGigahertz * 1000 / ticks_per_us};
    EXPECT_EQ(unix_ns_of(clock, clock.ticks), 90'000U);
    EXPECT_EQ(unix_ns_of(clock, clock.ticks + 7 * ticks_per_us), 97'000U);
    EXPECT_EQ(unix_ns_of(clock, clock.ticks - 7 * ticks_per_us), 83'000U) << "older than its clock";
  }
}

TEST(UnixNsOf, KeepsItsExactnessOverYears) {
  constexpr std::uint64_t kYear = 31'536'000ULL * 1'000'000'000ULL;
  const ClockAnchor clock{.ticks = 17, .unix_ns = kYear, .rate = kOneGigahertz / 2};
  EXPECT_EQ(unix_ns_of(clock, 17 + 2 * kYear), 2 * kYear);
}

TEST(UnixNsOf, CountsAcrossTheCountersWrap) {
  EXPECT_EQ(unix_ns_of({.ticks = 5, .unix_ns = 1'000, .rate = kOneGigahertz}, Limits64::max() - 4), 990U);
  EXPECT_EQ(unix_ns_of({.ticks = Limits64::max() - 4, .unix_ns = 1'000, .rate = kOneGigahertz}, 5), 1'010U);
}

TEST(UnixNsOf, IsANumberWhateverTheClockSays) {
  const std::uint64_t hostile[] = {0, 1, Limits64::max() / 2, Limits64::max() / 2 + 1, Limits64::max()};
  for (const std::uint64_t at : hostile) {
    for (const std::uint64_t unix_ns : hostile) {
      for (const std::uint64_t ticks : hostile) {
        EXPECT_EQ(unix_ns_of({at, unix_ns, 0}, ticks), unix_ns);
        for (const std::uint64_t rate : hostile) {
          // The same by halves: no product is wider than 64 bits.
          const std::uint64_t since = ticks - at;
          const std::uint64_t low = since & 0xFFFFFFFFU;
          const std::uint64_t high = since >> 32U;
          const std::uint64_t carried =
              ((low * (rate & 0xFFFFFFFFU)) >> 32U) + low * (rate >> 32U) + high * rate;
          const std::uint64_t of_the_sign = since >> 63U != 0 ? rate << 32U : 0;
          EXPECT_EQ(unix_ns_of({at, unix_ns, rate}, ticks), unix_ns + carried - of_the_sign);
        }
      }
    }
  }
}

TEST(ConvertTicks, RewritesBothTimesAndClearsTheFlag) {
  TickBlock block;
  block.resource().clock(kClock).log(2, log_at(1'500));
  block.convert();
  EXPECT_EQ(block.payload(2), log_at(70'500));
  EXPECT_EQ(block.header(2).ticks, 0);
  EXPECT_EQ(block.header(2).kind, static_cast<std::uint8_t>(RecordKind::kLog));
}

TEST(ConvertTicks, LeavesTimesAloneThatAreNoTicks) {
  TickBlock block;
  block.resource().clock(kClock).log(0, log_at(1'500));
  const std::vector<std::byte> before = block.bytes();
  block.convert();
  EXPECT_EQ(block.bytes(), before);
}

TEST(ConvertTicks, RewritesOneFieldWhereOneHoldsTicks) {
  TickBlock block;
  block.resource().clock(kClock).log(1, log_at(1'500));
  block.convert();
  EXPECT_EQ(block.payload(2).substr(0, 18), field(kTimeTag, 70'500) + field(kObservedTag, 1'500));
  EXPECT_EQ(block.header(2).ticks, 0);
}

TEST(ConvertTicks, RewritesNoMoreThanTwoFields) {
  for (const std::uint8_t many : {std::uint8_t{3}, std::uint8_t{255}}) {
    TickBlock block;
    block.resource().clock(kClock).log(many, log_at(1'500).substr(0, 18) + field('\x61', 1'500));
    block.convert();
    EXPECT_EQ(block.payload(2), log_at(70'500).substr(0, 18) + field('\x61', 1'500));
    EXPECT_EQ(block.header(2).ticks, 0);
  }
}

TEST(ConvertTicks, ChangesNothingTheSecondTime) {
  TickBlock block;
  block.resource().clock(kClock).log(2, log_at(1'500)).log(1, log_at(1'600));
  block.convert();
  const std::vector<std::byte> once = block.bytes();
  block.convert();
  EXPECT_EQ(block.bytes(), once);
}

TEST(ConvertTicks, GoesByTheLatestClockBeforeARecord) {
  TickBlock block;
  block.resource().clock(kClock).log(2, log_at(1'001));
  block.clock({.ticks = 1'000, .unix_ns = 80'000, .rate = kOneGigahertz}).scope().log(2, log_at(1'001));
  block.clock({.ticks = 1'000, .unix_ns = 80'000, .rate = kOneGigahertz / 4}).log(2, log_at(1'008));
  block.convert();
  EXPECT_EQ(block.payload(2), log_at(70'001));
  EXPECT_EQ(block.payload(5), log_at(80'001));
  EXPECT_EQ(block.payload(7), log_at(80'002));
}

TEST(ConvertTicks, ForgetsTheClockWhereAnotherWritersSectionBegins) {
  TickBlock block;
  block.resource().clock(kClock).log(2, log_at(1'500)).resource().log(2, log_at(1'500));
  block.clock(kClock).log(2, log_at(1'600));
  block.convert();
  EXPECT_EQ(block.payload(2), log_at(70'500));
  EXPECT_EQ(block.payload(4), log_at(0));
  EXPECT_EQ(block.payload(6), log_at(70'600));
}

TEST(ConvertTicks, GivesTheTimeZeroWithoutAClock) {
  TickBlock block;
  block.resource().log(2, log_at(1'500)).clock(kClock).log(2, log_at(1'500));
  block.convert();
  EXPECT_EQ(block.payload(1), log_at(0));
  EXPECT_EQ(block.header(1).ticks, 0);
  EXPECT_EQ(block.payload(3), log_at(70'500));
}

TEST(ConvertTicks, IgnoresAClockThatIsTooShortAndTakesTheBeginningOfALongerOne) {
  const std::string clock(reinterpret_cast<const char*>(&kClock), sizeof(kClock));
  TickBlock block;
  block.resource().append(RecordKind::kClock, 0, clock.substr(0, 23)).log(2, log_at(1'500));
  block.append(RecordKind::kClock, 0, "").log(2, log_at(1'500));
  block.append(RecordKind::kClock, 0, clock + "of a later version").log(2, log_at(1'500));
  block.append(RecordKind::kClock, 0, clock.substr(0, 8)).log(2, log_at(1'600));
  block.convert();
  EXPECT_EQ(block.payload(2), log_at(0));
  EXPECT_EQ(block.payload(4), log_at(0));
  EXPECT_EQ(block.payload(6), log_at(70'500));
  EXPECT_EQ(block.payload(8), log_at(70'600));
}

TEST(ConvertTicks, LeavesFieldsOfAnotherFormAlone) {
  const std::string malformed[] = {
      "",
      "\x09",
      log_at(1'500).substr(0, 8),              // a byte is missing
      field('\x08', 1'500),                    // a varint
      field('\x0A', 1'500),                    // of a length
      field('\x0D', 1'500),                    // a fixed32
      field('\x0F', 1'500),                    // of no type
      field('\x89', 1'500) + "\x01 and more",  // a tag of two bytes
  };
  for (const std::string& payload : malformed) {
    TickBlock block;
    block.resource().clock(kClock).log(2, payload).log(2, log_at(1'500));
    block.convert();
    EXPECT_EQ(block.payload(2), payload);
    EXPECT_EQ(block.payload(3), log_at(70'500)) << "the next one is converted all the same";
  }
}

TEST(ConvertTicks, StopsInARecordAtTheFirstFieldOfAnotherForm) {
  TickBlock block;
  block.resource().clock(kClock);
  block.log(2, field(kTimeTag, 1'500) + "\x10\x09" + field(kObservedTag, 1'500));
  block.log(2, "\x10\x09" + log_at(1'500));
  block.log(2, field(kTimeTag, 1'500) + field(kObservedTag, 1'500).substr(0, 8));
  block.convert();
  EXPECT_EQ(block.payload(2), field(kTimeTag, 70'500) + "\x10\x09" + field(kObservedTag, 1'500));
  EXPECT_EQ(block.payload(3), "\x10\x09" + log_at(1'500));
  EXPECT_EQ(block.payload(4), field(kTimeTag, 70'500) + field(kObservedTag, 1'500).substr(0, 8));
}

TEST(ConvertTicks, EndsWhereFramingBreaks) {
  const auto expect_end = [](auto damage) {
    TickBlock block;
    block.resource().clock(kClock).log(2, log_at(1'500)).log(2, log_at(1'500)).log(2, log_at(1'500));
    damage(block);
    const std::vector<std::byte> before = block.bytes();
    block.convert();
    EXPECT_EQ(block.payload(2), log_at(70'500)) << "what was converted already stays";
    EXPECT_TRUE(std::equal(before.begin() + static_cast<std::ptrdiff_t>(block.at(3)), before.end(),
                           block.bytes().begin() + static_cast<std::ptrdiff_t>(block.at(3)),
                           block.bytes().end()));
  };
  const auto set = [](TickBlock& block, std::size_t record, std::size_t at, std::uint32_t value) {
    std::memcpy(block.bytes().data() + block.at(record) + at, &value, at == 0 ? 4 : 1);
  };
  constexpr std::size_t kKindAt = offsetof(RecordHeader, kind);
  expect_end([&](TickBlock& block) { set(block, 3, 0, 0xFFFFFFFFU); });
  expect_end([&](TickBlock& block) { set(block, 3, 0, 1U << 20U); });
  expect_end([&](TickBlock& block) { set(block, 3, kKindAt, 0); });
  expect_end([&](TickBlock& block) { set(block, 3, kKindAt, 200); });
  expect_end([&](TickBlock& block) { set(block, 3, kKindAt, 4); });  // a span in a block of logs
  expect_end([&](TickBlock& block) { block.bytes().resize(block.at(3) + 4); });
}

TEST(ConvertTicks, ConvertsSpansInABlockOfSpans) {
  TickBlock block;
  const auto span_at = [](std::uint64_t start, std::uint64_t end) {
    return field('\x39', start) + field('\x41', end) + "\x2A\x01n";
  };
  block.resource().clock(kClock).append(RecordKind::kSpan, 2, span_at(900, 1'500));
  block.convert(Signal::kTraces);
  EXPECT_EQ(block.payload(2), span_at(69'900, 70'500)) << "a start may be older than the clock";
}

TEST(ConvertTicks, SurvivesHostileClocks) {
  for (const std::uint64_t word : {std::uint64_t{0}, Limits64::max() / 2 + 1, Limits64::max()}) {
    TickBlock block;
    block.resource().clock({word, word, Limits64::max()}).log(2, log_at(0));
    block.clock({~word, word, Limits64::max()}).log(2, log_at(Limits64::max()));
    block.convert();
    EXPECT_EQ(block.header(2).ticks, 0);
    EXPECT_EQ(block.header(4).ticks, 0);
  }
}

TEST(ConvertTicks, NeedsNoRecords) {
  std::vector<std::byte> none;
  convert_ticks(none, Signal::kLogs);
  std::vector<std::byte> few(7, std::byte{3});
  convert_ticks(few, Signal::kLogs);
  EXPECT_EQ(few, std::vector<std::byte>(7, std::byte{3}));
}

TEST(ConvertTicks, StaysWithinAnyBytesAndLeavesNoTicksBehind) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 3000; ++round) {
    TickBlock block;
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    for (std::uint64_t left = below(12); left > 0; --left) {
      std::string payload = below(2) == 0 ? log_at(random()) : std::string(below(40), '\x09');
      for (char& c : payload) c = below(16) == 0 ? static_cast<char>(random()) : c;
      constexpr RecordKind kKinds[] = {RecordKind::kResource, RecordKind::kScope, RecordKind::kClock,
                                       RecordKind::kLog,      RecordKind::kLog,   RecordKind::kLog};
      block.append(kKinds[below(std::size(kKinds))], static_cast<std::uint8_t>(below(4)), payload);
    }
    // Of exactly this size, so that the address sanitizer sees who looks behind it.
    std::vector<std::byte> bytes(
        block.bytes().begin(),
        block.bytes().end() -
            static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(block.bytes().size(), 9) + 1)));
    bytes.shrink_to_fit();
    for (std::uint64_t flips = below(3); flips > 0 && !bytes.empty(); --flips)
      bytes[below(bytes.size())] ^= static_cast<std::byte>(random());
    convert_ticks(bytes, Signal::kLogs);
    const std::vector<std::byte> once = bytes;
    convert_ticks(bytes, Signal::kLogs);
    ASSERT_EQ(bytes, once) << "round " << round;
  }
}

}  // namespace
}  // namespace shmring
