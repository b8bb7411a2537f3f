// SPDX-License-Identifier: Apache-2.0
// What stamps a record, and that whoever reads it gets nanoseconds since 1970, whatever that was.
#include "shmring/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "libshmring/environment.hpp"
#include "libshmring/lease.hpp"
#include "libshmring/record_walk.hpp"
#include "libshmring/recover.hpp"
#include "ring_contents.hpp"

namespace shmring::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kTolerance = 1'000'000;  // nanoseconds by which a stamp may be off
constexpr LogSite<Severity::kInfo, "by site", "i"> kLogSite;
constexpr SpanSite<"by site", SpanKind::kInternal, "i"> kSpanSite;

using Log = otlp::logs::v1::LogRecord;
using OtlpSpan = otlp::trace::v1::Span;

/// The wall clock before and after something.
struct Moment {
  std::uint64_t before = 0;
  std::uint64_t after = 0;

  testing::AssertionResult holds(std::uint64_t time) const {
    if (time + kTolerance >= before && time <= after + kTolerance) return testing::AssertionSuccess();
    return testing::AssertionFailure() << time << " is not between " << before << " and " << after;
  }
};

template <typename Body>
Moment at(Body body) {
  Moment moment{.before = unix_time_ns()};
  body();
  moment.after = unix_time_ns();
  return moment;
}

std::uint64_t monotonic() {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void let_pass(std::uint64_t ns) {
  const std::uint64_t until = monotonic() + ns;
  while (monotonic() < until) {
  }
}

class ClockOfARing : public WithRing {
 protected:
  /// How many times of each record lie in the ring as ticks, and how many clocks lie there.
  struct Raw {
    std::vector<int> ticks;
    int clocks = 0;
    bool clock_came_first = true;  // a clock before the first ticks of each section
  };
  Raw raw(Signal signal = Signal::kLogs) const {
    Raw found;
    const auto file = RingFile::attach(path);
    EXPECT_TRUE(file);
    for (std::uint32_t block = 0; block < file->geometry().block_count; ++block) {
      const BlockDescriptor& d = file->descriptors()[block];
      if (StateWord::unpack(d.state.load()).signal != signal) continue;
      const std::uint32_t end = std::min(CommittedWord{d.committed.load()}.offset_bytes(),
                                         static_cast<std::uint32_t>(file->geometry().block_bytes));
      bool has_clock = false;
      RecordStep step;
      for (std::uint32_t offset = 0; offset < end; offset = step.next) {
        step = step_record({file->block(block), end}, offset, signal);
        if (step.kind == RecordStep::Kind::kBroken) break;
        if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kResource)) has_clock = false;
        if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kClock))
          ++found.clocks, has_clock = true;
        if (step.kind != RecordStep::Kind::kRecord) continue;
        found.ticks.push_back(step.header.ticks);
        if (step.header.ticks != 0) found.clock_came_first = found.clock_came_first && has_clock;
      }
    }
    return found;
  }

  template <typename Message>
  static void collect(const Slice& slice, RecordKind kind, std::vector<Message>& into) {
    SliceWalk walk(slice);
    while (const auto record = walk.next()) {
      if (record->kind != kind) continue;
      EXPECT_TRUE(into.emplace_back().ParseFromArray(record->payload.data(),
                                                     static_cast<int>(record->payload.size())));
    }
    EXPECT_EQ(walk.corrupt(), 0U);
  }
  template <typename Message>
  std::vector<Message> drained(RecordKind kind) const {
    std::vector<Message> found;
    const auto file = RingFile::attach(path);
    auto lease = Lease::try_take(*file);
    EXPECT_TRUE(lease);
    const auto reader = Reader::create(*file, *lease);
    EXPECT_TRUE(reader);
    (*reader)->drain(1U << 30U, [&](Slice&& slice) {
      collect(slice, kind, found);
      return true;
    });
    return found;
  }
  /// What recovery makes of a copy of the file.
  template <typename Message>
  std::vector<Message> recovered(RecordKind kind) const {
    std::vector<Message> found;
    const std::filesystem::path copy = path.string() + ".copy";
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    const auto report = recover(copy, {}, [&](Slice&& slice) { collect(slice, kind, found); });
    EXPECT_TRUE(report && report->is_complete()) << "clocks are no damage";
    std::filesystem::remove(copy);
    return found;
  }
  template <typename Message>
  std::vector<Message> peeked(RecordKind kind) const {
    std::vector<Message> found;
    for (auto& each : all<Message>(kind)) found.push_back(std::move(each.message));
    return found;
  }

  /// All readers say that the records were emitted in these moments.
  void expect_logs(const std::vector<Moment>& moments) const {
    int reader = 0;
    for (const auto& found :
         {peeked<Log>(RecordKind::kLog), recovered<Log>(RecordKind::kLog), drained<Log>(RecordKind::kLog)}) {
      ++reader;
      ASSERT_EQ(found.size(), moments.size()) << "reader " << reader;
      for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_TRUE(moments[i].holds(found[i].time_unix_nano())) << "record " << i << ", reader " << reader;
        ASSERT_EQ(found[i].observed_time_unix_nano(), found[i].time_unix_nano());
      }
    }
  }
};

/// With a ring that is stamped by the time stamp counter.
class TickClock : public ClockOfARing {
 protected:
  void SetUp() override {
    ring = open({.clock = Clock::kTsc});
    if (ring->clock() != Clock::kTsc)
      GTEST_SKIP() << "no time stamp counter that can be relied on here: no ticks to convert";
  }
  std::optional<Ring> ring;
};

TEST_F(TickClock, GivesLogsTheTimesOfTheWallClock) {
  const Logger log = ring->logger("scope");
  std::vector<Moment> moments;
  for (int i = 0; i < 900; ++i) {
    moments.push_back(at([&] { EXPECT_TRUE(log.emit(Severity::kInfo, "by call", {{"i", i}})); }));
    moments.push_back(at([&] { EXPECT_TRUE(log.emit(kLogSite, i)); }));
    moments.push_back(at([&] { EXPECT_TRUE(log.emit({.body = "by record", .event_name = "e"})); }));
  }
  const Raw found = raw();
  EXPECT_EQ(found.ticks, std::vector<int>(moments.size(), 2));
  EXPECT_TRUE(found.clock_came_first);
  expect_logs(moments);
}

TEST_F(TickClock, GivesTimesToRecordsThatTakeTheLongWay) {
  const Logger log = ring->logger("scope");
  const std::string long_text(300, 'x');
  const std::string larger_than_a_block(40000, 'x');
  std::vector<Moment> moments;
  for (int i = 0; i < 3; ++i) {
    moments.push_back(at([&] { EXPECT_TRUE(log.emit(Severity::kInfo, long_text, {{"k", Values{1, 2}}})); }));
    moments.push_back(at([&] { EXPECT_TRUE(log.emit(kLogSite, Values{i, long_text})); }));
    moments.push_back(at([&] {
      EXPECT_TRUE(log.emit(Severity::kInfo, "large", {{"k", larger_than_a_block}}));
    }));
    moments.push_back(at([&] { EXPECT_TRUE(log.emit(kLogSite, larger_than_a_block)); }));
  }
  expect_logs(moments);
}

TEST_F(TickClock, HoldsOverManyAnchors) {
  const Logger log = ring->logger("scope");
  std::vector<Moment> moments;
  // The first clocks hold no longer than they were measured, and none longer than a second.
  for (std::uint64_t gap = 1000; raw().clocks < 4; gap += gap / 2) {
    moments.push_back(at([&] { EXPECT_TRUE(log.emit(Severity::kInfo, "now")); }));
    let_pass(gap);
  }
  expect_logs(moments);
}

TEST_F(TickClock, LeavesTimesThatTheProgramGivesAsTheyAre) {
  const Logger log = ring->logger("scope");
  const Moment moment = at([&] {
    EXPECT_TRUE(log.emit({.body = "time", .time_unix_nano = 5}));
    EXPECT_TRUE(log.emit({.body = "observed", .observed_time_unix_nano = 6}));
    EXPECT_TRUE(log.emit({.body = "both", .time_unix_nano = 7, .observed_time_unix_nano = 8}));
    EXPECT_TRUE(log.emit({.body = "neither"}));
  });
  EXPECT_THAT(raw().ticks, ElementsAre(0, 0, 0, 2));
  const auto found = peeked<Log>(RecordKind::kLog);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].time_unix_nano(), 5U);
  EXPECT_TRUE(moment.holds(found[0].observed_time_unix_nano()));
  EXPECT_TRUE(moment.holds(found[1].time_unix_nano()));
  EXPECT_EQ(found[1].observed_time_unix_nano(), 6U);
  EXPECT_EQ(found[2].time_unix_nano(), 7U);
  EXPECT_EQ(found[2].observed_time_unix_nano(), 8U);
  EXPECT_TRUE(moment.holds(found[3].time_unix_nano()));
}

TEST_F(TickClock, GivesSpansTheTimesAndTheDurationOfTheirClocks) {
  const Tracer tracer = ring->tracer("scope");
  struct Watch {
    Moment start, end;
    std::uint64_t shortest = 0, longest = 0;
  };
  std::vector<Watch> watches;
  const auto watch = [&](auto start_and_end) {
    for (const std::uint64_t length : {0U, 3'000'000U}) {
      Watch& now = watches.emplace_back();
      std::uint64_t started = 0;
      std::uint64_t ending = 0;
      const std::uint64_t starting = monotonic();
      now.start.before = unix_time_ns();
      start_and_end([&] {
        now.start.after = unix_time_ns();
        started = monotonic();
        let_pass(length);
        ending = monotonic();
        now.end.before = unix_time_ns();
      });
      now.end.after = unix_time_ns();
      now.longest = monotonic() - starting;
      now.shortest = ending - started;
    }
  };
  const auto remote = parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "v=1");
  watch([&](auto between) {
    auto span = tracer.start(kSpanSite);
    between();
    EXPECT_TRUE(span.end(1));
  });
  watch([&](auto between) {
    auto span = tracer.start(kSpanSite, &*remote);  // the trace state takes the long way
    between();
    EXPECT_TRUE(span.end_with(StatusCode::kError, "failed", 1));
  });
  watch([&](auto between) {
    Span span = tracer.start("by call", {.attributes = {{"k", Values{1}}}});
    between();
    span.add_event("event");
    EXPECT_TRUE(span.end());
  });
  EXPECT_EQ(raw(Signal::kTraces).ticks, std::vector<int>(watches.size(), 2));
  EXPECT_TRUE(raw(Signal::kTraces).clock_came_first);
  int reader = 0;
  for (const auto& found : {peeked<OtlpSpan>(RecordKind::kSpan), recovered<OtlpSpan>(RecordKind::kSpan),
                            drained<OtlpSpan>(RecordKind::kSpan)}) {
    ++reader;
    ASSERT_EQ(found.size(), watches.size()) << "reader " << reader;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::uint64_t start = found[i].start_time_unix_nano();
      const std::uint64_t end = found[i].end_time_unix_nano();
      EXPECT_TRUE(watches[i].start.holds(start)) << i << ", reader " << reader;
      EXPECT_TRUE(watches[i].end.holds(end)) << i << ", reader " << reader;
      ASSERT_LE(start, end) << i << ", reader " << reader;
      EXPECT_GE(end - start + kTolerance, watches[i].shortest);
      EXPECT_LE(end - start, watches[i].longest + kTolerance);
    }
  }
}

TEST_F(TickClock, KnowsTheStartOfASpanWhoseEndTheProgramGives) {
  const Tracer tracer = ring->tracer("scope");
  Span both;
  Span end_only;
  Span start_only;
  const std::uint64_t given = unix_time_ns() - 3600 * std::uint64_t{1'000'000'000};
  const Moment start = at([&] {
    both = tracer.start("both", {.start_time_unix_nano = 100});
    start_only = tracer.start("start", {.start_time_unix_nano = given});
    end_only = tracer.start("end");
  });
  let_pass(50'000'000);
  EXPECT_TRUE(both.end(250));
  EXPECT_TRUE(end_only.end(start.after + 5'000'000'000U));
  const Moment end = at([&] { EXPECT_TRUE(start_only.end()); });
  EXPECT_THAT(raw(Signal::kTraces).ticks, ElementsAre(0, 0, 0));
  const auto found = peeked<OtlpSpan>(RecordKind::kSpan);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].start_time_unix_nano(), 100U);
  EXPECT_EQ(found[0].end_time_unix_nano(), 250U);
  EXPECT_TRUE(start.holds(found[1].start_time_unix_nano()));
  EXPECT_EQ(found[1].end_time_unix_nano(), start.after + 5'000'000'000U);
  EXPECT_EQ(found[2].start_time_unix_nano(), given);
  EXPECT_TRUE(end.holds(found[2].end_time_unix_nano()));
}

TEST_F(TickClock, StampsSpansThatTheirProgramMeasures) {
  const Tracer tracer = ring->tracer("scope");
  const TraceContext ids{tracer.new_trace_id(), tracer.new_span_id()};
  Stamp started;
  const Moment start = at([&] { started = tracer.now(); });
  EXPECT_TRUE(started.is_ticks);
  let_pass(50'000'000);
  const std::uint64_t given = start.after + 5'000'000'000U;
  const Moment end = at([&] {
    EXPECT_TRUE(tracer.emit(kSpanSite, {.context = ids, .start = started}, 0));
    EXPECT_TRUE(tracer.emit(kSpanSite, {.context = ids, .start = started}, Values{"the long way"}));
  });
  EXPECT_TRUE(
      tracer.emit(kSpanSite, {.context = ids, .start = started, .end_time_unix_nano = given}, "end given"));
  EXPECT_TRUE(tracer.emit(kSpanSite, {.context = ids, .start = {100}, .end_time_unix_nano = 250}, "both"));
  EXPECT_THAT(raw(Signal::kTraces).ticks, ElementsAre(2, 2, 0, 0));
  EXPECT_TRUE(raw(Signal::kTraces).clock_came_first);
  const auto found = peeked<OtlpSpan>(RecordKind::kSpan);
  ASSERT_EQ(found.size(), 4U);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(start.holds(found[i].start_time_unix_nano())) << i;
  EXPECT_TRUE(end.holds(found[0].end_time_unix_nano()));
  EXPECT_TRUE(end.holds(found[1].end_time_unix_nano()));
  EXPECT_EQ(found[2].end_time_unix_nano(), given);
  EXPECT_EQ(found[3].start_time_unix_nano(), 100U);
  EXPECT_EQ(found[3].end_time_unix_nano(), 250U);
}

TEST_F(TickClock, StampsWhatAForkedChildEmits) {
  const Logger log = ring->logger("scope");
  const Tracer tracer = ring->tracer("scope");
  std::vector<Moment> moments;
  auto inherited = tracer.start(kSpanSite);
  moments.push_back(at([&] { EXPECT_TRUE(log.emit(kLogSite, 0)); }));
  const auto in_a_child = [&](auto body) { moments.push_back(at([&] { EXPECT_TRUE(in_child(body)); })); };
  in_a_child([&] { return log.emit(kLogSite, 1); });
  in_a_child([&] { return log.emit(Severity::kInfo, "by call") && tracer.start(kSpanSite).end(1); });
  in_a_child([&] { return in_child([&] { return log.emit(kLogSite, 3); }); });
  const auto by_number = [](const Log& a, const Log& b) { return a.time_unix_nano() < b.time_unix_nano(); };
  auto found = peeked<Log>(RecordKind::kLog);
  std::sort(found.begin(), found.end(), by_number);
  ASSERT_EQ(found.size(), moments.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(moments[i].holds(found[i].time_unix_nano())) << i;
  EXPECT_EQ(raw().ticks, std::vector<int>(moments.size(), 2));
  EXPECT_TRUE(raw().clock_came_first) << "no section relies on the clock of another";
  const auto spans = peeked<OtlpSpan>(RecordKind::kSpan);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_TRUE(moments[2].holds(spans[0].start_time_unix_nano()));
  EXPECT_TRUE(moments[2].holds(spans[0].end_time_unix_nano()));
  EXPECT_TRUE(inherited.end(0));
}

TEST_F(TickClock, StampsWhatAHandlerEmitsThatInterruptsAnEmit) {
  static const Logger* handlers_log = nullptr;
  static Moment handlers_moment;
  const Logger log = ring->logger("scope");
  handlers_log = &log;
  struct sigaction action {};
  action.sa_handler = [](int) { handlers_moment = at([] { EXPECT_TRUE(handlers_log->emit(kLogSite, 1)); }); };
  struct sigaction former {};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &former), 0);
  const Moment around = at([&] { EXPECT_TRUE(log.emit(kLogSite, 0)); });
  auto slot = ring->writer().try_reserve(RecordKind::kLog, 8);  // an emit in the middle
  ASSERT_TRUE(slot);
  ASSERT_EQ(::raise(SIGUSR1), 0);
  slot.abandon();
  ASSERT_EQ(::sigaction(SIGUSR1, &former, nullptr), 0);
  const auto found = peeked<Log>(RecordKind::kLog);
  ASSERT_EQ(found.size(), 2U);
  for (const Log& each : found) {
    const bool is_the_handlers = each.attributes(0).value().int_value() == 1;
    EXPECT_TRUE((is_the_handlers ? handlers_moment : around).holds(each.time_unix_nano()));
  }
  EXPECT_THAT(raw().ticks, ElementsAre(2, 2));
  EXPECT_TRUE(raw().clock_came_first) << "the handler's block has a clock of its own";
}

TEST_F(TickClock, StaysTheRingsWhateverALoggerOrALaterOpeningAsksFor) {
  EXPECT_EQ(open({.clock = Clock::kCoarse}).clock(), Clock::kTsc) << "the first opening decides";
  const Logger log = ring->logger("scope");
  std::vector<Moment> moments;
  moments.push_back(at([&] { EXPECT_TRUE(log.with_clock(Clock::kRealtime).emit(kLogSite, 1)); }));
  moments.push_back(at([&] { EXPECT_TRUE(log.emit(kLogSite, 2)); }));
  EXPECT_THAT(raw().ticks, ElementsAre(0, 2));
  expect_logs(moments);
}

class OwnClock : public ClockOfARing {};

TEST_F(OwnClock, OfALoggerOrTracerNeedsNotBeTheRings) {
  const Ring ring = open();
  ASSERT_EQ(ring.clock(), Clock::kRealtime);
  const Logger log = ring.logger("scope").with_clock(Clock::kTsc);
  const Tracer tracer = ring.tracer("scope").with_clock(Clock::kTsc);
  Moment start;
  start.before = unix_time_ns();
  auto by_site = tracer.start(kSpanSite);
  Span by_call = tracer.start("by call");
  start.after = unix_time_ns();
  let_pass(50'000'000);
  const Moment end = at([&] {
    EXPECT_TRUE(by_site.end(1));
    EXPECT_TRUE(by_call.end());
  });
  const Moment moment = at([&] { EXPECT_TRUE(log.emit(kLogSite, 1)); });
  for (const auto& span : peeked<OtlpSpan>(RecordKind::kSpan)) {
    EXPECT_TRUE(start.holds(span.start_time_unix_nano())) << span.name();
    EXPECT_TRUE(end.holds(span.end_time_unix_nano())) << span.name();
  }
  expect_logs({moment});
}

TEST_F(ClockOfARing, IsTheWallClockUnlessSomebodySaysOtherwise) {
  const Ring ring = open();
  EXPECT_EQ(ring.clock(), Clock::kRealtime);
  const Logger log = ring.logger("scope");
  const Moment moment = at([&] { EXPECT_TRUE(log.emit(kLogSite, 1)); });
  EXPECT_THAT(raw().ticks, ElementsAre(0));
  EXPECT_EQ(raw().clocks, 0);
  expect_logs({moment});
}

TEST_F(ClockOfARing, IsChosenByTheEnvironment) {
  set("SHMRING_CLOCK", "coarse");
  EXPECT_EQ(open().clock(), Clock::kCoarse);
}

TEST_F(ClockOfARing, IsChosenByTheProgramBeforeTheEnvironment) {
  set("SHMRING_CLOCK", "coarse");
  EXPECT_EQ(open({.clock = Clock::kRealtime}).clock(), Clock::kRealtime);
}

TEST_F(ClockOfARing, IsNeverACounterThatCannotBeReliedOn) {
  set("SHMRING_CLOCK", "tsc");
  const Ring ring = open();
  EXPECT_NE(ring.clock(), Clock::kCoarse);
  const Logger log = ring.logger("scope");
  const Moment moment = at([&] { EXPECT_TRUE(log.emit(kLogSite, 1)); });
  EXPECT_THAT(raw().ticks, ElementsAre(ring.clock() == Clock::kTsc ? 2 : 0));
  expect_logs({moment});
}

TEST_F(ClockOfARing, MayBeTheKernelsCoarseOne) {
  const Ring ring = open({.clock = Clock::kCoarse});
  EXPECT_EQ(ring.clock(), Clock::kCoarse);
  const Logger log = ring.logger("scope");
  const std::uint64_t before = unix_time_ns(CLOCK_REALTIME_COARSE);
  EXPECT_TRUE(log.emit(kLogSite, 1));
  EXPECT_TRUE(log.emit({.body = "one time given", .time_unix_nano = 5}));
  const std::uint64_t after = unix_time_ns(CLOCK_REALTIME_COARSE);
  const auto found = peeked<Log>(RecordKind::kLog);
  ASSERT_EQ(found.size(), 2U);
  for (const std::uint64_t time : {found[0].time_unix_nano(), found[1].observed_time_unix_nano()}) {
    EXPECT_GE(time, before);
    EXPECT_LE(time, after);
  }
  EXPECT_THAT(raw().ticks, ElementsAre(0, 0));
}

TEST_F(ClockOfARing, IsForSpansTheExactOneWhereItIsCoarse) {
  const Ring ring = open({.clock = Clock::kCoarse});
  const std::uint64_t before = unix_time_ns();
  auto span = ring.tracer("scope").start(kSpanSite);
  const Stamp stamp = ring.tracer("scope").now();
  const std::uint64_t after = unix_time_ns();
  EXPECT_GE(stamp.value, before);
  EXPECT_LE(stamp.value, after);
  EXPECT_TRUE(span.end(1));
  const auto found = peeked<OtlpSpan>(RecordKind::kSpan);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GE(found[0].start_time_unix_nano(), before);
  EXPECT_LE(found[0].start_time_unix_nano(), after);
}

class ClockVariable : public WithEnvironment {};

TEST_F(ClockVariable, NamesAClockInAnyCase) {
  EXPECT_EQ(read_producer_config().clock, Clock::kRealtime);
  const std::pair<const char*, Clock> names[] = {{"realtime", Clock::kRealtime}, {"coarse", Clock::kCoarse},
                                                 {"tsc", Clock::kTsc},           {"TSC", Clock::kTsc},
                                                 {"Coarse", Clock::kCoarse},     {"", Clock::kRealtime}};
  for (const auto& [name, clock] : names) {
    set("SHMRING_CLOCK", name);
    EXPECT_EQ(read_producer_config().clock, clock) << name;
    EXPECT_THAT(read_producer_config().ignored, IsEmpty()) << name;
  }
}

TEST_F(ClockVariable, IsIgnoredAndNotedWhereItNamesNone) {
  for (const char* const nonsense : {"sundial", "tsc ", "1", "realtime,tsc"}) {
    set("SHMRING_CLOCK", nonsense);
    EXPECT_EQ(read_producer_config().clock, Clock::kRealtime) << nonsense;
    EXPECT_THAT(read_producer_config().ignored,
                ElementsAre(HasSubstr("SHMRING_CLOCK=" + std::string(nonsense))));
  }
}

}  // namespace
}  // namespace shmring::test
