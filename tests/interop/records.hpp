// SPDX-License-Identifier: Apache-2.0
// What is sent: records of the three signals with every field of theirs and every kind of AnyValue, the same for the same seed;
// and the comparison of what arrived with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "opentelemetry/proto/common/v1/common.pb.h"
#include "opentelemetry/proto/logs/v1/logs.pb.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "shmring/ring.hpp"

namespace shmring::interop {

struct Sent {
  std::vector<opentelemetry::proto::logs::v1::LogRecord> logs;
  std::vector<opentelemetry::proto::trace::v1::Span> spans;
  std::vector<opentelemetry::proto::metrics::v1::Metric> metrics;
};

/// The records are told apart by a time (logs, spans) or the name (metrics): the number in them is their place.
Sent make_records(std::size_t of_each, std::uint64_t seed);

inline constexpr const char* kService = "interop";
ResourceOptions resource_options();

/// Logs and spans by the public API, metrics encoded by libprotobuf straight into the ring. Aborts when one is dropped.
void emit(const Ring& ring, const Sent& sent);

/// A record as it arrived, with what it stood under.
template <typename Record>
struct Arrived {
  Record record;
  opentelemetry::proto::common::v1::InstrumentationScope scope;
  opentelemetry::proto::resource::v1::Resource resource;
};

/// How many of `sent` arrived once and equal, field by field, with their scope and resource. Prints the first few differences.
/// An absent message and an empty one are the same, as for every reader of OTLP; so are NaNs, and -0 and the default 0.
std::size_t count_equal(const std::vector<opentelemetry::proto::logs::v1::LogRecord>& sent,
                        const std::vector<Arrived<opentelemetry::proto::logs::v1::LogRecord>>& arrived);
std::size_t count_equal(const std::vector<opentelemetry::proto::trace::v1::Span>& sent,
                        const std::vector<Arrived<opentelemetry::proto::trace::v1::Span>>& arrived);
std::size_t count_equal(const std::vector<opentelemetry::proto::metrics::v1::Metric>& sent,
                        const std::vector<Arrived<opentelemetry::proto::metrics::v1::Metric>>& arrived);

}  // namespace shmring::interop
