// SPDX-License-Identifier: Apache-2.0
// The configuration in words.

#include "flusher/describe.hpp"

#include <fmt/format.h>

#include <string_view>

#include "flusher/endpoint.hpp"
#include "flusher/setting_values.hpp"
#include "flusher/units.hpp"

namespace shmring::flusher {
namespace {

class Lines {
 public:
  void add(std::string_view key, std::string_view value) {
    constexpr int kWidth = 27;  // of the longest key
    text_ += fmt::format("{:<{}} = {}\n", key, kWidth, value);
  }
  void add_number(std::string_view key, std::uint64_t value) { add(key, fmt::format("{}", value)); }
  void add_duration(std::string_view key, std::chrono::microseconds value) {
    add(key, value == kNoLimit ? "0 (no limit)" : format_duration(value));
  }
  template <typename Switch>
  void add_switch(std::string_view key, Switch value) {
    add(key, value == Switch::kYes ? "true" : "false");
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string_view word(FullPolicy policy) {
  switch (policy) {
    case FullPolicy::kDropNewest:
      return "drop-newest";
    case FullPolicy::kBlock:
      return "block";
    case FullPolicy::kDropOldest:
      return "drop-oldest";
  }
  return "unknown";
}

std::string_view word(ExporterKind kind) {
  switch (kind) {
    case ExporterKind::kOtlp:
      return "otlp";
    case ExporterKind::kFile:
      return "file";
    case ExporterKind::kConsole:
      return "console";
  }
  return "unknown";
}

std::string_view word(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

void describe_ring(const Config& config, Lines& lines) {
  lines.add("ring", config.ring.empty() ? "(default)" : config.ring.string());
  lines.add("size", format_size(config.ring_bytes));
  lines.add("block-size", format_size(config.ring_block_bytes));
  lines.add_number("writers", config.ring_writers);
  lines.add("on-full", word(config.ring_policy()));
  lines.add_duration("block-timeout", config.block_timeout);
}

void describe_pipeline(const Config& config, Lines& lines) {
  lines.add("batch-bytes", format_size(config.batch.bytes));
  lines.add("memory-limit", format_size(config.memory_limit));
  lines.add_duration("retry-initial", config.retry.initial);
  lines.add_duration("retry-longest", config.retry.longest);
  lines.add_duration("retry-after-limit", config.retry.longest_asked);
  lines.add("no-bisect", config.bisect == Bisect::kNo ? "true" : "false");
  lines.add_duration("shutdown-timeout", config.shutdown_timeout);
  lines.add("metrics-listen", config.metrics_listen.empty() ? "(none)" : config.metrics_listen);
  lines.add("log-level", word(config.log_level));
}

void describe_spool(const Config& config, Lines& lines) {
  lines.add("spool", config.spool.empty() ? "(none)" : config.spool.string());
  lines.add("spool-size", format_size(config.spool_limits.bytes));
  lines.add("spool-min-free", format_size(config.spool_limits.min_free));
  lines.add_duration("spool-age", config.spool_limits.age);
  lines.add("spool-replay-rate", fmt::format("{}", config.spool_replay_rate));
  lines.add("dead-letter", config.dead_letter.empty() ? "(none)" : config.dead_letter.string());
  lines.add("dead-letter-size", format_size(config.dead_letter_bytes));
  lines.add_duration("dead-letter-age", config.dead_letter_age);
}

void describe_exporters(const Config& config, Lines& lines) {
  std::string names;
  for (const ExporterKind kind : config.exporters)
    names += (names.empty() ? "" : ",") + std::string(word(kind));
  lines.add("exporter", names);
  lines.add("file", config.file.string());
  lines.add_switch("file-sync", config.file_sync);
  lines.add("proxy", config.otlp[0].proxy.empty() ? "" : without_secrets(config.otlp[0].proxy));
}

void describe_target(const std::string& signal, const OtlpTarget& target, Lines& lines) {
  lines.add(signal + "-endpoint", without_secrets(target.url));
  lines.add(signal + "-protocol", to_string(target.protocol));
  lines.add(signal + "-headers", fmt::format("({} hidden)", target.headers.size()));
  lines.add_duration(signal + "-timeout", target.timeout);
  lines.add(signal + "-compression", target.compression == Compression::kGzip ? "gzip" : "none");
  lines.add_switch(signal + "-insecure", target.insecure);
  lines.add(signal + "-certificate", target.tls.certificate);
  lines.add(signal + "-client-certificate", target.tls.client_certificate);
  lines.add(signal + "-client-key", target.tls.client_key);
}

void describe_signal(const Config& config, Signal signal, Lines& lines) {
  const std::string name(to_string(signal));
  const auto index = static_cast<std::size_t>(signal);
  lines.add_duration(name + "-interval", config.interval_of(signal));
  lines.add_duration(name + "-export-timeout", config.signals[index].export_timeout.value_or(kNoLimit));
  lines.add_number(name + "-batch-records", config.batch_of(signal).records);
  lines.add_number(name + "-max-in-flight", config.in_flight_of(signal));
  describe_target(name, config.otlp[index], lines);
}

}  // namespace

std::string describe(const Config& config) {
  Lines lines;
  describe_ring(config, lines);
  describe_exporters(config, lines);
  describe_pipeline(config, lines);
  describe_spool(config, lines);
  for (std::size_t i = 0; i < kSignalCount; ++i) describe_signal(config, static_cast<Signal>(i), lines);
  return lines.take();
}

}  // namespace shmring::flusher
