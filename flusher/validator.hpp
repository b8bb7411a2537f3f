// SPDX-License-Identifier: Apache-2.0
// Stage "validate": a slice becomes a list of records, each mended or marked as bad. A bad record never joins a batch,
// since one malformed record makes a backend refuse the whole request.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "libshmring/otlp/context.hpp"
#include "libshmring/otlp/validate.hpp"
#include "libshmring/reader.hpp"

namespace shmring::flusher {

struct CheckedRecord {
  std::uint32_t offset = 0;            // of its header in the block
  std::uint32_t context = 0;           // index into CheckedSlice::contexts
  std::optional<otlp::Bytes> payload;  // nullopt: invalid
};

/// A record that is no OTLP, as it lies in the slice.
struct BadRecord {
  std::uint32_t context = 0;  // index into CheckedSlice::contexts
  otlp::Reason reason = otlp::Reason::kNone;
  otlp::Bytes bytes;
};

/// Who wrote a record, as encoded OTLP, with schema URLs; empty where there is none, or none that is valid.
struct RecordContext {
  otlp::Context resource;
  otlp::Context scope;
};

/// Spans point into the slice, and into the validator: valid until its next check().
struct CheckedSlice {
  SliceKey key;
  std::vector<CheckedRecord> records;  // in the order of the block
  std::vector<RecordContext> contexts;
  std::vector<BadRecord> bad;  // those of `records` that are
  std::uint64_t corrupt = 0;
};

class Validator {
 public:
  const CheckedSlice& check(const Slice& slice);

  /// Records set aside so far, by reason; for the log.
  const std::array<std::uint64_t, otlp::kReasonCount>& invalid_by_reason() const noexcept { return invalid_; }

 private:
  /// A record's context as it lies in the slice.
  struct Seen {
    otlp::Bytes resource;
    otlp::Bytes scope;
  };
  /// Where a record's context was found in the slice before.
  struct Place {
    std::uint64_t slice = 0;    // number of the slice; 0: of none
    std::uint32_t context = 0;  // index into CheckedSlice::contexts
  };
  /// What was found valid last: the blocks of one process bring the same resource and scope again and again.
  struct Known {
    std::vector<std::byte> resource;
    std::vector<std::byte> scope;
  };

  std::uint32_t context_of(const Slice& slice, const RecordView& record);
  otlp::Context checked(otlp::MessageType type, otlp::Bytes record, std::vector<std::byte>& known);
  /// Keeps a mended copy beyond the next validation.
  otlp::Bytes keep(const otlp::Verdict& verdict);

  CheckedSlice checked_;
  Seen seen_;                       // of the last record
  std::uint32_t seen_context_ = 0;  // its index
  std::uint64_t slice_number_ = 0;
  std::vector<Place>
      places_;  // by offset of the scope, or of the resource where there is no scope, in 8 bytes
  Known known_;
  std::vector<std::byte> scratch_;
  std::deque<std::vector<std::byte>> mended_;
  std::array<std::uint64_t, otlp::kReasonCount> invalid_{};
};

}  // namespace shmring::flusher
