// SPDX-License-Identifier: Apache-2.0
// The embedded destination: OTLP JSON lines, one export request a line, one file per signal (OpenTelemetry's file exporter).
#pragma once

#include <array>
#include <filesystem>
#include <optional>

#include "flusher/config.hpp"
#include "flusher/exporter.hpp"
#include "flusher/json_lines_file.hpp"
#include "flusher/log.hpp"

namespace shmring::flusher {

/// DIR/NAME.jsonl and a signal: DIR/NAME.logs.jsonl.
std::filesystem::path file_of(const std::filesystem::path& file, Signal signal);

class FileExporter final : public Exporter {
 public:
  /// Opens (and mends) the files that are there already; the others are made with their first batch.
  static Result<std::unique_ptr<FileExporter>> create(const std::filesystem::path& file, FileSync sync,
                                                      Log& log);

  /// Done before it returns. A failed write is retryable: the disk may get room again.
  void submit(std::shared_ptr<const Batch> batch, Done done) override;

  /// Lets go of the files; the next batch opens them anew. For those who rotate them.
  void reopen();

 private:
  FileExporter(std::filesystem::path file, FileSync sync, Log& log)
      : file_(std::move(file)), sync_(sync), log_(log) {}
  Result<void> open(Signal signal);
  Result<void> write(const Batch& batch);

  std::filesystem::path file_;
  FileSync sync_;
  Log& log_;
  std::array<std::optional<JsonLinesFile>, kSignalCount> open_;
  std::string line_;  // kept for its memory
};

}  // namespace shmring::flusher
