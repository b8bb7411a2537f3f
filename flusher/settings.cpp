// SPDX-License-Identifier: Apache-2.0
// The table of options: names, help, and what a value does to the Config.

#include "flusher/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "flusher/endpoint.hpp"
#include "flusher/units.hpp"

namespace shmring::flusher {
namespace {

using Apply = std::function<Result<void>(Config&, const std::string&)>;

Error bad(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

/// A number between two ends, parsed by `parse`, stored through `store`.
template <typename Parse, typename Store>
Apply number(Parse parse, std::uint64_t least, std::uint64_t most, std::string range, Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    const auto value = parse(text);
    if (!value) return value.error();
    if (*value < least || *value > most) return bad(fmt::format("'{}' is not {}", text, range));
    store(config) = *value;
    return {};
  };
}

template <typename Store>
Apply duration(std::chrono::microseconds least, Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    if (*value < least)
      return bad(fmt::format("'{}' is too short; at least {}", text, format_duration(least)));
    store(config) = *value;
    return {};
  };
}

template <typename Enum, typename Store>
Apply one_of(std::vector<std::pair<std::string, Enum>> words, Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    std::string known;
    for (const auto& [word, value] : words) {
      if (word == text) {
        store(config) = value;
        return {};
      }
      known += (known.empty() ? "" : ", ") + word;
    }
    return bad(fmt::format("'{}' is none of: {}", text, known));
  };
}

template <typename Enum, typename Store>
Apply on_off(Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    const auto value = parse_switch(text);
    if (!value) return value.error();
    store(config) = *value ? Enum::kYes : Enum::kNo;
    return {};
  };
}

Result<void> apply_exporters(Config& config, const std::string& text) {
  const Apply one = one_of<ExporterKind>(
      {{"otlp", ExporterKind::kOtlp}, {"file", ExporterKind::kFile}, {"console", ExporterKind::kConsole}},
      [](Config& c) -> ExporterKind& { return c.exporters.back(); });
  config.exporters.clear();
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    config.exporters.push_back(ExporterKind::kFile);
    if (auto done = one(config, text.substr(begin, end - begin)); !done) return done;
    const ExporterKind kind = config.exporters.back();
    if (std::count(config.exporters.begin(), config.exporters.end(), kind) > 1) config.exporters.pop_back();
    begin = end + 1;
  }
  return {};
}

Result<void> apply_file(Config& config, const std::string& text) {
  const std::filesystem::path path(text);
  if (!path.has_filename()) return bad(fmt::format("'{}' names no file; write it like DIR/NAME.jsonl", text));
  config.file = path;
  return {};
}

// ------------------------------------------------------------------------------------------ the OTEL_EXPORTER_OTLP_ family

enum class OtlpKey : std::uint8_t { kEndpoint, kProtocol, kHeaders, kTimeout, kCompression };

Result<void> apply_otlp(OtlpKey key, OtlpTarget& target, Signal signal, Setting::Reach reach,
                        const std::string& text) {
  switch (key) {
    case OtlpKey::kEndpoint: {
      auto url = reach == Setting::Reach::kGeneral ? url_below(text, signal) : url_as_given(text);
      if (!url) return url.error();
      target.url = std::move(*url);
      return {};
    }
    case OtlpKey::kProtocol:
      target.protocol = text;  // whether we speak it matters only to who exports by OTLP: see check_config()
      return {};
    case OtlpKey::kHeaders: {
      auto headers = parse_headers(text);
      if (!headers) return headers.error();
      target.headers = std::move(*headers);
      return {};
    }
    case OtlpKey::kTimeout: {
      const auto timeout = parse_duration(text);
      if (!timeout) return timeout.error();
      if (*timeout < std::chrono::milliseconds(1))
        return bad(fmt::format("'{}' is too short; at least 1ms", text));
      target.timeout = *timeout;
      return {};
    }
    case OtlpKey::kCompression:
      if (text != "none" && text != "gzip") return bad(fmt::format("'{}' is none of: none, gzip", text));
      target.compression = text == "gzip" ? Compression::kGzip : Compression::kNone;
      return {};
  }
  return {};
}

struct OtlpOption {
  OtlpKey key;
  const char* name;
  const char* value;
  const char* help;
};
constexpr OtlpOption kOtlpOptions[] = {
    {OtlpKey::kEndpoint, "endpoint", "URL",
     "where to send to, v1/<signal> is appended [http://localhost:4318]"},
    {OtlpKey::kProtocol, "protocol", "NAME", "http/protobuf [http/protobuf]"},
    {OtlpKey::kHeaders, "headers", "K=V,...", "sent with each request, values percent-encoded []"},
    {OtlpKey::kTimeout, "timeout", "DURATION", "for one request [10s]"},
    {OtlpKey::kCompression, "compression", "none|gzip", "of request bodies [none]"},
};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return text;
}

void add_otlp(std::vector<Setting>& all) {
  for (const OtlpOption& option : kOtlpOptions) {
    all.push_back({option.name, "OTEL_EXPORTER_OTLP_" + upper(option.name), option.value, option.help,
                   [key = option.key](Config& config, const std::string& text) -> Result<void> {
                     for (std::size_t i = 0; i < kSignalCount; ++i) {
                       auto done = apply_otlp(key, config.otlp[i], static_cast<Signal>(i),
                                              Setting::Reach::kGeneral, text);
                       if (!done) return done;
                     }
                     return {};
                   }});
  }
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const auto signal = static_cast<Signal>(i);
    const std::string name(to_string(signal));
    for (const OtlpOption& option : kOtlpOptions) {
      const std::string what =
          option.key == OtlpKey::kEndpoint ? "where to send to, used as it is" : "in place of --";
      all.push_back({name + '-' + option.name, "OTEL_EXPORTER_OTLP_" + upper(name) + '_' + upper(option.name),
                     option.value,
                     fmt::format("{}: {}{}", name, what, option.key == OtlpKey::kEndpoint ? "" : option.name),
                     [key = option.key, signal, i](Config& config, const std::string& text) {
                       return apply_otlp(key, config.otlp[i], signal, Setting::Reach::kOneSignal, text);
                     },
                     Setting::Takes::kValue, Setting::Reach::kOneSignal});
    }
  }
}

// ------------------------------------------------------------------------------------------------------- our own options

void add(std::vector<Setting>& all, const char* name, const char* value, const char* help, Apply apply,
         Setting::Takes takes = Setting::Takes::kValue) {
  all.push_back(
      {name, "SHMRING_" + upper(name), value, help, std::move(apply), takes, Setting::Reach::kGeneral});
}

void add_ring(std::vector<Setting>& all) {
  all.push_back({"ring", "SHMRING_PATH", "PATH",
                 "the ring to drain; made if there is none [/dev/shm/shmring-<uid>/default.ring]",
                 [](Config& config, const std::string& text) -> Result<void> {
                   config.ring = text;
                   return {};
                 }});
  add(all, "size", "SIZE", "of a ring that the flusher makes [32MiB]",
      number(parse_size, 1, UINT64_MAX, "a size of a ring",
             [](Config& c) -> std::uint64_t& { return c.ring_bytes; }));
  add(all, "block-size", "SIZE", "of its blocks [16KiB]",
      number(parse_size, 4096, 1U << 20U, "from 4KiB to 1MiB",
             [](Config& c) -> std::uint64_t& { return c.ring_block_bytes; }));
  add(all, "writers", "N", "threads that can write to it at the same time [1024]",
      number(parse_count, 1, 65536, "from 1 to 65536",
             [](Config& c) -> std::uint64_t& { return c.ring_writers; }));
}

void add_pipeline(std::vector<Setting>& all) {
  using std::chrono::milliseconds;
  add(all, "interval", "DURATION", "a record waits at most this long before its first export [200ms]",
      duration(milliseconds(1), [](Config& c) -> std::chrono::microseconds& { return c.interval; }));
  add(all, "once", "", "drain, export, end: 0 when everything was accepted, else 1",
      on_off<Once>([](Config& c) -> Once& { return c.once; }), Setting::Takes::kNothing);
  add(all, "max-in-flight", "N", "batches of a signal under way at the same time [4]",
      number(parse_count, 1, 256, "from 1 to 256",
             [](Config& c) -> std::uint64_t& { return c.max_in_flight; }));
  add(all, "batch-records", "N", "records in a request at most [2048]",
      number(parse_count, 1, 8192, "from 1 to 8192",
             [](Config& c) -> std::uint64_t& { return c.batch.records; }));
  add(all, "batch-bytes", "SIZE", "bytes in a request at most, before compression [3.5MiB]",
      number(parse_size, 1024, 3584U << 10U, "from 1KiB to 3.5MiB",
             [](Config& c) -> std::uint64_t& { return c.batch.bytes; }));
  add(all, "memory-limit", "SIZE",
      "of the flusher's own memory; what does not fit waits in the ring [128MiB]",
      number(parse_size, 48U << 20U, UINT64_MAX, "48MiB or more",
             [](Config& c) -> std::uint64_t& { return c.memory_limit; }));
  add(all, "retry-initial", "DURATION",
      "wait before the first repetition, doubled each time, jittered [500ms]",
      duration(milliseconds(1), [](Config& c) -> std::chrono::microseconds& { return c.retry.initial; }));
  add(all, "retry-longest", "DURATION", "longest wait between repetitions [30s]",
      duration(milliseconds(1), [](Config& c) -> std::chrono::microseconds& { return c.retry.longest; }));
  add(all, "retry-after-limit", "DURATION", "longest wait that a server's Retry-After can ask for [5m]",
      duration(milliseconds(0),
               [](Config& c) -> std::chrono::microseconds& { return c.retry.longest_asked; }));
  add(all, "shutdown-timeout", "DURATION", "for the last export; what is left then stays in the ring [5s]",
      duration(milliseconds(0), [](Config& c) -> std::chrono::microseconds& { return c.shutdown_timeout; }));
}

void add_exporters(std::vector<Setting>& all) {
  add(all, "exporter", "otlp|file|console",
      "where batches go; may be repeated: each batch goes to all [file]", apply_exporters,
      Setting::Takes::kSeveralValues);
  add(all, "file", "DIR/NAME.jsonl",
      "DIR/NAME.logs.jsonl, NAME.traces.jsonl, NAME.metrics.jsonl are written [shmring.jsonl]", apply_file);
  add(all, "file-sync", "", "fdatasync before a batch counts as written",
      on_off<FileSync>([](Config& c) -> FileSync& { return c.file_sync; }), Setting::Takes::kNothing);
}

std::vector<Setting> make_settings() {
  std::vector<Setting> all;
  add_ring(all);
  add_pipeline(all);
  add_exporters(all);
  add_otlp(all);
  add(all, "log-level", "LEVEL", "debug, info, warning or error [info]",
      one_of<LogLevel>({{"debug", LogLevel::kDebug},
                        {"info", LogLevel::kInfo},
                        {"warning", LogLevel::kWarning},
                        {"error", LogLevel::kError}},
                       [](Config& c) -> LogLevel& { return c.log_level; }));
  return all;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = make_settings();
  return all;
}

}  // namespace shmring::flusher
