// SPDX-License-Identifier: Apache-2.0
// A spool in a folder of its own, and batches made by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spool/spool_file.hpp"
#include "spool/spool_view.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {

inline constexpr spool::RingId kRingId{1, 2, 3};

struct SpoolRig {
  ScratchFolder folder;
  spool::SpoolLimits limits{.min_free = 0};
  std::unique_ptr<spool::SpoolFile> file;

  std::filesystem::path path() const { return folder.path() / "spool"; }
  void open() {
    file.reset();
    file = value_or_abort(spool::SpoolFile::open(path(), limits, kRingId));
  }
  std::filesystem::path database() const { return path() / spool::SpoolFile::kFileName; }

  template <typename Work>
  auto committed(Work&& work) {
    EXPECT_TRUE(file->begin());
    auto done = work(*file);
    EXPECT_TRUE(file->commit());
    return done;
  }
  /// The id of a batch of ten records in one piece of block `number`.
  std::int64_t keep(std::uint32_t number, std::string request, std::vector<std::string> to = {"otlp"}) {
    return committed([&](spool::SpoolFile& spool) {
      spool::NewBatch batch{
          .signal = Signal::kLogs, .request = request, .records = 10, .destinations = std::move(to)};
      batch.pieces.push_back({.key = {.block = number,
                                      .block_generation = 1,
                                      .begin = 0,
                                      .end = 800,
                                      .begin_count = 0,
                                      .end_count = 10,
                                      .signal = Signal::kLogs},
                              .valid = 10});
      return value_or_abort(spool.keep({batch}, spool::WhenFull::kRefuse)).at(0);
    });
  }
  std::vector<std::string> waiting(const std::string& destination) {
    const auto rows = value_or_abort(file->next(destination, Signal::kLogs, 0, 1000));
    std::vector<std::string> requests;
    for (const auto& row : rows) {
      requests.push_back(row.request);
      file->let_go(row.id);
    }
    return requests;
  }
  spool::SpoolTotals totals() {
    return value_or_abort(spool::view_spool(path(), kRingId)).totals[static_cast<std::size_t>(Signal::kLogs)];
  }
};

}  // namespace shmring::testing
