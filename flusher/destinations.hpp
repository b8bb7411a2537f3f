// SPDX-License-Identifier: Apache-2.0
// The exporters that the configuration asks for, each behind its own retrying.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flusher/config.hpp"
#include "flusher/delivery.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/file_exporter.hpp"
#include "flusher/log.hpp"
#include "flusher/metrics.hpp"
#include "flusher/otlp_exporter.hpp"
#include "flusher/retry.hpp"
#include "flusher/splitting.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

class Destinations {
 public:
  /// Whom they tell.
  struct Watch {
    RetryingExporter::PossibleDuplicates on_possible_duplicates;
    std::function<void(std::size_t destination, Signal signal, const std::string& reason)> on_delayed =
        [](std::size_t, Signal, const std::string&) {};
    Metrics* metrics = nullptr;  // outlives the destinations; nullptr: nobody counts
  };

  static Result<Destinations> create(const Config& config, EventLoop& loop, Log& log, const Watch& watch,
                                     DeadLetters* dead_letters = nullptr);

  std::vector<Destination> all() const;

  void reopen_files();
  /// What is under way is given up: counted as a possible duplicate where it may have arrived. The end is near.
  void abandon_all();

 private:
  std::vector<std::unique_ptr<Exporter>> exporters_;
  std::vector<std::string> names_;          // theirs
  OtlpExporter* otlp_ = nullptr;            // owned by one of them; nullptr: not asked for
  SplittingExporter* splitting_ = nullptr;  // likewise
  FileExporter* file_ = nullptr;            // likewise
};

}  // namespace shmring::flusher
