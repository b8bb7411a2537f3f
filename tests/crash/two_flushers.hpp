// SPDX-License-Identifier: Apache-2.0
// A flusher that may lose its lease while it lives, and what the oracle allows it from then on.
//
// A holder acts on what it has read. One that stood still in the middle of a pass, and goes on after its successor has begun, may
// therefore hand out what it had copied before: the header's epoch was its own when it looked at that block. It looks again before
// the next block, so this is one slice at most, and nothing in later passes; it acknowledges nothing any more. So:
//
//   - Whoever holds the lease is never handed a record whose acknowledgement has returned kDone, to whomever. If the epoch is still
//     its own after it has seen that entry, nobody else can have acknowledged the record since it began.
//   - Who has lost the lease is handed at most one slice. That one may hold what its successor has acknowledged meanwhile.
//   - An acknowledgement is refused only to who has lost the lease.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libshmring/lease.hpp"
#include "libshmring/reader.hpp"
#include "libshmring/system.hpp"
#include "tests/crash/ledger.hpp"

namespace shmring::testing {

/// As BasicLedger; its `after_ack` counts also what the rules above allow.
struct CampaignLedger : BasicLedger<kMaxIds> {
  std::uint32_t after_ack_by_holder = 0;  // handed to a holder of the lease although acknowledged: never
  std::uint32_t late_slices = 0;          // handed out by a flusher that had lost its lease: one each
  std::uint32_t late_again = 0;           // the second one of a flusher: never
  std::uint32_t late_records = 0;
  std::uint32_t superseded = 0;  // acknowledgements that were refused
};

/// A flusher that enters in the ledger what it is handed and what it acknowledges.
class LosingFlusher {
 public:
  LosingFlusher(const RingFile& ring, CampaignLedger& ledger)
      : ring_(ring), ledger_(ledger), lease_(Lease::try_take(ring)) {
    if (!lease_) return;
    auto reader = Reader::create(ring, *lease_);
    if (reader) reader_ = std::move(*reader);
  }

  bool started() const noexcept { return reader_ != nullptr; }
  bool has_lost_the_lease() const noexcept { return ring_.header().epoch.load() != lease_->epoch(); }

  /// One pass. Returns how many records it found.
  std::uint64_t drain(std::uint64_t max_bytes) {
    const auto sink = [this](Slice&& slice) {
      under_way_.push_back({slice.key, receive(slice)});
      return true;
    };
    return reader_->drain(max_bytes, sink).records;
  }

  /// Everything that is under way was accepted. False: an acknowledgement was refused that must not be.
  bool acknowledge() {
    for (const auto& [key, ids] : std::exchange(under_way_, {})) {
      OutcomeCounts counts{};
      counts[static_cast<std::size_t>(Outcome::kAccepted)] = ids.size();
      counts[static_cast<std::size_t>(Outcome::kCorrupt)] = key.records() - ids.size();
      for (const std::uint32_t id : ids) CampaignLedger::raise(ledger_.acknowledging[id]);
      if (reader_->acknowledge(key, counts) == Reader::Acknowledged::kDone) {
        for (const std::uint32_t id : ids) CampaignLedger::raise(ledger_.acknowledged[id]);
      } else if (has_lost_the_lease()) {
        CampaignLedger::raise(ledger_.superseded);
      } else {
        return false;
      }
    }
    return true;
  }

 private:
  struct UnderWay {
    SliceKey key;
    std::vector<std::uint32_t> ids;
  };

  std::vector<std::uint32_t> receive(const Slice& slice) {
    const bool late =
        has_lost_the_lease();  // before it is entered: what is not late was pinned by us at the takeover
    std::vector<std::uint32_t> ids = ledger_.receive(slice);
    for (const std::uint32_t id : ids) {
      const bool acknowledged = CampaignLedger::read(ledger_.acknowledged[id]) != 0;
      if (acknowledged && !has_lost_the_lease()) CampaignLedger::raise(ledger_.after_ack_by_holder);
      if (late) CampaignLedger::raise(ledger_.late_records);
    }
    if (late) {
      CampaignLedger::raise(ledger_.late_slices);
      if (std::exchange(was_late_, true)) CampaignLedger::raise(ledger_.late_again);
    }
    return ids;
  }

  const RingFile& ring_;
  CampaignLedger& ledger_;
  Result<Lease> lease_;
  std::unique_ptr<Reader> reader_;
  std::vector<UnderWay> under_way_;
  bool was_late_ = false;
};

enum class Taken : std::uint8_t { kYes, kNoLease, kNotByThisKernel };

/// Takes the lease from a process that lives on. No command does so: `shmring flusher evict` ends the holder. But locks of other file
/// systems expire, and other programs unlock by mistake; then the epoch alone decides. REQUIRES: the process stands still.
inline Taken take_lease_away(pid_t holder) {
  constexpr long kPidfdOpen = 434;
  constexpr long kPidfdGetfd = 438;  // Linux 5.6
  const UniqueFd process(static_cast<int>(::syscall(kPidfdOpen, holder, 0U)));
  if (!process.valid()) return Taken::kNotByThisKernel;
  const std::string folder = "/proc/" + std::to_string(holder) + "/fdinfo";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto info = read_small_file(entry.path());
    if (!info || info->find("OFDLCK") == std::string::npos) continue;
    const int number = std::atoi(entry.path().filename().c_str());
    const UniqueFd copy(static_cast<int>(::syscall(kPidfdGetfd, process.get(), number, 0U)));
    struct flock range {};
    range.l_type = F_UNLCK;
    range.l_whence = SEEK_SET;
    return copy.valid() && ::fcntl(copy.get(), F_OFD_SETLK, &range) == 0 ? Taken::kYes
                                                                         : Taken::kNotByThisKernel;
  }
  return Taken::kNoLease;
}

}  // namespace shmring::testing
