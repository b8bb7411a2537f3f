// SPDX-License-Identifier: Apache-2.0
// A record of the ring, checked and decoded, for verbs that filter and show records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "libshmring/otlp/context.hpp"
#include "libshmring/reader.hpp"
#include "opentelemetry/proto/common/v1/common.pb.h"
#include "opentelemetry/proto/logs/v1/logs.pb.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "shmring/signal.hpp"

namespace shmring::tools {

/// A record whose bytes every protobuf parser takes: text that is no UTF-8 is mended, a context that is no OTLP is left
/// out. Refers to the slice's bytes or to buffers of its CheckedRecords.
struct CheckedRecord {
  Signal signal = Signal::kLogs;
  std::span<const std::byte> payload;
  otlp::Context resource;
  otlp::Context scope;
};

/// Walks the records of one slice.
class CheckedRecords {
 public:
  /// REQUIRES: the slice outlives this.
  explicit CheckedRecords(const Slice& slice) : signal_(slice.key.signal), walk_(slice) {}

  /// Valid until the next call. nullopt: the end.
  std::optional<CheckedRecord> next();
  /// Records that are no OTLP; after the end also those that cannot be found in the block.
  std::uint64_t unreadable() const noexcept { return unreadable_; }

 private:
  Signal signal_;
  SliceWalk walk_;
  std::uint64_t unreadable_ = 0;
  std::vector<std::byte> payload_buffer_;
  std::vector<std::byte> resource_buffer_;
  std::vector<std::byte> scope_buffer_;
};

/// The same as objects.
struct DecodedRecord {
  opentelemetry::proto::resource::v1::Resource resource;
  opentelemetry::proto::common::v1::InstrumentationScope scope;
  std::variant<opentelemetry::proto::logs::v1::LogRecord, opentelemetry::proto::trace::v1::Span,
               opentelemetry::proto::metrics::v1::Metric>
      data;

  /// When it happened, else when it was seen; 0: it does not say.
  std::uint64_t time_unix_nano() const;
  /// 0 for all that is no log.
  std::uint32_t severity() const;
  /// process.pid of its resource.
  std::optional<std::int64_t> pid() const;
  std::string service_name() const;
};

/// nullopt: libprotobuf does not take it.
std::optional<DecodedRecord> decode(const CheckedRecord& record);

}  // namespace shmring::tools
