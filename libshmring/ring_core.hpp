// SPDX-License-Identifier: Apache-2.0
// An attached ring inside a producing process: one per ring file, made once, never destroyed, shared by all threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libshmring/crowd.hpp"
#include "libshmring/environment.hpp"
#include "libshmring/resource.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/ring.hpp"
#include "shmring/writer.hpp"

namespace shmring {

/// What the process that opens a ring says of itself.
struct ProcessOptions {
  const ResourceOptions& resource;
  std::optional<Clock> clock = {};  // nullopt: SHMRING_CLOCK
};

class RingCore {
 public:
  static constexpr std::size_t kPage = 4096;

  /// The process's handle of this file: the existing one, or a new one. Thread-safe.
  static Result<RingCore*> adopt(RingFile file, const ProcessOptions& options);

  /// For one that was prepared and then not needed; who has a writer is never destroyed.
  ~RingCore();
  RingCore(const RingCore&) = delete;
  RingCore& operator=(const RingCore&) = delete;

  const RingFile& file() const noexcept { return file_; }
  RingHeader& header() const noexcept { return file_.header(); }
  const ForkPage& fork_page() const noexcept { return *fork_page_; }
  const ProducerConfig& config() const noexcept { return config_; }
  const FixedResource& resource() const noexcept { return resource_; }
  /// What stamps records: never kTsc where the TSC cannot be used.
  Clock clock() const noexcept { return clock_; }
  /// Of when the process opened the ring; nothing in it where there is no TSC to be read.
  const Calibration& calibration() const noexcept { return calibration_; }
  RingCore* next() const noexcept { return next_; }

  /// REQUIRES: index < writer_count.
  WriterSlot& slot(std::uint32_t index) const noexcept { return file_.slots()[index]; }
  /// Neighbours lie in different pages: a child whose parent has the slot beside its own copies none of the parent's.
  WriterState& state(std::uint32_t index) const noexcept {
    return *reinterpret_cast<WriterState*>(states_ + std::size_t{index % state_pages_} * kPage +
                                           std::size_t{index / state_pages_} * sizeof(WriterState));
  }

  /// The number of a scope in this process; {0} when all numbers are taken. Lock-free, allocates: not async-signal-safe.
  ScopeId intern_scope(const ScopeOptions& scope);
  /// The payload of its scope record; empty for {0}.
  std::string_view scope(ScopeId id) const noexcept;

  /// Largest payload that a fresh block, or run of blocks, always has room for.
  std::size_t max_payload() const noexcept { return max_payload_; }

  Crowd& crowd() noexcept { return crowd_; }

  /// Whether a thread that found no slot may ask /proc about every holder: some milliseconds, so not for each record.
  bool may_ask_proc() noexcept;

  /// In a forked child that inherited an open slot: puts a private copy under the slot's address and moves the ring elsewhere,
  /// so that what the child still writes into the slot never reaches the parent's record (R19). Async-signal-safe.
  void detach_inherited_mapping() noexcept;
  /// After a detach that failed: this child cannot reach the ring.
  bool lost_in_child() const noexcept { return ring_lost_in_child_; }

 private:
  RingCore(RingFile file, const ForkPage* fork_page) noexcept
      : file_(std::move(file)), fork_page_(fork_page) {}
  Result<void> prepare(const ProcessOptions& options);

  RingFile file_;
  const ForkPage* fork_page_;
  ProducerConfig config_;
  FixedResource resource_;
  Clock clock_ = Clock::kRealtime;
  Calibration calibration_;
  std::size_t max_payload_ = 0;
  std::byte* states_ = nullptr;  // a WriterState for each writer slot, whole ones to a page
  std::uint32_t state_pages_ = 1;
  std::atomic<const std::string*>* scopes_ = nullptr;  // by ScopeId
  std::atomic<std::uint32_t> scope_count_{0};          // the ids given out; may run past the end
  std::atomic<std::uint64_t> last_asked_proc_ns_{0};
  Crowd crowd_;
  bool ring_lost_in_child_ = false;
  RingCore* next_ = nullptr;  // the list of all rings of this process
};

/// Whether the program may hear of a drop: not from within a handler that interrupted an emit.
enum class Tell : std::uint8_t { kNo, kYes };

/// Counts a dropped record where its thread counts: in its slot, or in the header when it has none (state == nullptr). Tells the error
/// handler, once per cause and process. Async-signal-safe but for that call, which is left out for DropCause::kNested.
void count_drop(RingCore& ring, const WriterState* state, Signal signal, DropCause cause, Tell tell) noexcept;

/// Makes the calling thread a writer of the ring (R14, R16). nullptr: no slot, a thread that the C library does not know, or a handler
/// from which it would not be safe (on the alternate stack, or in the middle of another robust mutex's locking); `cause` says which.
/// Runs with all signals blocked.
[[gnu::hot]] WriterState* register_thread(RingCore& ring, DropCause& cause) noexcept;

/// The calling thread's registration with the ring; nullptr when there is none yet. Forgets what a parent process left behind.
[[gnu::hot]] WriterState* find_writer(const RingCore& ring) noexcept;

/// In a child of fork(): the writers that the forking thread had in its parent, as they were then.
extern thread_local constinit const WriterState* inherited_writers __attribute__((tls_model("initial-exec")));

/// Asks for a drain ahead of schedule: a system call only for the first who asks since the last drain.
void wake_flusher(RingHeader& header) noexcept;

/// What the encoders need to know of a ring.
const ProducerConfig& producer_config(const RingCore& ring) noexcept;
const std::atomic<std::uint32_t>* min_severity(const RingCore& ring) noexcept;

}  // namespace shmring
