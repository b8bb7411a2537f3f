// SPDX-License-Identifier: Apache-2.0
// The two sets of outcome counters of a block.
#include "libshmring/outcomes.hpp"

namespace shmring {
namespace {

/// Whether a cell's epoch is later than ours; 16 bits, compared as a circle.
constexpr bool later(std::uint16_t cell, std::uint16_t ours) noexcept {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(cell - ours)) > 0;
}

/// By CAS from what was read, so that a flusher without a lease can only overwrite what nobody has touched since.
bool write_cell(const RingHeader& header, std::atomic<std::uint64_t>& cell, std::uint64_t records,
                std::uint16_t epoch) noexcept {
  std::uint64_t word = cell.load(std::memory_order_acquire);  // P13
  const std::uint64_t wanted = OutcomeCell{records, epoch}.pack();
  while (word != wanted) {
    const std::uint16_t tag = OutcomeCell::unpack(word).epoch;
    // A tag of an epoch that was never reached is no flusher's: damage, to be written over. The header is read after the cell.
    const auto newest = static_cast<std::uint16_t>(header.epoch.load(std::memory_order_acquire));  // P11
    if (later(tag, epoch) && !later(tag, newest)) return false;
    if (cell.compare_exchange_weak(word, wanted, std::memory_order_acq_rel)) break;  // P13
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> fence_exported(const RingHeader& header, BlockDescriptor& descriptor,
                                            std::uint64_t epoch) noexcept {
  std::uint64_t word = descriptor.exported.load(std::memory_order_acquire);  // P4
  for (int attempt = 0; attempt < 16; ++attempt) {
    ExportedWord exported = ExportedWord::unpack(word);
    // The word first, then the header: if a later holder has fenced the word in between, the CAS fails.
    if (header.epoch.load(std::memory_order_acquire) != epoch) return std::nullopt;  // P11
    if (exported.epoch == (epoch & ExportedWord::kEpochMask)) return word;
    exported.epoch = static_cast<std::uint32_t>(epoch & ExportedWord::kEpochMask);
    const std::uint64_t fenced = exported.pack();
    if (descriptor.exported.compare_exchange_strong(word, fenced, std::memory_order_acq_rel))
      return fenced;  // P4
  }
  return std::nullopt;
}

bool fill_other_set(const RingHeader& header, BlockDescriptor& descriptor, const ExportedWord& exported,
                    Signal signal, const OutcomeCounts& counts, std::uint64_t epoch) noexcept {
  auto& valid = descriptor.outcomes[exported.set];
  auto& other = descriptor.outcomes[exported.set ^ 1U];
  const auto tag = static_cast<std::uint16_t>(epoch);
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    for (std::size_t o = 0; o < kOutcomeCount; ++o) {
      std::uint64_t records =
          OutcomeCell::unpack(valid[s][o].load(std::memory_order_acquire)).records;  // P13
      if (s == static_cast<std::size_t>(signal)) records += counts[o];
      if (!write_cell(header, other[s][o], records, tag)) return false;
    }
  }
  return true;
}

std::uint64_t sum_of_set(const BlockDescriptor& descriptor, std::uint32_t set) noexcept {
  std::uint64_t sum = 0;
  for (const auto& signal : descriptor.outcomes[set]) {
    for (std::size_t o = 0; o < kOutcomeCount; ++o) {
      sum += OutcomeCell::unpack(signal[o].load(std::memory_order_acquire)).records;  // P13
    }
  }
  return sum & kCountMask;
}

}  // namespace shmring
