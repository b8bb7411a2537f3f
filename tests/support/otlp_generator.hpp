// SPDX-License-Identifier: Apache-2.0
// Random OTLP messages of all three signals, the same ones for the same seed. Every field of the standard comes up,
// every kind of AnyValue, and the values at which encoders go wrong: empty, zero, extremes, NaN, text of all lengths.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>

#include "opentelemetry/proto/common/v1/common.pb.h"
#include "opentelemetry/proto/logs/v1/logs.pb.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"

namespace shmring::testing {

class OtlpGenerator {
 public:
  using AnyValue = opentelemetry::proto::common::v1::AnyValue;
  using KeyValue = opentelemetry::proto::common::v1::KeyValue;
  using InstrumentationScope = opentelemetry::proto::common::v1::InstrumentationScope;
  using Resource = opentelemetry::proto::resource::v1::Resource;
  using LogRecord = opentelemetry::proto::logs::v1::LogRecord;
  using Span = opentelemetry::proto::trace::v1::Span;
  using Metric = opentelemetry::proto::metrics::v1::Metric;

  explicit OtlpGenerator(std::uint64_t seed) : state_(seed) {}

  // The primitives, for tests that need randomness of their own.
  std::uint64_t bits() {  // splitmix64
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return bits() % limit; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

  // A number that is often small, often zero and sometimes an extreme.
  std::uint64_t number() {
    switch (below(6)) {
      case 0:
        return 0;
      case 1:
        return below(200);
      case 2:
        return std::numeric_limits<std::uint64_t>::max();
      case 3:
        return std::uint64_t{1} << below(64);
      default:
        return bits() >> below(64);
    }
  }

  double real() {
    constexpr std::array kSpecial = {0.0,
                                     -0.0,
                                     1.0,
                                     0.1,
                                     std::numeric_limits<double>::max(),
                                     std::numeric_limits<double>::denorm_min(),
                                     std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity(),
                                     std::numeric_limits<double>::quiet_NaN()};
    return one_in(2) ? kSpecial[below(kSpecial.size())] : std::bit_cast<double>(bits());
  }

  std::string bytes(std::size_t size) {
    std::string result;
    while (result.size() < size) result += static_cast<char>(bits());
    return result;
  }

  // Valid UTF-8, with NUL, quotes, control characters and sequences of two to four bytes.
  std::string text() {
    constexpr std::array kPieces = {"\x01",   "\"",     "\\",     "\n",     "\x7f",      "\u0085",
                                    "\u00e9", "\u2028", "\u20ac", "\uffff", "\U0001f980"};
    const std::size_t size = one_in(20) ? 100 + below(300) : below(24);
    std::string result;
    while (result.size() < size) {
      if (one_in(12)) {
        result += kPieces[below(kPieces.size())];
      } else if (one_in(60)) {
        result += '\0';
      } else {
        result += static_cast<char>('a' + below(26));
      }
    }
    return result;
  }

  AnyValue any_value(unsigned levels = 4) {
    AnyValue value;
    switch (below(levels > 0 ? 8 : 6)) {
      case 0:
        break;
      case 1:
        value.set_string_value(text());
        break;
      case 2:
        value.set_bool_value(one_in(2));
        break;
      case 3:
        value.set_int_value(static_cast<std::int64_t>(number()));
        break;
      case 4:
        value.set_double_value(real());
        break;
      case 5:
        value.set_bytes_value(bytes(below(10)));
        break;
      case 6:
        value.mutable_array_value();
        for (auto i = below(4); i > 0; --i)
          *value.mutable_array_value()->add_values() = any_value(levels - 1);
        break;
      default:
        value.mutable_kvlist_value();
        for (auto i = below(4); i > 0; --i)
          *value.mutable_kvlist_value()->add_values() = key_value(levels - 1);
        break;
    }
    return value;
  }

  KeyValue key_value(unsigned levels = 4) {
    KeyValue attribute;
    attribute.set_key(text());
    if (!one_in(10)) *attribute.mutable_value() = any_value(levels);
    return attribute;
  }

  Resource resource() {
    Resource resource;
    add_attributes(*resource.mutable_attributes());
    if (one_in(3)) resource.set_dropped_attributes_count(small());
    if (one_in(4)) {
      auto& entity = *resource.add_entity_refs();
      entity.set_schema_url(text());
      entity.set_type(text());
      entity.add_id_keys(text());
      for (auto i = below(3); i > 0; --i) entity.add_description_keys(text());
    }
    return resource;
  }

  InstrumentationScope scope() {
    InstrumentationScope scope;
    scope.set_name(text());
    if (one_in(2)) scope.set_version(text());
    if (one_in(2)) add_attributes(*scope.mutable_attributes());
    if (one_in(3)) scope.set_dropped_attributes_count(small());
    return scope;
  }

  LogRecord log_record() {
    LogRecord record;
    record.set_time_unix_nano(number());
    if (one_in(2)) record.set_observed_time_unix_nano(number());
    record.set_severity_number(static_cast<opentelemetry::proto::logs::v1::SeverityNumber>(below(25)));
    if (one_in(2)) record.set_severity_text(text());
    if (!one_in(5)) *record.mutable_body() = any_value();
    add_attributes(*record.mutable_attributes());
    if (one_in(3)) record.set_dropped_attributes_count(small());
    if (one_in(2)) record.set_flags(small());
    if (one_in(2)) record.set_trace_id(bytes(16));
    if (one_in(2)) record.set_span_id(bytes(8));
    if (one_in(3)) record.set_event_name(text());
    return record;
  }

  Span span() {
    Span span;
    span.set_trace_id("t" + bytes(15));  // not all zero
    span.set_span_id("s" + bytes(7));
    if (one_in(3)) span.set_trace_state(text());
    if (one_in(2)) span.set_parent_span_id(bytes(8));
    if (one_in(2)) span.set_flags(small());
    span.set_name(text());
    span.set_kind(static_cast<Span::SpanKind>(below(6)));
    span.set_start_time_unix_nano(number());
    span.set_end_time_unix_nano(number());
    add_attributes(*span.mutable_attributes());
    if (one_in(3)) span.set_dropped_attributes_count(small());
    for (auto i = below(3); i > 0; --i) add_event(*span.add_events());
    if (one_in(3)) span.set_dropped_events_count(small());
    for (auto i = below(3); i > 0; --i) add_link(*span.add_links());
    if (one_in(3)) span.set_dropped_links_count(small());
    if (one_in(2)) {
      span.mutable_status()->set_code(
          static_cast<opentelemetry::proto::trace::v1::Status::StatusCode>(below(3)));
      if (one_in(2)) span.mutable_status()->set_message(text());
    }
    return span;
  }

  Metric metric() {
    Metric metric;
    metric.set_name(text());
    if (one_in(2)) metric.set_description(text());
    if (one_in(2)) metric.set_unit(text());
    if (one_in(3)) add_attributes(*metric.mutable_metadata());
    const auto points = below(4);
    switch (below(6)) {
      case 0:
        break;
      case 1:
        metric.mutable_gauge();
        for (auto i = points; i > 0; --i) fill_number(*metric.mutable_gauge()->add_data_points());
        break;
      case 2:
        metric.mutable_sum()->set_aggregation_temporality(temporality());
        metric.mutable_sum()->set_is_monotonic(one_in(2));
        for (auto i = points; i > 0; --i) fill_number(*metric.mutable_sum()->add_data_points());
        break;
      case 3:
        metric.mutable_histogram()->set_aggregation_temporality(temporality());
        for (auto i = points; i > 0; --i) fill_histogram(*metric.mutable_histogram()->add_data_points());
        break;
      case 4:
        metric.mutable_exponential_histogram()->set_aggregation_temporality(temporality());
        for (auto i = points; i > 0; --i) {
          fill_exponential(*metric.mutable_exponential_histogram()->add_data_points());
        }
        break;
      default:
        metric.mutable_summary();
        for (auto i = points; i > 0; --i) fill_summary(*metric.mutable_summary()->add_data_points());
        break;
    }
    return metric;
  }

 private:
  using Temporality = opentelemetry::proto::metrics::v1::AggregationTemporality;

  std::uint32_t small() { return static_cast<std::uint32_t>(number()); }
  Temporality temporality() { return static_cast<Temporality>(below(3)); }

  template <typename Attributes>
  void add_attributes(Attributes& attributes) {
    for (auto i = below(5); i > 0; --i) *attributes.Add() = key_value();
  }

  void add_event(Span::Event& event) {
    event.set_time_unix_nano(number());
    event.set_name(text());
    add_attributes(*event.mutable_attributes());
    if (one_in(3)) event.set_dropped_attributes_count(small());
  }

  void add_link(Span::Link& link) {
    link.set_trace_id(bytes(16));
    link.set_span_id(bytes(8));
    if (one_in(2)) link.set_trace_state(text());
    add_attributes(*link.mutable_attributes());
    if (one_in(3)) link.set_dropped_attributes_count(small());
    if (one_in(2)) link.set_flags(small());
  }

  // What all data points have.
  template <typename Point>
  void fill_point(Point& point) {
    add_attributes(*point.mutable_attributes());
    point.set_start_time_unix_nano(number());
    point.set_time_unix_nano(number());
    if (one_in(3)) point.set_flags(small());
  }

  template <typename Point>
  void set_number(Point& point) {
    if (one_in(2)) {
      point.set_as_double(real());
    } else {
      point.set_as_int(static_cast<std::int64_t>(number()));
    }
  }

  template <typename Point>
  void add_exemplars(Point& point) {
    for (auto i = below(3); i > 0; --i) {
      auto& exemplar = *point.add_exemplars();
      add_attributes(*exemplar.mutable_filtered_attributes());
      exemplar.set_time_unix_nano(number());
      if (!one_in(5)) set_number(exemplar);
      if (one_in(2)) exemplar.set_span_id(bytes(8));
      if (one_in(2)) exemplar.set_trace_id(bytes(16));
    }
  }

  template <typename Point>
  void set_extremes(Point& point) {
    if (one_in(2)) point.set_sum(real());
    if (one_in(2)) point.set_min(real());
    if (one_in(2)) point.set_max(real());
  }

  void fill_number(opentelemetry::proto::metrics::v1::NumberDataPoint& point) {
    fill_point(point);
    if (!one_in(5)) set_number(point);
    add_exemplars(point);
  }

  void fill_histogram(opentelemetry::proto::metrics::v1::HistogramDataPoint& point) {
    fill_point(point);
    set_extremes(point);
    point.set_count(number());
    for (auto i = below(6); i > 0; --i) point.add_bucket_counts(number());
    for (auto i = below(6); i > 0; --i) point.add_explicit_bounds(real());
    add_exemplars(point);
  }

  void fill_exponential(opentelemetry::proto::metrics::v1::ExponentialHistogramDataPoint& point) {
    fill_point(point);
    set_extremes(point);
    point.set_count(number());
    point.set_scale(static_cast<std::int32_t>(number()));
    point.set_zero_count(number());
    if (one_in(2)) point.set_zero_threshold(real());
    for (auto* buckets : {point.mutable_positive(), point.mutable_negative()}) {
      buckets->set_offset(static_cast<std::int32_t>(number()));
      for (auto i = below(6); i > 0; --i) buckets->add_bucket_counts(number());
    }
    add_exemplars(point);
  }

  void fill_summary(opentelemetry::proto::metrics::v1::SummaryDataPoint& point) {
    fill_point(point);
    point.set_count(number());
    point.set_sum(real());
    for (auto i = below(4); i > 0; --i) {
      auto& quantile = *point.add_quantile_values();
      quantile.set_quantile(real());
      quantile.set_value(real());
    }
  }

  std::uint64_t state_;
};

}  // namespace shmring::testing
