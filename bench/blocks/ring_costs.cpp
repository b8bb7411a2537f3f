// SPDX-License-Identifier: Apache-2.0
// Two operations in batches of a quarter and of three quarters of the ring; one full block; threads that sleep.
#include "bench/blocks/ring_costs.hpp"

#include <atomic>
#include <latch>
#include <string>
#include <thread>

#include "bench/harness/row.hpp"
#include "libshmring/accounting.hpp"

namespace shmring::bench {
namespace {

struct Operation {
  const char* name;
  const char* label;
  void (*add)(Rows& rows, About about);
  std::size_t payload_bytes;
};
constexpr std::array<Operation, 2> kOperations = {
    {{"emit_log", "log record, `Logger::emit`, `clock_gettime`", add_emit_log_row, kRecordBytes},
     {"reserve_copy_commit", "reserve, copy 200 bytes, commit", add_reserve_row, kPayloadBytes}}};

struct Drained {
  const char* name;
  std::uint64_t quarters;  // of the ring, that are full then
};
constexpr std::array<Drained, 2> kDrained = {{{"quarter", 1}, {"three_quarters", 3}}};

std::uint64_t committed_word(const BlockDescriptor& descriptor) {
  return descriptor.committed.load(std::memory_order_relaxed);  // relaxed: this thread wrote it
}

/// The block that this thread, the only one that writes, opened last. nullptr: none.
const BlockDescriptor* open_block(const RingFile& file) {
  const BlockDescriptor* newest = nullptr;
  std::uint64_t ticket = 0;
  for (const BlockDescriptor& descriptor : file.descriptors()) {
    const auto state = descriptor.state.load(std::memory_order_relaxed);  // relaxed: this thread's own doing
    if (StateWord::unpack(state).state != BlockState::kOpen) continue;
    const auto of_this = descriptor.ticket.load(std::memory_order_relaxed);  // relaxed: likewise
    if (newest != nullptr && of_this < ticket) continue;
    newest = &descriptor;
    ticket = of_this;
  }
  return newest;
}

/// Repeats an operation until a block that was watched from its first record on is full.
Result<FullBlock> fill_block(const RingFile& file, Row& operation, std::size_t payload_bytes) {
  const std::uint64_t block_bytes = file.geometry().block_bytes;
  const BlockDescriptor* watched = nullptr;
  std::uint64_t last = 0;
  std::uint64_t records = 0;
  int blocks = 0;  // whose first record was seen, but for the first one: that may have been begun before
  for (std::uint64_t i = 0; i < 3 * block_bytes / payload_bytes; ++i) {
    if (auto done = operation.repeat(1); !done) return done.error();
    if (watched != nullptr && committed_word(*watched) != last) {
      last = committed_word(*watched);
      ++records;
      continue;
    }
    if (blocks == 2) {
      const std::uint64_t used = CommittedWord{last}.offset_bytes();
      return FullBlock{.records = records,
                       .context_bytes = used - records * record_bytes(payload_bytes),
                       .unused_bytes = block_bytes - used};
    }
    ++blocks;
    watched = open_block(file);
    if (watched == nullptr) return Error{ErrorCode::kSystem, "a record is in no open block"};
    last = committed_word(*watched);
    records = 1;
  }
  return Error{ErrorCode::kSystem, "a block did not get full"};
}

Sleepers count_blocks_of_sleepers(BenchRing& ring, const SampleRecords& samples) {
  const Logger log = ring.ring().logger("shop.orders", "1.4.0");
  std::atomic<std::uint32_t> refused = 0;
  std::latch emitted(kSleepers);
  std::latch counted(1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kSleepers; ++i)
    threads.emplace_back([&, i] {
      if (!samples.emit_log(log, static_cast<std::uint64_t>(i))) ++refused;
      emitted.count_down();
      counted.wait();
    });
  emitted.wait();
  ring.take_all();
  const BlockCensus blocks = account(ring.file()).blocks;
  counted.count_down();
  for (std::thread& thread : threads) thread.join();
  return {.blocks = blocks.total - blocks.free, .refused = refused};
}

/// The ring, touched; what a full block holds; the rows. By a thread that ends then: while it lived, it would hold a block.
Result<void> prepare(Subjects& subjects, RingCosts& costs, Rows& rows) {
  const auto ring = subjects.ring();
  if (!ring) return ring.error();
  const RingFile& file = (*ring)->file();
  for (const Operation& operation : kOperations) {
    Rows probe;
    operation.add(probe, {.name = operation.name, .label = operation.label});
    if (auto ready = probe.front()->prepare(subjects); !ready) return ready.error();
    const auto full = fill_block(file, *probe.front(), operation.payload_bytes);
    if (!full) return full.error();
    (*ring)->take_all();
    if (rows.empty()) costs.of_log_records = *full;
    for (const Drained& drained : kDrained) {
      operation.add(rows, {.name = std::string(operation.name) + "_" + drained.name,
                           .label = operation.label,
                           .batch = full->records * file.geometry().block_count * drained.quarters / 4,
                           .is_stamped = false});
      costs.costs.push_back({.name = operation.name, .drained = drained.name, .result = {}});
    }
  }
  return {};
}

}  // namespace

Result<RingCosts> measure_ring(const RingShape& shape, const RunOptions& options) {
  Subjects subjects(Subjects::Memory::kTouched, shape);
  RingCosts costs;
  Rows rows;
  Result<void> ready;
  std::thread([&] { ready = prepare(subjects, costs, rows); }).join();
  if (!ready) return ready.error();
  const auto results = run(rows, subjects, options);
  if (!results) return results.error();
  for (std::size_t i = 0; i < results->size(); ++i) costs.costs[i].result = (*results)[i];
  costs.sleepers = count_blocks_of_sleepers(**subjects.ring(), subjects.samples());
  return costs;
}

}  // namespace shmring::bench
