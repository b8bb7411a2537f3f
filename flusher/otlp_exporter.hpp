// SPDX-License-Identifier: Apache-2.0
// OTLP over HTTP: each batch is a POST; any number of them are under way at the same time.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "flusher/config.hpp"
#include "flusher/connection_limits.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/exporter.hpp"

namespace shmring::flusher {

class OtlpExporter final : public Exporter {
 public:
  OtlpExporter(EventLoop& loop, const std::array<OtlpTarget, kSignalCount>& targets,
               const ConnectionLimits& connections = {});
  ~OtlpExporter() override;

  void submit(std::shared_ptr<const Batch> batch, Done done) override;

  /// Gives up what is under way; each batch gets its result: again later, and whether it may have arrived.
  void abandon_all();

 private:
  struct Sending;

  void finish(Sending* sending, const SendResult& result);

  EventLoop& loop_;
  std::array<OtlpTarget, kSignalCount> targets_;
  ConnectionLimits connections_;
  std::map<Sending*, std::unique_ptr<Sending>> sending_;
};

}  // namespace shmring::flusher
