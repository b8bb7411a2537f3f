// SPDX-License-Identifier: Apache-2.0
// shmring-bench-otel-cpp: opentelemetry-cpp's batch and simple processors with its OTLP recordables. A program of its own: its
// protobuf messages have the names of ours.
#include <opentelemetry/common/timestamp.h>
#include <opentelemetry/logs/logger.h>
#include <opentelemetry/sdk/logs/batch_log_record_processor.h>
#include <opentelemetry/sdk/logs/logger_provider.h>
#include <opentelemetry/sdk/logs/simple_log_record_processor.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor.h>
#include <opentelemetry/sdk/trace/simple_processor.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/trace/span.h>
#include <opentelemetry/trace/tracer.h>

#include "bench/harness/loop.hpp"
#include "bench/harness/program.hpp"
#include "bench/rivals/otel_cpp/counting_exporters.hpp"

namespace shmring::bench {
namespace {

namespace otel = opentelemetry;
constexpr std::size_t kOtelBatch =
    8192;  // between two drains; the queue takes twice that, so nothing is dropped
constexpr std::size_t kQueue = 2 * kOtelBatch;  // all else is the SDK's default

enum class Processor : std::uint8_t { kBatch, kSimple };

otel::sdk::resource::Resource shop() {
  return otel::sdk::resource::Resource::Create({{"service.name", "shop"}});
}

otel::trace::TraceId trace_id_of(const Request& request) {
  return otel::trace::TraceId(
      otel::nostd::span<const std::uint8_t, 16>(request.trace.trace_id.bytes.data(), 16));
}
otel::trace::SpanId span_id_of(const Request& request) {
  return otel::trace::SpanId(otel::nostd::span<const std::uint8_t, 8>(request.trace.span_id.bytes.data(), 8));
}

template <Processor kProcessor>
class Logs {
 public:
  static Result<std::unique_ptr<Logs>> create(Subjects& subjects) {
    return std::unique_ptr<Logs>(new Logs(subjects.samples()));
  }

  struct Producer {
    Logs& owner;
    bool push(std::uint64_t i) {
      const Request& r = owner.samples_.request(i);
      owner.logger_->EmitLogRecord(
          otel::logs::Severity::kInfo, otel::nostd::string_view(r.body),
          otel::common::MakeAttributes({{"order.id", r.order},
                                        {"customer.name", otel::nostd::string_view(r.customer)},
                                        {"http.route", otel::nostd::string_view(r.route)}}),
          trace_id_of(r), span_id_of(r), otel::trace::TraceFlags(otel::trace::TraceFlags::kIsSampled),
          otel::common::SystemTimestamp(std::chrono::system_clock::now()));
      return true;
    }
  };
  Producer producer(int) { return {*this}; }

  std::uint64_t drain(std::uint64_t) { return provider_.ForceFlush() ? count_->exchange(0) : 0; }

 private:
  explicit Logs(const SampleRecords& samples)
      : samples_(samples),
        count_(std::make_shared<std::atomic<std::uint64_t>>(0)),
        provider_(processor(count_), shop()),
        logger_(provider_.GetLogger("shop.orders", "shop.orders", "1.4.0")) {}

  static std::unique_ptr<otel::sdk::logs::LogRecordProcessor> processor(const Count& count) {
    auto exporter = std::make_unique<LogCounter>(count);
    if constexpr (kProcessor == Processor::kSimple)
      return std::make_unique<otel::sdk::logs::SimpleLogRecordProcessor>(std::move(exporter));
    else
      return std::make_unique<otel::sdk::logs::BatchLogRecordProcessor>(std::move(exporter), kQueue);
  }

  const SampleRecords& samples_;
  Count count_;
  otel::sdk::logs::LoggerProvider provider_;
  otel::nostd::shared_ptr<otel::logs::Logger> logger_;
};

template <Processor kProcessor>
class Spans {
 public:
  static Result<std::unique_ptr<Spans>> create(Subjects& subjects) {
    return std::unique_ptr<Spans>(new Spans(subjects.samples()));
  }

  struct Producer {
    Spans& owner;
    bool push(std::uint64_t i) {
      const Request& r = owner.samples_.request(i);
      otel::trace::StartSpanOptions options;
      options.kind = otel::trace::SpanKind::kServer;
      options.parent = otel::trace::SpanContext(
          trace_id_of(r), span_id_of(r), otel::trace::TraceFlags(otel::trace::TraceFlags::kIsSampled), true);
      const auto span = owner.tracer_->StartSpan("POST /api/v1/orders/{id}", options);
      span->SetAttribute("order.id", r.order);
      span->SetAttribute("customer.name", otel::nostd::string_view(r.customer));
      span->SetAttribute("http.route", otel::nostd::string_view(r.route));
      span->SetAttribute("server.address", "localhost");
      span->End();
      return true;
    }
  };
  Producer producer(int) { return {*this}; }

  std::uint64_t drain(std::uint64_t) { return provider_.ForceFlush() ? count_->exchange(0) : 0; }

 private:
  explicit Spans(const SampleRecords& samples)
      : samples_(samples),
        count_(std::make_shared<std::atomic<std::uint64_t>>(0)),
        provider_(processor(count_), shop()),
        tracer_(provider_.GetTracer("shop.orders", "1.4.0")) {}

  static std::unique_ptr<otel::sdk::trace::SpanProcessor> processor(const Count& count) {
    auto exporter = std::make_unique<SpanCounter>(count);
    if constexpr (kProcessor == Processor::kSimple) {
      return std::make_unique<otel::sdk::trace::SimpleSpanProcessor>(std::move(exporter));
    } else {
      otel::sdk::trace::BatchSpanProcessorOptions options;
      options.max_queue_size = kQueue;
      return std::make_unique<otel::sdk::trace::BatchSpanProcessor>(std::move(exporter), options);
    }
  }

  const SampleRecords& samples_;
  Count count_;
  otel::sdk::trace::TracerProvider provider_;
  otel::nostd::shared_ptr<otel::trace::Tracer> tracer_;
};

void add_rows(Rows& rows) {
  constexpr const char* kQueued = "protobuf objects in the process; all in the queue lost with it";
  constexpr const char* kHandedOn = "a protobuf object handed to an exporter that does nothing";
  const auto about = [](const char* name, const char* label, const char* record) {
    return About{.name = name, .label = label, .record = record, .producers = {1, 2}, .batch = kOtelBatch};
  };
  add_row<Logs<Processor::kBatch>>(
      rows, about("otel_cpp_batch_log", "opentelemetry-cpp, BatchLogRecordProcessor", kQueued));
  add_row<Logs<Processor::kSimple>>(
      rows, about("otel_cpp_simple_log", "opentelemetry-cpp, SimpleLogRecordProcessor", kHandedOn));
  add_row<Spans<Processor::kBatch>>(
      rows, about("otel_cpp_batch_span", "opentelemetry-cpp, BatchSpanProcessor", kQueued));
  add_row<Spans<Processor::kSimple>>(
      rows, about("otel_cpp_simple_span", "opentelemetry-cpp, SimpleSpanProcessor", kHandedOn));
}

}  // namespace
}  // namespace shmring::bench

int main(int argc, char** argv) {
  shmring::bench::Rows rows;
  shmring::bench::add_rows(rows);
  return shmring::bench::run_program(rows, argc, argv);
}
