// SPDX-License-Identifier: Apache-2.0
// What a destination refuses for good is narrowed down, so that one bad record costs one record, and what is refused in the
// end goes to the dead letters. A refused request is never sent again as it was:
// - too large (413): it is cut in halves until they fit; a record that is too large by itself is refused.
// - bad data (400, INVALID_ARGUMENT): it is bisected. Where both halves are refused the fault is not one record's, and both
//   are refused as a whole: so a batch with a bad record takes 2 log2 of its records requests, and one of a server that
//   refuses everything takes three.
// - everything else says nothing about the records: refused as a whole.
// At most 4 log2 of a batch's records requests are refused one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "flusher/config.hpp"
#include "flusher/dead_letters.hpp"
#include "flusher/exporter.hpp"

namespace shmring::flusher {

class SplittingExporter final : public Exporter {
 public:
  struct Options {
    std::string name;  // of the destination
    Bisect bisect = Bisect::kYes;
    DeadLetters* dead_letters = nullptr;  // outlives the exporter; nullptr: what is refused is only counted
    /// Told of a batch some of whose records were taken, when all of it will be sent again.
    std::function<void(const Batch&)> on_possible_duplicates = [](const Batch&) {};
  };

  /// `next` retries: each part on its own.
  SplittingExporter(std::unique_ptr<Exporter> next, Options options);
  ~SplittingExporter() override;

  void submit(std::shared_ptr<const Batch> batch, Done done) override;
  void set_patience(Signal signal, Patience patience) override { next_->set_patience(signal, patience); }

  /// What is under way is given up, without a result: somebody will send it again. The end is near.
  void abandon_all();

 private:
  struct Range;
  struct Splitting;
  using Shared = std::shared_ptr<Splitting>;

  void on_first(const std::shared_ptr<const Batch>& batch, const Done& done, const SendResult& result);
  void send_next(const Shared& splitting);
  void on_part(const Shared& splitting, const Range& range, const SendResult& result);
  void on_refused(Splitting& splitting, const Range& range, const SendResult& result);
  void give_back(const Shared& splitting, const SendResult& result);
  void finish(const Shared& splitting);
  std::uint64_t keep(const Batch& batch, std::string_view request, std::uint64_t records,
                     std::string_view reason);

  Options options_;
  std::set<Shared> under_way_;      // those of which a part was refused
  std::unique_ptr<Exporter> next_;  // goes first
};

}  // namespace shmring::flusher
