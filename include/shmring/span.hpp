// SPDX-License-Identifier: Apache-2.0
// A span between its start and its end (specification "Trace API", Span).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "shmring/attribute.hpp"
#include "shmring/span_encoder.hpp"
#include "shmring/traceparent.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

struct SpanData;

/// One timed operation; from Tracer::start(). end(), or the destructor, encodes it and commits it to the
/// ring: until then it is in this process's memory only and ends with it.
///
/// A span that is not sampled has a context to hand on, and records nothing. What the program tells a
/// recording span is copied at once; that may allocate, end() does not. When memory runs out, what could not
/// be kept is counted as dropped.
///
/// Move-only; for one thread at a time. A span belongs to the process that started it: in a child forked
/// meanwhile, end() emits nothing and counts nothing, because the parent will end it too and two spans with
/// one id are worse than one. (A child that wants a span of its own starts one with this one's context() as
/// its parent.)
class Span {
 public:
  /// Not recording, with a context that is not valid.
  Span() noexcept;
  Span(Span&& other) noexcept;
  Span& operator=(Span&& other) noexcept;
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  /// Ends the span if nobody has.
  ~Span();

  /// False: not sampled, ended, or not made by a tracer; what is set now goes nowhere.
  bool is_recording() const noexcept { return data_ != nullptr; }

  /// Ids, flags and trace state: for children, log records, format_traceparent(). Valid after end(), too.
  const SpanContext& context() const noexcept { return context_; }

  /// Sets, or sets again. Past the limit a new key is dropped and counted.
  void set_attribute(std::string_view key, AttributeValue value) noexcept;
  void set_attributes(Attributes attributes) noexcept;

  /// `time_unix_nano` 0: now. Past the limit the event is dropped and counted.
  void add_event(std::string_view name, Attributes attributes = {},
                 std::uint64_t time_unix_nano = 0) noexcept;

  /// The specification wants links at the start where they are known by then: samplers see only those.
  void add_link(const SpanContext& context, Attributes attributes = {}) noexcept;

  /// kUnset changes nothing; kOk is final; a message goes with kError only (specification "Trace API", Set
  /// Status).
  void set_status(StatusCode code, std::string_view message = {}) noexcept;

  /// Replaces the name given at the start.
  void update_name(std::string_view name) noexcept;

  /// Commits the span. `end_time_unix_nano` 0: now, which is the start time plus the time that has passed on
  /// the monotonic clock, so that a clock set meanwhile makes no negative duration; the wall clock where the
  /// start was given. True: committed. False: dropped and counted by its cause; or there is nothing to
  /// commit: not recording, ended before, or inherited across a fork. Neither allocates nor makes a system
  /// call once the thread has its block.
  bool end(std::uint64_t end_time_unix_nano = 0) noexcept;

 private:
  friend class Tracer;
  struct Release {
    void operator()(SpanData* data) const noexcept;
  };
  Span(SpanContext&& context, SpanData* data) noexcept;

  SpanContext context_;
  SpanData* data_ = nullptr;                    // while recording
  std::unique_ptr<SpanData, Release> storage_;  // outlives end(): freeing is the destructor's business
};

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
