// SPDX-License-Identifier: Apache-2.0
// How many attributes, events and links a record may have, and how long a value may be.
#pragma once

#include <cstdint>
#include <limits>

namespace shmring {

inline constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();

/// Records never have more attributes than this, whatever the limits say: it bounds the time and the stack of
/// an emit.
inline constexpr std::uint32_t kMaxAttributes = 1024;

/// Values in values: deeper ones are written as empty values. What is deeper than this is refused by many
/// parsers, and with it the whole record.
inline constexpr unsigned kMaxValueNesting = 32;

/// Specification "Common", Attribute Limits. An attribute past `count` is dropped and counted in the record's
/// dropped_attributes_count. A string is cut to `value_length` characters (code points, never inside one),
/// bytes to as many bytes; so are the elements of arrays and maps. Keys and log bodies are never cut.
struct AttributeLimits {
  std::uint32_t count = 128;
  std::uint32_t value_length = kUnlimited;
};

/// All limits of a process, read from the environment when it opens a ring:
///
///   OTEL_ATTRIBUTE_COUNT_LIMIT, OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT      what has no limit of its own
///   OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT, .._VALUE_LENGTH_LIMIT        log
///   OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, .._VALUE_LENGTH_LIMIT             span; length: events, links too
///   OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT, OTEL_LINK_ATTRIBUTE_COUNT_LIMIT  event, link
///   OTEL_SPAN_EVENT_COUNT_LIMIT, OTEL_SPAN_LINK_COUNT_LIMIT            events, links: the first are kept
///
/// A value that is no whole number from 0 up is ignored, and the default stands.
struct Limits {
  AttributeLimits log = {};
  AttributeLimits span = {};
  AttributeLimits event = {};
  AttributeLimits link = {};
  std::uint32_t events = 128;  // of a span
  std::uint32_t links = 128;   // of a span
};

}  // namespace shmring
