// SPDX-License-Identifier: Apache-2.0
// The flusher's side of the spool: batches go in from stage "deliver", and come out again for the replay.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flusher/batch_spool.hpp"
#include "flusher/config.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/log.hpp"
#include "flusher/spool_source.hpp"
#include "flusher/spool_thread.hpp"
#include "libshmring/reader.hpp"
#include "spool/spool_file.hpp"

namespace shmring::flusher {

class SpoolStore final : public BatchSpool, public SpoolSource {
 public:
  /// Opens the spool, and makes those acknowledgements in the ring that a predecessor had entitled itself to in the spool
  /// and did not come to make. REQUIRES: `reader` has drained nothing yet.
  static Result<std::unique_ptr<SpoolStore>> open(const Config& config, const spool::RingId& ring,
                                                  const spool::SpoolFile::Taken& taken, Reader& reader,
                                                  std::vector<std::string> destinations, EventLoop& loop,
                                                  Log& log);
  /// What was asked for is done before.
  ~SpoolStore() override;

  void keep(std::vector<Handover> batches, Kept kept) override;

  void next(std::size_t destination, Signal signal, std::int64_t after, std::uint64_t most,
            Rows rows) override;
  /// A disk that fails is tried again at each tick().
  void settle(std::int64_t batch, std::size_t destination, std::uint64_t rejected,
              std::uint64_t dead_lettered, std::function<void()> settled) override;

  /// Called when rows have come in for a destination.
  void on_kept(std::function<void(std::size_t destination, Signal signal)> call) {
    on_kept_ = std::move(call);
  }

  /// While the ring is short of room a full spool drops its oldest batches; else it refuses new ones.
  void set_ring_short(bool is_short) noexcept { is_ring_short_ = is_short; }
  /// Once a second or so: age limits, and what failed before.
  void tick();
  bool has_refused() const noexcept {
    return has_refused_;
  }  // the last time that it was asked to keep something

  /// What was in the spool when it was opened, by destination and signal; of others that are configured no more.
  const std::vector<spool::LaneRows>& found() const noexcept { return found_; }
  /// The flusher before was killed: what of that was under way may have arrived.
  bool was_killed() const noexcept { return was_killed_; }
  spool::SpoolSize size() const noexcept { return size_; }  // as of the last tick

 private:
  struct Settling {
    std::int64_t batch;
    std::size_t destination;
    std::uint64_t rejected;
    std::uint64_t dead_lettered;
    std::function<void()> settled;
  };

  SpoolStore(std::vector<std::string> destinations, Log& log)
      : destinations_(std::move(destinations)), log_(log) {}
  static Result<void> apply_handed(spool::SpoolFile& file, Reader& reader, Log& log);
  static Result<void> apply(spool::SpoolFile& file, Reader& reader, Log& log,
                            const std::vector<spool::HandedPiece>& handed);
  void post(SpoolThread::Work work, SpoolThread::Done done);
  void on_rescued(const spool::Rescue& rescue);
  void tell_dropped(const spool::Dropped& dropped, const char* why);

  std::vector<std::string> destinations_;
  Log& log_;
  std::vector<std::int64_t> acknowledged_;  // batches whose `handed` can be forgotten
  std::vector<Settling> again_;
  std::vector<std::pair<std::size_t, Signal>> unread_;  // lanes whose rows could not be read
  std::vector<spool::LaneRows> found_;
  spool::SpoolSize size_;
  std::function<void(std::size_t destination, Signal signal)> on_kept_ = [](std::size_t, Signal) {};
  bool was_killed_ = false;
  bool is_ring_short_ = false;
  bool has_refused_ = false;
  std::unique_ptr<SpoolThread> thread_;  // goes first
};

}  // namespace shmring::flusher
