// SPDX-License-Identifier: Apache-2.0
// The table of options: names, help, and what a value does to the Config.

#include "flusher/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flusher/listen_address.hpp"
#include "flusher/otlp_settings.hpp"
#include "flusher/setting_values.hpp"
#include "flusher/signal_settings.hpp"
#include "flusher/units.hpp"

namespace shmring::flusher {
namespace {

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
  if (!path.has_filename())
    return bad_value(fmt::format("'{}' names no file; write it like DIR/NAME.jsonl", text));
  config.file = path;
  return {};
}

Result<void> apply_no_bisect(Config& config, const std::string& text) {
  const auto value = parse_switch(text);
  if (!value) return value.error();
  config.bisect = *value ? Bisect::kNo : Bisect::kYes;
  return {};
}

// ------------------------------------------------------------------------------------------------------- our own options

void add(std::vector<Setting>& all, const char* name, const char* value, const char* help, Apply apply,
         Setting::Takes takes = Setting::Takes::kValue) {
  all.push_back({name, "SHMRING_" + variable_name(name), value, help, std::move(apply), takes,
                 Setting::Reach::kGeneral});
}

void add_ring(std::vector<Setting>& all) {
  using std::chrono::milliseconds;
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
  add(all, "block-timeout", "DURATION", "with --on-full block: an emit waits at most this long [10ms]",
      duration(milliseconds(0), [](Config& c) -> std::chrono::microseconds& { return c.block_timeout; }));
}

void add_pipeline(std::vector<Setting>& all) {
  using std::chrono::milliseconds;
  add(all, "once", "", "drain, export, end: 0 when everything was accepted, else 1",
      on_off<Once>([](Config& c) -> Once& { return c.once; }), Setting::Takes::kNothing);
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
  add(all, "no-bisect", "",
      "refuse a whole batch where a server finds bad data in it, and do not look for the bad record",
      apply_no_bisect, Setting::Takes::kNothing);
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

void add_spool(std::vector<Setting>& all) {
  add(all, "spool", "DIR", "a folder on disk for what a destination that is away cannot take [none]",
      [](Config& config, const std::string& text) -> Result<void> {
        config.spool = text;
        return {};
      });
  add(all, "spool-size", "SIZE",
      "of what it holds at most; a full one drops its oldest before the ring runs full [1GiB]",
      number(parse_size, 16U << 20U, UINT64_MAX, "16MiB or more",
             [](Config& c) -> std::uint64_t& { return c.spool_limits.bytes; }));
  add(all, "spool-min-free", "SIZE", "of the disk that the spool leaves to others [256MiB]",
      number(parse_size, 0, UINT64_MAX >> 1U, "a size",
             [](Config& c) -> std::uint64_t& { return c.spool_limits.min_free; }));
  add(all, "spool-age", "DURATION", "older batches are dropped from it [168h]",
      duration(std::chrono::seconds(1),
               [](Config& c) -> std::chrono::microseconds& { return c.spool_limits.age; }));
  add(all, "spool-replay-rate", "N",
      "records of a signal that leave it in a second, for each destination; 0: no limit [100000]",
      number(parse_count, 0, UINT64_MAX, "a number",
             [](Config& c) -> std::uint64_t& { return c.spool_replay_rate; }));
}

void add_dead_letters(std::vector<Setting>& all) {
  add(all, "dead-letter", "DIR",
      "a folder for what a destination refused for good [none: it is only counted]",
      [](Config& config, const std::string& text) -> Result<void> {
        config.dead_letter = text;
        return {};
      });
  add(all, "dead-letter-size", "SIZE", "of its files; the oldest are dropped [256MiB]",
      number(parse_size, 1U << 20U, UINT64_MAX, "1MiB or more",
             [](Config& c) -> std::uint64_t& { return c.dead_letter_bytes; }));
  add(all, "dead-letter-age", "DURATION", "older files are dropped [720h]",
      duration(std::chrono::seconds(1),
               [](Config& c) -> std::chrono::microseconds& { return c.dead_letter_age; }));
  add(all, "replay-dead-letters", "", "send them again, remove what is taken, end",
      on_off<Once>([](Config& c) -> Once& { return c.replay_dead_letters; }), Setting::Takes::kNothing);
}

Result<void> apply_metrics_listen(Config& config, const std::string& text) {
  if (const auto parsed = parse_listen_address(text); !parsed) return parsed.error();
  config.metrics_listen = text;
  return {};
}

std::vector<Setting> make_settings() {
  std::vector<Setting> all;
  add_ring(all);
  add_signal_settings(all);
  add_pipeline(all);
  add_exporters(all);
  add_spool(all);
  add_dead_letters(all);
  add_otlp_settings(all);
  add_proxy_setting(all);
  add(all, "metrics-listen", "ADDR:PORT",
      "answer GET /metrics (for Prometheus), /healthz and /readyz there; PORT alone: on 127.0.0.1 [none]",
      apply_metrics_listen);
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
