// SPDX-License-Identifier: Apache-2.0
// Compares what arrived with what was sent, by libprotobuf's reflection: no field is left out because nobody named it here.

#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "tests/interop/records.hpp"

namespace shmring::interop {
namespace {

namespace otlp = opentelemetry::proto;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr unsigned kShownDifferences = 5;

/// Takes away what says the same as its absence: empty messages that are nobody's choice of a oneof, and a -0 where 0 is the default
/// (libprotobuf sends it, the Collector leaves it out).
void drop_what_says_nothing(Message& message) {
  const auto* const reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_plain_double = field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE &&
                                 !field->is_repeated() && !field->has_presence();
    if (is_plain_double && reflection->GetDouble(message, field) == 0)
      reflection->ClearField(&message, field);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i)
        drop_what_says_nothing(*reflection->MutableRepeatedMessage(&message, field, i));
      continue;
    }
    Message& inner = *reflection->MutableMessage(&message, field);
    drop_what_says_nothing(inner);
    if (field->containing_oneof() == nullptr && inner.ByteSizeLong() == 0)
      reflection->ClearField(&message, field);
  }
}

/// Empty: equal. Else what differs.
std::string difference(Message& sent, Message& arrived) {
  drop_what_says_nothing(sent);
  drop_what_says_nothing(arrived);
  google::protobuf::util::DefaultFieldComparator nan_is_nan;
  nan_is_nan.set_treat_nan_as_equal(true);
  google::protobuf::util::MessageDifferencer differencer;
  std::string text;
  differencer.set_field_comparator(&nan_is_nan);
  differencer.ReportDifferencesToString(&text);
  return differencer.Compare(sent, arrived) ? "" : text;
}

std::uint64_t place_of(const otlp::logs::v1::LogRecord& log) { return log.time_unix_nano(); }
std::uint64_t place_of(const otlp::trace::v1::Span& span) { return span.start_time_unix_nano(); }
std::uint64_t place_of(const otlp::metrics::v1::Metric& metric) {
  std::uint64_t place = 0;
  std::from_chars(metric.name().data(), metric.name().data() + metric.name().size(), place);
  return place;
}

bool has_text(const otlp::resource::v1::Resource& resource, const std::string& key, const std::string& text) {
  for (const auto& attribute : resource.attributes()) {
    if (attribute.key() == key) return attribute.value().string_value() == text;
  }
  return false;
}

/// Empty: the resource is that of this process, as it was told to describe itself.
std::string difference_of(const otlp::resource::v1::Resource& resource) {
  bool ok = has_text(resource, "service.name", kService);
  const ResourceOptions options = resource_options();
  for (const auto& [key, field] : options.attributes.fields()) {
    otlp::resource::v1::Resource told;  // of this attribute only
    ok = ok && told.ParseFromString(field) &&
         has_text(resource, key, told.attributes(0).value().string_value());
  }
  bool is_mine = false;
  for (const auto& attribute : resource.attributes())
    is_mine = is_mine || (attribute.key() == "process.pid" && attribute.value().int_value() == ::getpid());
  return ok && is_mine ? "" : "resource: " + resource.ShortDebugString();
}

std::string difference_of(const otlp::common::v1::InstrumentationScope& arrived, const char* name) {
  otlp::common::v1::InstrumentationScope sent;
  sent.set_name(name);
  sent.set_version("1.2.3");
  return arrived.SerializeAsString() == sent.SerializeAsString() ? ""
                                                                 : "scope: " + arrived.ShortDebugString();
}

template <typename Record>
std::size_t count(std::vector<Record> sent, const std::vector<Arrived<Record>>& arrived, const char* scope) {
  std::vector<unsigned> times(sent.size());
  std::size_t equal = 0;
  unsigned shown = 0;
  for (Arrived<Record> each : arrived) {
    const std::uint64_t place = place_of(each.record);
    std::string text;
    if (place == 0 || place > sent.size()) {
      text = "nobody sent it: " + each.record.ShortDebugString() + "\n";
    } else if (++times[place - 1] > 1) {
      text = "it came again\n";
    } else {
      text = difference(sent[place - 1], each.record) + difference_of(each.scope, scope) +
             difference_of(each.resource);
    }
    if (text.empty()) {
      ++equal;
    } else if (shown++ < kShownDifferences) {
      std::fprintf(stderr, "%s, record %llu: %s\n", scope, static_cast<unsigned long long>(place),
                   text.c_str());
    }
  }
  return equal;
}

}  // namespace

std::size_t count_equal(const std::vector<otlp::logs::v1::LogRecord>& sent,
                        const std::vector<Arrived<otlp::logs::v1::LogRecord>>& arrived) {
  return count(sent, arrived, "interop.logs");
}
std::size_t count_equal(const std::vector<otlp::trace::v1::Span>& sent,
                        const std::vector<Arrived<otlp::trace::v1::Span>>& arrived) {
  return count(sent, arrived, "interop.traces");
}
std::size_t count_equal(const std::vector<otlp::metrics::v1::Metric>& sent,
                        const std::vector<Arrived<otlp::metrics::v1::Metric>>& arrived) {
  return count(sent, arrived, "interop.metrics");
}

}  // namespace shmring::interop
