// SPDX-License-Identifier: Apache-2.0
// Exporters of opentelemetry-cpp that take what its OTLP exporter would take, and only count it.
#pragma once

#include <opentelemetry/exporters/otlp/otlp_log_recordable.h>
#include <opentelemetry/exporters/otlp/otlp_recordable.h>
#include <opentelemetry/sdk/logs/exporter.h>
#include <opentelemetry/sdk/trace/exporter.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace shmring::bench {

using Count = std::shared_ptr<std::atomic<std::uint64_t>>;

class LogCounter final : public opentelemetry::sdk::logs::LogRecordExporter {
 public:
  explicit LogCounter(Count count) : count_(std::move(count)) {}

  std::unique_ptr<opentelemetry::sdk::logs::Recordable> MakeRecordable() noexcept override {
    return std::make_unique<opentelemetry::exporter::otlp::OtlpLogRecordable>();
  }
  opentelemetry::sdk::common::ExportResult Export(
      const opentelemetry::nostd::span<std::unique_ptr<opentelemetry::sdk::logs::Recordable>>&
          records) noexcept override {
    *count_ += records.size();
    return opentelemetry::sdk::common::ExportResult::kSuccess;
  }
  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds) noexcept override { return true; }

 private:
  Count count_;
};

class SpanCounter final : public opentelemetry::sdk::trace::SpanExporter {
 public:
  explicit SpanCounter(Count count) : count_(std::move(count)) {}

  std::unique_ptr<opentelemetry::sdk::trace::Recordable> MakeRecordable() noexcept override {
    return std::make_unique<opentelemetry::exporter::otlp::OtlpRecordable>();
  }
  opentelemetry::sdk::common::ExportResult Export(
      const opentelemetry::nostd::span<std::unique_ptr<opentelemetry::sdk::trace::Recordable>>&
          spans) noexcept override {
    *count_ += spans.size();
    return opentelemetry::sdk::common::ExportResult::kSuccess;
  }
  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds) noexcept override { return true; }

 private:
  Count count_;
};

}  // namespace shmring::bench
