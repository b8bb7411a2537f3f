// SPDX-License-Identifier: Apache-2.0
// What producers and flushers of a crash test write down, in memory that outlives them: the oracle's side of the story.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "libshmring/reader.hpp"
#include "shmring/logger.hpp"
#include "tests/support/obligations.hpp"

namespace shmring::testing {

/// payload_of(), each made once: a flusher that is stepped compares, and does not encode. REQUIRES: one thread.
inline std::span<const std::byte> known_payload_of(std::uint32_t id) {
  static std::vector<std::vector<std::byte>> known;
  if (known.size() <= id) known.resize(id + 1);
  if (known[id].empty()) known[id] = payload_of(id);
  return known[id];
}

/// As many payloads as are kept; later ids are encoded anew for each comparison.
inline constexpr std::uint32_t kKnownPayloads = 4096;

inline bool equal_bytes(std::span<const std::byte> a, std::span<const std::byte> b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

inline bool is_right(std::uint32_t id, Large large, std::span<const std::byte> payload) {
  if (large == Large::kYes) return is_payload_of(id, payload, large);
  return id < kKnownPayloads ? equal_bytes(known_payload_of(id), payload) : is_payload_of(id, payload);
}

/// The fate of each id as its writers know it. Plain bytes, so that it can be copied as it is at one instant; changed
/// through atomic_ref, in the order of the program, by everyone who maps it.
template <std::uint32_t kIds>
struct BasicLedger {
  std::uint32_t issued = 0;     // from then on the record of the id may arrive
  std::uint32_t refused = 0;    // emits that returned false
  std::uint32_t mangled = 0;    // payloads handed out that nobody emitted, or that are not what was emitted
  std::uint32_t corrupt = 0;    // records that the counters promised and the bytes did not hold
  std::uint32_t after_ack = 0;  // records handed out although their acknowledgement had returned
  Large large[kIds] = {};       // of which kind its record is
  std::uint8_t obliged[kIds] = {};        // its emit has returned success: it must arrive
  std::uint8_t handed[kIds] = {};         // how often a flusher was given it
  std::uint8_t acknowledging[kIds] = {};  // its acknowledgement was called
  std::uint8_t acknowledged[kIds] = {};   // and has returned: it must not be handed out again

  static constexpr std::uint32_t size() noexcept { return kIds; }

  template <typename T>
  static void raise(T& cell) noexcept {
    std::atomic_ref<T>(cell).fetch_add(1);
  }
  template <typename T>
  static T read(const T& cell) noexcept {
    return std::atomic_ref<T>(const_cast<T&>(cell)).load();
  }

  /// False: refused, or no id is left.
  bool emit(const Logger& logger, Large size = Large::kNo) noexcept {
    const std::uint32_t id = issue();
    std::atomic_ref<Large>(large[id]).store(size);
    const auto write = [&logger](const LogRecord& record) { return logger.emit(record); };
    return settle(id, with_record(id, write, size));
  }
  std::uint32_t issue() noexcept {
    const std::uint32_t id = std::atomic_ref<std::uint32_t>(issued).fetch_add(1);
    if (id >= kIds) std::abort();
    return id;
  }
  bool settle(std::uint32_t id, bool committed) noexcept {
    if (committed) {
      raise(obliged[id]);
    } else {
      raise(refused);
    }
    return committed;
  }

  /// A flusher was handed this slice: the ids in it.
  std::vector<std::uint32_t> receive(const Slice& slice) {
    std::vector<std::uint32_t> ids;
    SliceWalk walk(slice);
    while (const auto record = walk.next()) {
      const auto id = id_of(record->payload);
      if (!id || *id >= read(issued) || !is_right(*id, read(large[*id]), record->payload)) {
        raise(mangled);
        continue;
      }
      raise(handed[*id]);
      if (read(acknowledged[*id]) != 0) raise(after_ack);
      ids.push_back(*id);
    }
    for (std::uint64_t n = 0; n < walk.corrupt(); ++n) raise(corrupt);
    return ids;
  }
};

/// Small enough to be copied for each of some thousand deaths.
using Ledger = BasicLedger<4096>;

/// A flusher that enters in the ledger what it is handed and what it acknowledges.
template <typename AnyLedger>
class EnteringFlusher {
 public:
  EnteringFlusher(const RingFile& ring, AnyLedger& ledger)
      : ledger_(ledger), lease_(Lease::try_take(ring)), reader_(started(ring)) {}

  bool started() const noexcept { return reader_ != nullptr; }
  Reader& reader() noexcept { return *reader_; }

  /// One pass. Returns how many records it found.
  std::uint64_t drain(std::uint64_t max_bytes = ~std::uint64_t{0}) {
    return reader_
        ->drain(max_bytes,
                [this](Slice&& slice) {
                  under_way_.push_back({slice.key, ledger_.receive(slice)});
                  return true;
                })
        .records;
  }

  /// Everything that is under way was accepted. False: some slice was superseded.
  bool acknowledge() {
    bool done = true;
    for (const auto& [key, ids] : std::exchange(under_way_, {})) {
      OutcomeCounts counts{};
      counts[static_cast<std::size_t>(Outcome::kAccepted)] = ids.size();
      counts[static_cast<std::size_t>(Outcome::kCorrupt)] = key.records() - ids.size();
      for (const std::uint32_t id : ids) AnyLedger::raise(ledger_.acknowledging[id]);
      const bool moved = reader_->acknowledge(key, counts) == Reader::Acknowledged::kDone;
      for (const std::uint32_t id : ids) {
        if (moved) AnyLedger::raise(ledger_.acknowledged[id]);
      }
      done = done && moved;
    }
    return done;
  }

  /// Until there is nothing more, and every slot was asked about. False: an acknowledgement failed, or there is no end.
  bool empty(const RingFile& ring) {
    bool done = true;
    const std::uint32_t looks = ring.geometry().writer_count / 16 + 2;  // a pass asks /proc about a few slots
    constexpr std::uint32_t kTooManyPasses = 1000;
    std::uint32_t passes = 0;
    for (std::uint32_t quiet = 0; quiet < looks;) {
      if (++passes > kTooManyPasses) return false;
      quiet = drain() == 0 ? quiet + 1 : 0;
      done = acknowledge() && done;
    }
    return done;
  }

 private:
  struct UnderWay {
    SliceKey key;
    std::vector<std::uint32_t> ids;
  };

  std::unique_ptr<Reader> started(const RingFile& ring) const {
    if (!lease_) return nullptr;
    auto reader = Reader::create(ring, *lease_);
    return reader ? std::move(*reader) : nullptr;
  }

  AnyLedger& ledger_;
  Result<Lease> lease_;
  std::unique_ptr<Reader> reader_;
  std::vector<UnderWay> under_way_;
};

}  // namespace shmring::testing
