// SPDX-License-Identifier: Apache-2.0
// What a recording span holds between its start and its end: attributes, events and links already encoded, so
// that the end is a few copies.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "shmring/clock.hpp"
#include "shmring/limits.hpp"
#include "shmring/span_encoder.hpp"
#include "shmring/writer.hpp"

namespace shmring {

/// Grow past what most spans need onto the heap. A span as a whole is small enough for the allocator's fast path.
using EncodedBytes = boost::container::small_vector<std::byte, 320>;
using Text = boost::container::small_vector<char, 48>;

inline std::string_view view(const Text& text) noexcept { return {text.data(), text.size()}; }

/// Encoded attributes of a growing span, each key once.
class AttributeStore {
 public:
  enum class Set : std::uint8_t { kDone, kDropped };

  /// Replaces the value of a key that is there; a new key past the limit, or without memory, is dropped. May
  /// allocate.
  Set set(const Attribute& attribute, const AttributeLimits& limits) noexcept;

  std::span<const std::byte> encoded() const noexcept { return {bytes_.data(), bytes_.size()}; }

 private:
  bool append_attribute(const Attribute& attribute, std::uint32_t value_length) noexcept;

  struct Entry {
    std::uint32_t size;    // of the encoded field
    std::uint32_t key_at;  // in it
    std::uint32_t key_size;
  };

  EncodedBytes bytes_;  // the fields, one behind the other, in the order of entries_
  boost::container::small_vector<Entry, 8> entries_;
};

struct SpanData {
  /// Throws what a name throws for which there is no memory. A constructor: an aggregate is filled with zeroes first, the vectors' room
  /// included.
  SpanData(Writer to, ScopeId its_scope, const Limits& its_limits, std::string_view its_name)
      : writer(to), scope(its_scope), limits(its_limits), name(its_name.begin(), its_name.end()) {}

  Writer writer;
  ScopeId scope;
  const Limits& limits;
  std::uint64_t process_generation = 0;  // of the process that started the span
  SpanId parent_span_id = {};
  ContextOrigin parent_origin = ContextOrigin::kUnknown;
  SpanKind kind = SpanKind::kInternal;
  StatusCode status = StatusCode::kUnset;
  Clock clock = Clock::kRealtime;  // kTsc: the start time is ticks
  std::uint64_t start_time = 0;
  // 0, without ticks: the caller gave the start time, by a clock of his own
  std::uint64_t start_monotonic_ns = 0;
  std::uint32_t event_count = 0;
  std::uint32_t link_count = 0;
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
  Text name;
  Text status_message;
  AttributeStore attributes;
  // Encoded fields, in the order of their calls.
  boost::container::small_vector<std::byte, 0> events_and_links;

  /// Each keeps what the limits and the memory allow, and counts the rest as dropped. May allocate.
  void set_attribute(const Attribute& attribute) noexcept;
  void add_event(const SpanEvent& event) noexcept;
  void add_link(const SpanLink& link) noexcept;

  /// Encodes and commits the span. Allocates nothing. `context` is its own.
  bool commit(const SpanContext& context, std::uint64_t end_time_unix_nano) noexcept;

  /// The end of a span that ends now, as the start is given: never before it, whatever was done to the wall clock meanwhile.
  std::uint64_t present_time() const noexcept;
  void give_up_ticks() noexcept;
};

std::uint64_t monotonic_time_ns() noexcept;

/// Nanoseconds since 1970 for ticks of this process's past.
std::uint64_t unix_time_of(const RingCore& ring, std::uint64_t ticks) noexcept;

}  // namespace shmring
