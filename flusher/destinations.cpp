// SPDX-License-Identifier: Apache-2.0
// The exporters that the configuration asks for.

#include "flusher/destinations.hpp"

#include <unistd.h>

#include <random>
#include <utility>

#include "flusher/console_exporter.hpp"
#include "flusher/endpoint.hpp"
#include "flusher/metered_exporter.hpp"

namespace shmring::flusher {

Result<Destinations> Destinations::create(const Config& config, EventLoop& loop, Log& log, const Watch& watch,
                                          DeadLetters* dead_letters) {
  Destinations out;
  const auto add = [&](std::unique_ptr<Exporter> exporter, const char* name) {
    std::random_device seed;
    RetryingExporter::Options options{
        .name = name,
        .limits = config.retry,
        .seed = seed(),
        .on_possible_duplicates = watch.on_possible_duplicates,
        .on_delayed = [index = out.names_.size(), on_delayed = watch.on_delayed](
                          Signal signal, const std::string& reason) { on_delayed(index, signal, reason); }};
    if (watch.metrics != nullptr) {
      options.on_retry = [metrics = watch.metrics, called = options.name](Signal signal) {
        metrics->on_retry(called, signal);
      };
      exporter = std::make_unique<AttemptMeter>(std::move(exporter), name, *watch.metrics);
    }
    out.names_.emplace_back(name);
    out.exporters_.push_back(
        std::make_unique<RetryingExporter>(std::move(exporter), loop, log, std::move(options)));
  };
  const auto split = [&](const char* name) {  // what retries: so each part of a batch is retried on its own
    SplittingExporter::Options options{.name = name,
                                       .bisect = config.bisect,
                                       .dead_letters = dead_letters,
                                       .on_possible_duplicates = watch.on_possible_duplicates};
    auto splitting =
        std::make_unique<SplittingExporter>(std::move(out.exporters_.back()), std::move(options));
    out.splitting_ = splitting.get();
    out.exporters_.back() = std::move(splitting);
  };
  for (const ExporterKind kind : config.exporters) {
    switch (kind) {
      case ExporterKind::kOtlp: {
        auto otlp = std::make_unique<OtlpExporter>(loop, config.otlp);
        out.otlp_ = otlp.get();
        add(std::move(otlp), "otlp");
        split("otlp");
        break;
      }
      case ExporterKind::kFile: {
        auto file = FileExporter::create(config.file, config.file_sync, log);
        if (!file) return file.error();
        out.file_ = file->get();
        add(std::move(*file), "file");
        break;
      }
      case ExporterKind::kConsole:
        add(std::make_unique<ConsoleExporter>(STDOUT_FILENO), "console");
        break;
    }
  }
  if (watch.metrics != nullptr) {
    for (std::size_t i = 0; i < out.exporters_.size(); ++i) {
      out.exporters_[i] =
          std::make_unique<OutcomeMeter>(std::move(out.exporters_[i]), out.names_[i], *watch.metrics);
    }
  }
  return out;
}

std::vector<Destination> Destinations::all() const {
  std::vector<Destination> out;
  for (std::size_t i = 0; i < exporters_.size(); ++i) out.emplace_back(exporters_[i].get(), names_[i]);
  return out;
}

void Destinations::reopen_files() {
  if (file_ != nullptr) file_->reopen();
}

void Destinations::abandon_all() {
  if (otlp_ != nullptr) otlp_->abandon_all();
  if (splitting_ != nullptr) splitting_->abandon_all();
}

}  // namespace shmring::flusher
