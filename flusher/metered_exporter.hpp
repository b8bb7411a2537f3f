// SPDX-License-Identifier: Apache-2.0
// Exporters that count: one for each attempt, which retrying wraps; one for each batch's outcome, around everything.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "flusher/exporter.hpp"
#include "flusher/metrics.hpp"

namespace shmring::flusher {

class AttemptMeter final : public Exporter {
 public:
  AttemptMeter(std::unique_ptr<Exporter> next, std::string destination, Metrics& metrics)
      : destination_(std::move(destination)), metrics_(metrics), next_(std::move(next)) {}
  /// What never got its answer ends here.
  ~AttemptMeter() override;

  void submit(std::shared_ptr<const Batch> batch, Done done) override;
  void set_patience(Signal signal, Patience patience) override { next_->set_patience(signal, patience); }

 private:
  std::string destination_;
  Metrics& metrics_;
  std::array<std::uint64_t, kSignalCount> under_way_{};
  std::unique_ptr<Exporter> next_;  // goes first
};

class OutcomeMeter final : public Exporter {
 public:
  OutcomeMeter(std::unique_ptr<Exporter> next, std::string destination, Metrics& metrics)
      : destination_(std::move(destination)), metrics_(metrics), next_(std::move(next)) {}

  void submit(std::shared_ptr<const Batch> batch, Done done) override;
  void set_patience(Signal signal, Patience patience) override { next_->set_patience(signal, patience); }

 private:
  std::string destination_;
  Metrics& metrics_;
  std::unique_ptr<Exporter> next_;  // goes first
};

}  // namespace shmring::flusher
