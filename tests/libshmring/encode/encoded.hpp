// SPDX-License-Identifier: Apache-2.0
// Encodes into memory of exactly the size that was computed, and lets libprotobuf read it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "opentelemetry/proto/logs/v1/logs.pb.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "shmring/log_encoder.hpp"
#include "shmring/span_encoder.hpp"

namespace shmring::test {

namespace otlp = opentelemetry::proto;

/// The bytes of a record; a write past the computed size is the address sanitizer's to see.
template <typename Record, typename Limit>
std::string encoded(const Record& record, const Limit& limits) {
  const std::size_t size = encoded_size(record, limits);
  const auto exact = std::unique_ptr<std::byte[]>(new std::byte[size]);
  const std::byte* const end = encode(exact.get(), record, limits);
  EXPECT_EQ(static_cast<std::size_t>(end - exact.get()), size) << "encoded_size() is not what encode() wrote";
  return {reinterpret_cast<const char*>(exact.get()), size};
}

inline otlp::logs::v1::LogRecord decoded(const LogRecord& record, const AttributeLimits& limits = {}) {
  otlp::logs::v1::LogRecord message;
  EXPECT_TRUE(message.ParseFromString(encoded(record, limits)));
  return message;
}

inline otlp::trace::v1::Span decoded(const SpanRecord& record, const Limits& limits = {}) {
  otlp::trace::v1::Span message;
  EXPECT_TRUE(message.ParseFromString(encoded(record, limits)));
  return message;
}

/// Equal in every field, NaN included, and without unknown fields: the bytes that libprotobuf makes of both
/// are equal.
template <typename Message>
::testing::AssertionResult same(const Message& actual, const Message& expected) {
  if (actual.SerializeAsString() == expected.SerializeAsString()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "decoded:\n"
                                       << actual.DebugString() << "expected:\n"
                                       << expected.DebugString();
}

}  // namespace shmring::test
