// SPDX-License-Identifier: Apache-2.0
// What delivers batches: one method. Exporters that add something (retrying) wrap another one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "flusher/batch.hpp"

namespace shmring::flusher {

enum class SendOutcome : std::uint8_t {
  kAccepted,   // delivered, but for `rejected` and `dead_lettered` records
  kRetryable,  // not now; the same batch again later
  kRejected,   // refused for good
};

/// What a refusal says about the records.
enum class Refusal : std::uint8_t {
  kOther,     // nothing
  kBadData,   // one of them at least is not taken
  kTooLarge,  // there are too many of them, or one is too large
};

/// The connection that an attempt used.
enum class Connection : std::uint8_t { kNone, kOpened, kReused };

struct SendResult {
  SendOutcome outcome = SendOutcome::kAccepted;
  std::uint64_t rejected = 0;  // with kAccepted: records that a partial success leaves out
  std::uint64_t dead_lettered =
      0;                    // refused, and kept as dead letters; beside `rejected`, also with kRejected
  std::string reason = {};  // for people; may hold the server's words
  std::optional<std::chrono::microseconds> retry_after =
      {};                             // with kRetryable: what the destination asked for
  bool may_have_arrived = false;      // with kRetryable: the whole request was sent, and no answer came
  Refusal refusal = Refusal::kOther;  // with kRejected
  bool is_given_up = false;           // by us: that says nothing about the destination
  std::string code = "none";          // of the answer, for metrics: few different ones; none: there was none
  Connection connection = Connection::kNone;
};

/// What happens to a batch that could not be delivered now.
enum class Patience : std::uint8_t {
  kRetry,     // it is tried again until it has its outcome
  kGiveBack,  // it is answered with kRetryable at once, also if it waits for its next attempt already
};

class Exporter {
 public:
  using Done = std::function<void(const SendResult&)>;

  virtual ~Exporter() = default;

  /// Calls `done` once, now or later, on this thread; never after the exporter's end.
  virtual void submit(std::shared_ptr<const Batch> batch, Done done) = 0;

  /// From now on, for batches of that signal. One that retries begins with kRetry; one that wraps another hands it on.
  virtual void set_patience(Signal, Patience) {}
};

}  // namespace shmring::flusher
