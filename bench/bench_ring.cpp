// SPDX-License-Identifier: Apache-2.0
// Making, draining and checking the ring that is measured.
#include "bench/bench_ring.hpp"

#include <stdlib.h>

#include <limits>
#include <system_error>
#include <utility>
#include <vector>

#include "libshmring/accounting.hpp"

namespace shmring::bench {

ScratchFolder::ScratchFolder() {
  std::string name = "/dev/shm/shmring-bench.XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;  // nobody is left to tell
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<std::unique_ptr<BenchRing>> BenchRing::create(const RingShape& shape) {
  auto folder = std::make_unique<ScratchFolder>();
  if (folder->path().empty()) return Error{ErrorCode::kSystem, "cannot make a folder in /dev/shm"};
  auto ring = Ring::open_or_create({.path = folder->path() / "bench.ring",
                                    .capacity_bytes = shape.capacity_bytes,
                                    .block_bytes = shape.block_bytes,
                                    .resource = {.service_name = "shop"}});
  if (!ring) return ring.error();
  auto file = RingFile::attach(ring->path());
  if (!file) return file.error();
  auto bench = std::unique_ptr<BenchRing>(new BenchRing(std::move(folder), *std::move(file), *ring));
  auto lease = Lease::try_take(*bench->file_);
  if (!lease) return lease.error();
  bench->lease_.emplace(*std::move(lease));
  auto reader = Reader::create(*bench->file_, *bench->lease_);
  if (!reader) return reader.error();
  bench->reader_ = *std::move(reader);
  return bench;
}

BenchRing::BenchRing(std::unique_ptr<ScratchFolder> folder, RingFile file, Ring ring)
    : folder_(std::move(folder)),
      file_(std::make_unique<RingFile>(std::move(file))),
      ring_(std::move(ring)) {}

Taken BenchRing::take_all() {
  Taken taken;
  std::vector<SliceKey> keys;
  reader_->consume_wake();
  do {
    keys.clear();
    reader_->drain(std::numeric_limits<std::uint64_t>::max(), [&](Slice&& slice) {
      SliceWalk walk(slice);
      while (const auto record = walk.next()) {
        ++taken.records;
        taken.payload_bytes += record->payload.size();
      }
      keys.push_back(slice.key);
      return true;
    });
    for (const SliceKey& key : keys) {
      OutcomeCounts counts{};
      counts[static_cast<std::size_t>(Outcome::kAccepted)] = key.records();
      if (reader_->acknowledge(key, counts) != Reader::Acknowledged::kDone) return {};
    }
  } while (!keys.empty());
  return taken;
}

bool BenchRing::warm_up() {
  constexpr std::size_t kBytes = 1024;
  const std::uint64_t eighth = ring_.capacity_bytes() / 8 / kBytes;
  for (int pass = 0; pass < 10; ++pass) {
    for (std::uint64_t i = 0; i < eighth; ++i) {
      auto slot = ring_.writer().try_reserve(RecordKind::kLog, kBytes);
      if (!slot || !std::move(slot).commit()) return false;
    }
    if (take_all().records != eighth) return false;
  }
  return true;
}

std::optional<std::string> BenchRing::complaint() const {
  const Accounting accounting = account(*file_);
  if (const std::uint64_t dropped = accounting.total.dropped_total(); dropped != 0) {
    return "the ring dropped " + std::to_string(dropped) + " records";
  }
  if (accounting.total.pending != 0) {
    return "the ring still holds " + std::to_string(accounting.total.pending) +
           " records that nobody acknowledged";
  }
  if (accounting.closing != Closing::kCloses) return "the ring's accounting does not close";
  return std::nullopt;
}

}  // namespace shmring::bench
