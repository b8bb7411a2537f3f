// SPDX-License-Identifier: Apache-2.0
// Shows records on standard output, for development.
#pragma once

#include "flusher/exporter.hpp"

namespace shmring::flusher {

class ConsoleExporter final : public Exporter {
 public:
  explicit ConsoleExporter(int fd) : fd_(fd) {}

  /// Done before it returns. Whoever reads the output slowly holds up the flusher; records wait in the ring.
  void submit(std::shared_ptr<const Batch> batch, Done done) override;

 private:
  int fd_;
  std::string text_;
};

}  // namespace shmring::flusher
