// SPDX-License-Identifier: Apache-2.0
// Drained, stopped, dying, crowded, full.
#include "bench/processes/situations.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace shmring::bench {
namespace {

class Drained : public Situation {
 public:
  explicit Drained(const Subject& subject) : drain_(subject) {}
  bool end() override { return drain_.finish(); }
  DrainProcess& drain() noexcept { return drain_; }

 private:
  DrainProcess drain_;
};

class Stopped final : public Drained {
 public:
  explicit Stopped(const Subject& subject) : Drained(subject) { drain().send(SIGSTOP); }
  bool end() override {
    drain().send(SIGCONT);
    return Drained::end();
  }
};

/// Kills the older of two children that emit, and makes another, once in a millisecond; their number is what it tells.
int kill_for_ever(const Subject& subject, std::atomic<std::uint32_t>& killed) {
  const timespec pause{0, 1'000'000};
  Child older;
  Child younger;
  for (;;) {
    Child youngest = Child::forked([&]() -> int {
      const timespec breath{0, 20'000};
      for (std::uint64_t n = 0;; ++n) {
        subject.emit(n);
        if (n % 64 == 63) ::nanosleep(&breath, nullptr);  // both cores' whole time is not what is meant
      }
    });
    if (!youngest.started()) return 1;
    ::nanosleep(&pause, nullptr);
    if (older.started()) ++killed;
    older.kill();
    older = std::move(younger);
    younger = std::move(youngest);
  }
}

class PeersDie final : public Drained {
 public:
  explicit PeersDie(const Subject& subject)
      : Drained(subject), killer_(Child::forked([&] { return kill_for_ever(subject, *killed_); })) {
    wait_until([&] { return killed_->load() > 0; });
  }
  bool end() override {
    killer_.kill();
    return Drained::end() && killed_->load() > 0;
  }

 private:
  Shared<std::atomic<std::uint32_t>> killed_;
  Child killer_;
};

class Attached final : public Drained {
 public:
  Attached(const Subject& subject, std::uint32_t processes) : Drained(subject) {
    for (std::uint32_t n = 0; n < processes; ++n) {
      crowd_.push_back(Child::forked([&] {
        const bool ok = subject.emit(std::uint64_t{0});
        ++*emitted_;
        for (;;) ok ? ::pause() : ::raise(SIGKILL);
        return 0;
      }));
    }
    complete_ = wait_until([&] { return emitted_->load() == processes; });
  }
  bool end() override {
    crowd_.clear();
    return Drained::end() && complete_;
  }

 private:
  Shared<std::atomic<std::uint32_t>> emitted_;
  std::vector<Child> crowd_;
  bool complete_ = false;
};

class Full final : public Situation {
 public:
  explicit Full(const Subject& subject) {
    // Whole blocks, so that policy drop-oldest, which refuses nothing, comes to an end as well.
    const std::uint64_t records = subject.file().geometry().capacity_bytes() / kRecordBytes;
    for (std::uint64_t n = 0; n < records; ++n) subject.emit(n);
  }
};

}  // namespace

std::unique_ptr<Situation> while_drained(const Subject& subject) {
  return std::make_unique<Drained>(subject);
}
std::unique_ptr<Situation> while_drain_is_stopped(const Subject& subject) {
  return std::make_unique<Stopped>(subject);
}
std::unique_ptr<Situation> while_peers_die(const Subject& subject) {
  return std::make_unique<PeersDie>(subject);
}
std::unique_ptr<Situation> while_attached(const Subject& subject, std::uint32_t processes) {
  return std::make_unique<Attached>(subject, processes);
}
std::unique_ptr<Situation> while_full(const Subject& subject) { return std::make_unique<Full>(subject); }

}  // namespace shmring::bench
