// SPDX-License-Identifier: Apache-2.0
// Any bytes as a payload of each signal: what the validator lets through must be OTLP to everybody.
//
// What must hold: a valid payload is left as it is; a repaired one is valid, and repairing it again changes nothing;
// libprotobuf takes both; the JSON made of them is JSON in UTF-8; what libprotobuf refuses, the validator refuses. A ring's
// resource or scope record, whatever its bytes, makes a request that libprotobuf takes.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libshmring/otlp/context.hpp"
#include "libshmring/otlp/json.hpp"
#include "libshmring/otlp/request.hpp"
#include "libshmring/otlp/validate.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/common/v1/common.pb.h"
#include "opentelemetry/proto/logs/v1/logs.pb.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/input.hpp"

namespace shmring::fuzz {
namespace {

namespace proto = opentelemetry::proto;

template <typename Message>
bool parses_as(otlp::Bytes bytes) {
  Message message;
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

struct Kind {
  otlp::MessageType type;
  bool (*parses)(otlp::Bytes);
};

const Kind kKinds[] = {
    {otlp::record_type(Signal::kLogs), &parses_as<proto::logs::v1::LogRecord>},
    {otlp::record_type(Signal::kTraces), &parses_as<proto::trace::v1::Span>},
    {otlp::record_type(Signal::kMetrics), &parses_as<proto::metrics::v1::Metric>},
    {otlp::MessageType::kResource, &parses_as<proto::resource::v1::Resource>},
    {otlp::MessageType::kInstrumentationScope, &parses_as<proto::common::v1::InstrumentationScope>},
};

void check_what_passed(const Kind& kind, otlp::Bytes payload) {
  const otlp::Finding again = otlp::inspect(kind.type, payload);
  check(again.reason == otlp::Reason::kNone && !again.is_text_damaged, "what passed passes again as it is");
  check(kind.parses(payload), "libprotobuf takes what passed");
  std::string json;
  otlp::append_json(kind.type, payload, json);
  check(nlohmann::json::accept(json), "what passed becomes JSON");
}

void check_context(otlp::MessageType type, otlp::Bytes record) {
  std::vector<std::byte> repaired;
  const otlp::Context context = otlp::checked_context(type, record, repaired);
  const bool is_resource = type == otlp::MessageType::kResource;
  otlp::RequestBuilder builder;
  builder.add(builder.group(is_resource ? context : otlp::Context{}, is_resource ? otlp::Context{} : context),
              {});
  std::string request;
  builder.finish(request);
  proto::collector::logs::v1::ExportLogsServiceRequest parsed;
  check(parsed.ParseFromString(request), "libprotobuf takes a request with what was found of a context");
  const auto& of_resource = parsed.resource_logs(0);
  check(
      (is_resource ? of_resource.schema_url() : of_resource.scope_logs(0).schema_url()) == context.schema_url,
      "a schema URL stands where OTLP has it");
  std::string json;
  otlp::append_request_json(Signal::kLogs, std::as_bytes(std::span(request)), json);
  check(nlohmann::json::accept(json), "and its JSON is JSON");
}

}  // namespace
}  // namespace shmring::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shmring;
  using namespace shmring::fuzz;
  Input input(data, size);
  const Kind& kind = kKinds[input.take<std::uint8_t>() % std::size(kKinds)];
  // A copy of its own, so that a sanitizer sees a step behind its end.
  const std::vector<std::byte> payload(input.rest().begin(), input.rest().end());
  if (kind.type == otlp::MessageType::kResource || kind.type == otlp::MessageType::kInstrumentationScope)
    check_context(kind.type, payload);
  std::vector<std::byte> repaired;
  const otlp::Verdict verdict = otlp::validate(kind.type, payload, repaired);
  switch (verdict.outcome) {
    case otlp::Outcome::kValid:
      check(verdict.payload.data() == payload.data() && verdict.payload.size() == payload.size(),
            "a valid payload is left as it is");
      check_what_passed(kind, verdict.payload);
      break;
    case otlp::Outcome::kRepaired:
      check(verdict.payload.size() <= 3 * payload.size() + 16, "a repair at most triples a payload");
      check_what_passed(kind, verdict.payload);
      break;
    case otlp::Outcome::kInvalid:
      check(verdict.reason != otlp::Reason::kNone && verdict.offset <= payload.size(),
            "a refusal says why and where");
      break;
  }
  return 0;
}
