// SPDX-License-Identifier: Apache-2.0
// Exporters that count.

#include "flusher/metered_exporter.hpp"

#include <utility>

namespace shmring::flusher {

AttemptMeter::~AttemptMeter() {
  for (std::size_t s = 0; s < kSignalCount; ++s)
    metrics_.on_attempts_forgotten(destination_, static_cast<Signal>(s), under_way_[s]);
}

void AttemptMeter::submit(std::shared_ptr<const Batch> batch, Done done) {
  const Signal signal = batch->signal;
  std::uint64_t& under_way = under_way_[static_cast<std::size_t>(signal)];
  ++under_way;
  metrics_.on_attempt(destination_, signal);
  next_->submit(std::move(batch), [this, signal, &under_way, began = Clock::now(),
                                   done = std::move(done)](const SendResult& result) {
    --under_way;
    metrics_.on_attempt_ended(destination_, signal, result, Clock::now() - began);
    done(result);
  });
}

void OutcomeMeter::submit(std::shared_ptr<const Batch> batch, Done done) {
  const Signal signal = batch->signal;
  const std::uint64_t records = batch->records;
  next_->submit(std::move(batch), [this, signal, records, done = std::move(done)](const SendResult& result) {
    if (result.outcome != SendOutcome::kRetryable) metrics_.on_settled(destination_, signal, records, result);
    done(result);
  });
}

}  // namespace shmring::flusher
