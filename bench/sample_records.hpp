// SPDX-License-Identifier: Apache-2.0
// The records that are measured: a log record and a span of 211 bytes of OTLP each, as a web shop would write them.
//
// What changes from record to record is read from memory at run time, so that no compiler encodes it in advance.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "shmring/shmring.hpp"

namespace shmring::bench {

inline constexpr std::size_t kRecordBytes = 211;   // of either sample, encoded
inline constexpr std::size_t kPayloadBytes = 200;  // of a record that is only copied

/// One request to the shop. The sizes of all requests' texts are the same, their contents are not.
struct Request {
  TraceContext trace;
  std::string body;      // 64 bytes
  std::string customer;  // 12 bytes
  std::string route;     // 19 bytes
  std::int64_t order;    // five bytes as a varint
};

class SampleRecords {
 public:
  SampleRecords();

  const Request& request(std::uint64_t index) const noexcept { return requests_[index % requests_.size()]; }

  /// The record, encoded beforehand: for who only copies it, or sends it somewhere.
  const std::array<std::byte, kRecordBytes>& encoded(std::uint64_t index) const noexcept {
    return encoded_[index % encoded_.size()];
  }

  /// A log record of the present moment, by the call that programs make.
  bool emit_log(const Logger& log, std::uint64_t index) const noexcept {
    const Request& r = request(index);
    return log.emit(Severity::kInfo, r.body,
                    {{"order.id", r.order}, {"customer.name", r.customer}, {"http.route", r.route}}, r.trace);
  }

  /// The same record where the call site is encoded ahead; its body is the site's.
  bool emit_log_site(const Logger& log, std::uint64_t index) const noexcept {
    const Request& r = request(index);
    return log.emit(kOrderPlaced, r.trace, r.order, r.customer, r.route);
  }

  /// A span of the same size that was measured elsewhere; both times are given.
  bool emit_span(const Tracer& tracer, std::uint64_t index) const noexcept {
    const Request& r = request(index);
    return tracer.emit({.context = r.trace,
                        .parent_span_id = parent_.span_id,
                        .name = kSpanName,
                        .kind = SpanKind::kServer,
                        .start_time_unix_nano = 1'700'000'000'000'000'000U + index,
                        .end_time_unix_nano = 1'700'000'000'001'000'000U + index,
                        .attributes = {{"order.id", r.order},
                                       {"customer.name", r.customer},
                                       {"http.route", r.route},
                                       {"server.address", "localhost"}}});
  }

  /// The same span where the call site is encoded ahead: its ids are given, its start has been stamped, its end is stamped now.
  bool emit_span_site(const Tracer& tracer, const Stamp& start, std::uint64_t index) const noexcept {
    const Request& r = request(index);
    return tracer.emit(kOrdersPosted, {.context = r.trace, .parent_span_id = parent_.span_id, .start = start},
                       r.order, r.customer, r.route);
  }

  /// The same span, started and ended: ids, sampling, two looks at the clock, and copies of what it is told.
  bool start_and_end_span(const Tracer& tracer, std::uint64_t index) const noexcept {
    const Request& r = request(index);
    Span span = tracer.start(kSpanName, {.kind = SpanKind::kServer, .parent = &parent_});
    span.set_attribute("order.id", r.order);
    span.set_attribute("customer.name", r.customer);
    span.set_attribute("http.route", r.route);
    span.set_attribute("server.address", "localhost");
    return span.end();
  }

  /// The same where the call site is encoded ahead.
  bool start_and_end_span_site(const Tracer& tracer, std::uint64_t index) const noexcept {
    const Request& r = request(index);
    auto span = tracer.start(kOrdersPosted, &parent_);
    return span.end(r.order, r.customer, r.route);
  }

 private:
  static constexpr LogSite<Severity::kInfo,
                           "order placed; payment authorised, waiting for the warehouse now.", "order.id",
                           "customer.name", "http.route">
      kOrderPlaced{};
  static constexpr SpanSite<"POST /api/v1/orders/{id}", SpanKind::kServer, "order.id", "customer.name",
                            "http.route", constant("server.address", "localhost")>
      kOrdersPosted{};
  static constexpr std::string_view kSpanName = "POST /api/v1/orders/{id}";

  std::array<Request, 64> requests_;
  std::array<std::array<std::byte, kRecordBytes>, 64> encoded_;
  SpanContext parent_;
};

}  // namespace shmring::bench
