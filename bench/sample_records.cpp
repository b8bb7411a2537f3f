// SPDX-License-Identifier: Apache-2.0
// What is in the records that are measured.
#include "bench/sample_records.hpp"

#include <cstdlib>
#include <string_view>

namespace shmring::bench {
namespace {

constexpr std::array<std::string_view, 4> kCustomers = {"Ada Lovelace", "Grace Hopper", "Donald Knuth",
                                                        "Ken Thompson"};
constexpr std::array<std::string_view, 2> kRoutes = {"/api/v1/orders/{id}", "/api/v2/orders/{id}"};
constexpr std::array<std::string_view, 2> kBodies = {
    "order placed; payment authorised, waiting for the warehouse now.",
    "order refused: the card has expired, the customer is informed.  "};
static_assert(kCustomers[0].size() == 12 && kRoutes[0].size() == 19 && kBodies[0].size() == 64 &&
              kBodies[1].size() == 64);

TraceContext trace_of(std::uint8_t number) {
  TraceContext trace{.flags = kSampledFlag};
  trace.trace_id.bytes.fill(static_cast<std::uint8_t>(0x40 + number));
  trace.span_id.bytes.fill(static_cast<std::uint8_t>(0x80 + number));
  return trace;
}

}  // namespace

SampleRecords::SampleRecords() {
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    requests_[i] = {.trace = trace_of(static_cast<std::uint8_t>(i)),
                    .body = std::string(kBodies[i % kBodies.size()]),
                    .customer = std::string(kCustomers[i % kCustomers.size()]),
                    .route = std::string(kRoutes[i / 2 % kRoutes.size()]),
                    .order = 1'000'000'000 + static_cast<std::int64_t>(i)};
    const Request& r = requests_[i];
    const std::array<Attribute, 3> attributes = {
        {{"order.id", r.order}, {"customer.name", r.customer}, {"http.route", r.route}}};
    const LogRecord record{.severity = Severity::kInfo,
                           .body = r.body,
                           .attributes = attributes,
                           .time_unix_nano = 1'700'000'000'000'000'000U + i,
                           .observed_time_unix_nano = 1'700'000'000'000'000'000U + i,
                           .trace = r.trace};
    if (encoded_size(record) != kRecordBytes) std::abort();  // then nothing here would be the same record
    encode(encoded_[i].data(), record);
  }
  static_cast<TraceContext&>(parent_) = trace_of(99);
}

}  // namespace shmring::bench
