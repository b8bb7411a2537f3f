// SPDX-License-Identifier: Apache-2.0
// Makes the records and emits them.

#include "tests/interop/records.hpp"

#include <google/protobuf/message.h>

#include <utility>

#include "shmring/shmring.hpp"
#include "tests/libshmring/encode/random_records.hpp"
#include "tests/support/otlp_generator.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::interop {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using opentelemetry::proto::common::v1::KeyValue;

/// Gives each key of a list its place: of two equal keys the library would keep the later only.
void make_keys_unique(Message& message) {
  const auto* const reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      make_keys_unique(*reflection->MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      Message& element = *reflection->MutableRepeatedMessage(&message, field, i);
      make_keys_unique(element);
      if (element.GetDescriptor() != KeyValue::descriptor()) continue;
      auto& entry = static_cast<KeyValue&>(element);
      entry.set_key(std::to_string(i) + "." + entry.key());
    }
  }
}

}  // namespace

Sent make_records(std::size_t of_each, std::uint64_t seed) {
  test::RandomRecords random(seed);
  testing::OtlpGenerator generator(seed);
  Sent sent;
  for (std::size_t i = 0; i < of_each; ++i) {
    auto& log = sent.logs.emplace_back(random.log());
    log.set_time_unix_nano(i + 1);
    log.set_observed_time_unix_nano(generator.number() | 1U);  // 0 would become the present
    if (generator.one_in(4)) log.mutable_body()->set_string_value(generator.text());
    make_keys_unique(log);

    auto& span = sent.spans.emplace_back(random.span());
    span.set_trace_id("t" + generator.bytes(15));
    span.set_span_id("s" + generator.bytes(7));
    span.set_start_time_unix_nano(i + 1);
    span.set_name(generator.text() + "/");
    make_keys_unique(span);

    auto& metric = sent.metrics.emplace_back(generator.metric());
    metric.set_name(std::to_string(i + 1) + metric.name());
  }
  return sent;
}

ResourceOptions resource_options() {
  return {.service_name = kService, .attributes = {{"deployment.environment.name", "b\u00fchne \"7\"\n"}}};
}

void emit(const Ring& ring, const Sent& sent) {
  test::Views views;
  const Logger logger = ring.logger("interop.logs", "1.2.3");
  for (const auto& log : sent.logs) {
    if (!logger.emit(views.of(log))) testing::give_up("the ring refused a log record");
  }
  const Tracer tracer = ring.tracer("interop.traces", "1.2.3");
  for (const auto& span : sent.spans) {
    if (!tracer.emit(views.of(span))) testing::give_up("the ring refused a span");
  }
  const ScopeId scope = ring.scope({.name = "interop.metrics", .version = "1.2.3"});
  for (const auto& metric : sent.metrics) {
    const std::size_t size = metric.ByteSizeLong();
    Slot slot = ring.writer().try_reserve(RecordKind::kMetric, size, scope);
    if (!slot || !metric.SerializeToArray(slot.payload().data(), static_cast<int>(size)) ||
        !std::move(slot).commit())
      testing::give_up("the ring refused a metric");
  }
}

}  // namespace shmring::interop
