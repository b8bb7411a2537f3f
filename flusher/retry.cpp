// SPDX-License-Identifier: Apache-2.0
// Repeats what can be repeated.

#include "flusher/retry.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "flusher/units.hpp"

namespace shmring::flusher {

using std::chrono::microseconds;

microseconds Backoff::wait(unsigned attempt, std::optional<microseconds> asked_for) {
  const auto jittered = [&](std::int64_t from, std::int64_t to) {
    return microseconds(std::uniform_int_distribution<std::int64_t>(from, std::max(from, to))(random_));
  };
  const unsigned doublings = std::min(attempt, 20U);
  const std::int64_t grown = std::min(limits_.initial.count() << doublings, limits_.longest.count());
  const microseconds own = jittered(grown / 2, grown);
  if (!asked_for) return own;
  const std::int64_t asked = std::clamp<std::int64_t>(asked_for->count(), 0, limits_.longest_asked.count());
  return std::max(own, std::min(jittered(asked, asked * 2), limits_.longest_asked));
}

RetryingExporter::RetryingExporter(std::unique_ptr<Exporter> next, Timers& timers, Log& log, Options options)
    : timers_(timers),
      log_(log),
      options_(std::move(options)),
      backoff_(options_.limits, options_.seed),
      next_(std::move(next)) {}

void RetryingExporter::submit(std::shared_ptr<const Batch> batch, Done done) {
  try_now(std::make_shared<Attempt>(Attempt{std::move(batch), std::move(done)}));
}

void RetryingExporter::try_now(const std::shared_ptr<Attempt>& attempt) {
  next_->submit(attempt->batch, [this, attempt](const SendResult& result) { on_result(attempt, result); });
}

void RetryingExporter::on_result(const std::shared_ptr<Attempt>& attempt, const SendResult& result) {
  if (result.outcome != SendOutcome::kRetryable) return attempt->done(result);
  if (result.may_have_arrived && !attempt->is_counted_as_duplicate) {
    attempt->is_counted_as_duplicate = true;
    options_.on_possible_duplicates(*attempt->batch);
  }
  if (options_.on_delayed) options_.on_delayed(attempt->batch->signal, result.reason);
  // Asked for behind on_delayed(): that may be what changes it.
  if (patience_[static_cast<std::size_t>(attempt->batch->signal)] == Patience::kGiveBack)
    return attempt->done(result);
  const microseconds wait = backoff_.wait(attempt->failures, result.retry_after);
  ++attempt->failures;
  log_.write_limited(
      LogLevel::kWarning, "export_delayed", options_.name,
      {field("exporter", options_.name), field("signal", to_string(attempt->batch->signal)),
       field("records", attempt->batch->records), field("attempt", attempt->failures),
       field("next_try_in", format_duration(std::chrono::floor<std::chrono::milliseconds>(wait))),
       field("reason", result.reason)});
  attempt->last = result;
  waiting_.insert(attempt);
  timers_.after(wait, [this, attempt, self = std::weak_ptr<int>(self_)] {
    if (attempt->is_given_back || self.expired()) return;  // a loop may outlive its exporters
    waiting_.erase(attempt);
    options_.on_retry(attempt->batch->signal);
    try_now(attempt);
  });
}

void RetryingExporter::set_patience(Signal signal, Patience patience) {
  patience_[static_cast<std::size_t>(signal)] = patience;
  if (patience == Patience::kRetry) return;
  std::vector<std::shared_ptr<Attempt>> given_back;  // a copy: who is told may submit the next
  for (const auto& attempt : waiting_) {
    if (attempt->batch->signal == signal) given_back.push_back(attempt);
  }
  for (const auto& attempt : given_back) {
    attempt->is_given_back = true;
    waiting_.erase(attempt);
    attempt->done(attempt->last);
  }
}

}  // namespace shmring::flusher
