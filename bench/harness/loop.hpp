// SPDX-License-Identifier: Apache-2.0
// THE loop: everything is measured by it, ourselves included.
//
//   all producers meet -> each runs its share of a batch -> all meet -> one drains and counts -> again
//
// The time of a batch is from the first producer's begin to the last one's end; the drain is outside of it. What an
// operation costs is that time, times the cores that the producers have, divided by the operations of all of them: the same
// for one producer and for two on two cores as what each of them pays, and for more producers than cores what their
// turns add up to. The first batches of a visit are not counted: until they have gone through as much memory as the ring
// has, it is in the state that the row before left it in. What was pushed and is not found breaks the run.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/harness/median.hpp"
#include "bench/harness/row.hpp"
#include "bench/harness/stamp.hpp"
#include "bench/rendezvous.hpp"

namespace shmring::bench {

/// Makes the compiler believe that somebody looks at the value, and at all memory.
template <typename T>
requires(sizeof(T) <= sizeof(void*))  // a larger one would be copied: name its address
    [[gnu::always_inline]] inline void keep(const T& value) noexcept {
  asm volatile("" : : "r,m"(value) : "memory");
}

template <typename A>
concept Adapter = requires(A& adapter, Subjects& subjects, std::uint64_t number) {
  { A::create(subjects) } -> std::same_as<Result<std::unique_ptr<A>>>;
  { adapter.producer(0).push(number) } -> std::same_as<bool>;
  { adapter.drain(number) } -> std::same_as<std::uint64_t>;
};

/// One visit: its producers, and what they tell each other.
template <Adapter A>
class Visit {
  using Clock = std::chrono::steady_clock;
  static constexpr int kUncounted = 5;  // batches

 public:
  Visit(A& adapter, const About& about, int producers)
      : adapter_(adapter),
        producers_(producers),
        batch_(about.batch),
        spans_(static_cast<std::size_t>(producers)) {}

  /// `share(producer, index, is_counted, first, count)`: one producer's operations, and how many of them were done.
  /// What an operation took, in nanoseconds: the median of the batches, so that a batch in which the kernel took the core
  /// away does not stand for all.
  template <typename Share>
  Result<double> run(std::chrono::nanoseconds at_least, const Share& share) {
    if constexpr (requires { adapter_.begin(); }) adapter_.begin();
    std::vector<std::thread> threads;
    for (int i = 0; i < producers_; ++i)
      threads.emplace_back([this, i, at_least, &share] { produce(i, at_least, share); });
    for (std::thread& thread : threads) thread.join();
    if constexpr (requires { adapter_.end(); }) adapter_.end();
    if (is_lossy_) return Error{ErrorCode::kSystem, "records were refused, lost or damaged"};
    if constexpr (requires { adapter_.complaint(); }) {
      if (const std::optional<std::string> complaint = adapter_.complaint())
        return Error{ErrorCode::kSystem, *complaint};
    }
    return median(of_batches_);
  }

 private:
  struct Span {
    alignas(64) Clock::time_point begin, end;
  };

  template <typename Share>
  void produce(int index, std::chrono::nanoseconds at_least, const Share& share) {
    pin_to_core(index % core_count());
    auto producer = adapter_.producer(index);
    const std::uint64_t count = batch_ / static_cast<std::uint64_t>(producers_);
    Span& span = spans_[static_cast<std::size_t>(index)];
    for (std::uint64_t first = 0;; first += count) {
      barrier_.arrive_and_wait(producers_);
      if (is_over_) return;
      span.begin = Clock::now();
      const std::uint64_t done = share(producer, index, batches_ >= kUncounted, first, count);
      span.end = Clock::now();
      pushed_ += done;
      barrier_.arrive_and_wait(producers_);
      if (index == 0) settle(count * static_cast<std::uint64_t>(producers_), at_least);
    }
  }

  /// By one producer while the others wait at the barrier.
  void settle(std::uint64_t wanted, std::chrono::nanoseconds at_least) {
    const std::uint64_t pushed = pushed_.exchange(0);
    is_lossy_ = pushed != wanted || adapter_.drain(pushed) != pushed;
    if (++batches_ > kUncounted) {
      const auto begin = std::ranges::min_element(spans_, {}, &Span::begin)->begin;
      const auto end = std::ranges::max_element(spans_, {}, &Span::end)->end;
      const std::chrono::duration<double, std::nano> time = end - begin;
      const int cores = std::min(producers_, core_count());
      of_batches_.push_back(time.count() * cores / static_cast<double>(wanted));
      elapsed_ += time;
    }
    is_over_ = is_lossy_ || (!of_batches_.empty() && elapsed_ >= at_least);
  }

  A& adapter_;
  const int producers_;
  const std::uint64_t batch_;
  SpinBarrier barrier_;
  std::vector<Span> spans_;
  std::atomic<std::uint64_t> pushed_ = 0;
  // Written between the barriers, by one producer.
  std::chrono::duration<double, std::nano> elapsed_{};
  std::vector<double> of_batches_;  // nanoseconds of an operation
  int batches_ = 0;
  bool is_lossy_ = false;
  bool is_over_ = false;
};

template <Adapter A>
class AdapterRow final : public Row {
 public:
  /// Rows of one adapter share it.
  using Shared = std::shared_ptr<std::unique_ptr<A>>;
  AdapterRow(About about, int producers, Shared adapter)
      : Row(std::move(about), producers), adapter_(std::move(adapter)) {}

  Result<void> prepare(Subjects& subjects) override {
    if (producers() == 2 && core_count() < 2)
      return Error{ErrorCode::kUnsupported, "two producers on one core measure the scheduler"};
    if (*adapter_ != nullptr) return {};
    auto made = A::create(subjects);
    if (!made) return made.error();
    *adapter_ = *std::move(made);
    return {};
  }

  Result<double> visit(std::chrono::nanoseconds at_least) override {
    return Visit<A>(**adapter_, about(), producers())
        .run(at_least, [](auto& producer, int, bool, std::uint64_t first, std::uint64_t count) {
          std::uint64_t done = 0;
          for (std::uint64_t i = first; i < first + count; ++i) done += producer.push(i) ? 1 : 0;
          return done;
        });
  }

  Result<void> visit_stamped(std::chrono::nanoseconds at_least, Histogram& ticks) override {
    std::vector<Histogram> of_producers(static_cast<std::size_t>(producers()));
    std::vector<Histogram> uncounted(of_producers.size());
    const auto result =
        Visit<A>(**adapter_, about(), producers())
            .run(at_least,
                 [&](auto& producer, int index, bool is_counted, std::uint64_t first, std::uint64_t count) {
                   Histogram& mine = (is_counted ? of_producers : uncounted)[static_cast<std::size_t>(index)];
                   std::uint64_t done = 0;
                   for (std::uint64_t i = first; i < first + count; ++i) {
                     const std::uint64_t before = stamp_before();
                     done += producer.push(i) ? 1 : 0;
                     mine.add(stamp_after() - before);
                   }
                   return done;
                 });
    if (!result) return result.error();
    for (const Histogram& one : of_producers) ticks.add(one);
    return {};
  }

  Result<void> repeat(std::uint64_t operations) override {
    A& adapter = **adapter_;
    if constexpr (requires { adapter.begin(); }) adapter.begin();
    std::uint64_t done = 0;
    {
      auto producer = adapter.producer(0);
      for (std::uint64_t i = 0; i < operations; ++i) done += producer.push(i) ? 1 : 0;
    }
    if constexpr (requires { adapter.end(); }) adapter.end();
    if (done != operations) return Error{ErrorCode::kSystem, "records were refused"};
    return {};
  }

 private:
  Shared adapter_;
};

/// A row for each number of producers.
template <Adapter A>
void add_row(Rows& rows, const About& about) {
  const auto adapter = std::make_shared<std::unique_ptr<A>>();
  for (const int producers : about.producers)
    rows.push_back(std::make_unique<AdapterRow<A>>(about, producers, adapter));
}

}  // namespace shmring::bench
