// SPDX-License-Identifier: Apache-2.0
// Steps over the records of a block's bytes, believing nothing: the one place that follows framing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "shmring/layout.hpp"

namespace shmring {

/// One step. The header is a copy: the bytes may be written to while we look.
struct RecordStep {
  enum class Kind : std::uint8_t {
    kContext,  // resource, scope or clock
    kRecord,   // counted
    kEnd,      // nothing more
    kBroken,   // framing that leads nowhere: what follows cannot be found
  };
  Kind kind = Kind::kEnd;
  RecordHeader header{};
  std::uint32_t next = 0;  // offset behind the record
};

constexpr bool is_context(std::uint8_t kind) noexcept {
  return kind == static_cast<std::uint8_t>(RecordKind::kResource) ||
         kind == static_cast<std::uint8_t>(RecordKind::kScope) ||
         kind == static_cast<std::uint8_t>(RecordKind::kClock);
}

/// The record at `offset` of the bytes [0, end) of a block of this signal. Never reads outside.
inline RecordStep step_record(std::span<const std::byte> bytes, std::uint32_t offset,
                              Signal signal) noexcept {
  RecordStep step;
  if (offset >= bytes.size()) return step;
  step.kind = RecordStep::Kind::kBroken;
  if (bytes.size() - offset < sizeof(RecordHeader)) return step;
  std::memcpy(&step.header, bytes.data() + offset, sizeof(RecordHeader));
  const std::size_t left = bytes.size() - offset;
  if (step.header.size > left || record_bytes(step.header.size) > left) return step;
  const bool counted = step.header.kind == static_cast<std::uint8_t>(kind_of(signal));
  if (!counted && !is_context(step.header.kind)) return step;
  step.kind = counted ? RecordStep::Kind::kRecord : RecordStep::Kind::kContext;
  step.next = offset + static_cast<std::uint32_t>(record_bytes(step.header.size));
  return step;
}

/// Counted records from `offset` to the end, or to where framing breaks.
inline std::uint64_t count_records(std::span<const std::byte> bytes, std::uint32_t offset,
                                   Signal signal) noexcept {
  std::uint64_t records = 0;
  for (;;) {
    const RecordStep step = step_record(bytes, offset, signal);
    if (step.kind == RecordStep::Kind::kEnd || step.kind == RecordStep::Kind::kBroken) return records;
    if (step.kind == RecordStep::Kind::kRecord) ++records;
    offset = step.next;
  }
}

}  // namespace shmring
