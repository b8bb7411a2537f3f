// SPDX-License-Identifier: Apache-2.0
// The embedded destination: OTLP JSON lines.

#include "flusher/file_exporter.hpp"

#include <fmt/format.h>

#include <utility>

#include "libshmring/otlp/json.hpp"

namespace shmring::flusher {

std::filesystem::path file_of(const std::filesystem::path& file, Signal signal) {
  const std::string extension = file.extension().string();
  std::filesystem::path out = file;
  return out.replace_filename(fmt::format("{}.{}{}", file.stem().string(), to_string(signal),
                                          extension.empty() ? ".jsonl" : extension));
}

Result<std::unique_ptr<FileExporter>> FileExporter::create(const std::filesystem::path& file, FileSync sync,
                                                           Log& log) {
  std::unique_ptr<FileExporter> exporter(new FileExporter(file, sync, log));
  const std::filesystem::path folder =
      file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return Error{
        ErrorCode::kNotFound,
        fmt::format("cannot write to {}: there is no folder {}; make it, or give --file another path",
                    file.string(), folder.string())};
  }
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const auto signal = static_cast<Signal>(i);
    if (!std::filesystem::exists(file_of(file, signal), ignored)) continue;
    if (auto opened = exporter->open(signal); !opened) return opened.error();
  }
  return exporter;
}

void FileExporter::submit(std::shared_ptr<const Batch> batch, Done done) {
  const auto written = write(*batch);
  done(written
           ? SendResult{.code = "written"}
           : SendResult{
                 .outcome = SendOutcome::kRetryable, .reason = written.error().message, .code = "failed"});
}

void FileExporter::reopen() {
  for (auto& file : open_) file.reset();
}

Result<void> FileExporter::open(Signal signal) {
  const std::filesystem::path path = file_of(file_, signal);
  auto opened = JsonLinesFile::open(path);
  if (!opened) return opened.error();
  if (opened->cut_bytes() > 0) {
    log_.write(LogLevel::kWarning, "torn_line_cut",
               {field("file", path.string()), field("bytes", opened->cut_bytes())});
  }
  open_[static_cast<std::size_t>(signal)] = std::move(*opened);
  return {};
}

Result<void> FileExporter::write(const Batch& batch) {
  auto& file = open_[static_cast<std::size_t>(batch.signal)];
  if (!file) {
    if (auto opened = open(batch.signal); !opened) return opened;
  }
  line_.clear();
  otlp::append_request_json(batch.signal, std::as_bytes(std::span(batch.request)), line_);
  line_ += '\n';
  auto appended = file->append(line_, sync_);
  constexpr std::size_t kKeptCapacity = 8U << 20U;
  if (line_.capacity() > kKeptCapacity) line_ = {};
  return appended;
}

}  // namespace shmring::flusher
