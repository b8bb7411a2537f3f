// SPDX-License-Identifier: Apache-2.0
// How the flusher gets at its ring.

#include "flusher/attachment.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "flusher/units.hpp"
#include "libshmring/earlier_boot.hpp"
#include "libshmring/liveness.hpp"
#include "shmring/ring.hpp"

namespace shmring::flusher {
namespace {

constexpr auto kLeaseLook = std::chrono::milliseconds(50);

/// Readable once the process has ended.
class ProcessWatch {
 public:
  ProcessWatch(EventLoop& loop, std::uint32_t pid) : loop_(loop) {
    if (pid == 0) return;
    fd_ = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
    if (fd_ >= 0) loop_.watch(fd_, [this] { loop_.unwatch(fd_); });  // that it ended the wait is all
  }
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;
  ~ProcessWatch() {
    if (fd_ < 0) return;
    loop_.unwatch(fd_);
    close(fd_);
  }

 private:
  EventLoop& loop_;
  int fd_ = -1;
};

/// The holder's pid as we would name it; 0: not known here.
std::uint32_t holder(const RingFile& ring) {
  const RingHeader& header = ring.header();
  const bool is_ours = header.flusher_pid_namespace.load(std::memory_order_relaxed) == pid_namespace();
  return is_ours ? header.flusher_pid.load(std::memory_order_relaxed)
                 : 0;  // relaxed, both: the lease itself decides
}

}  // namespace

Result<std::unique_ptr<RingFile>> attach_or_create(const Config& config, Log& log) {
  const std::filesystem::path path = config.ring.empty() ? default_ring_path() : config.ring;
  auto ring = RingFile::attach(path);
  if (ring && ring->of_an_earlier_boot()) {
    if (auto aside = set_aside(*ring); !aside) return aside.error();
    ring = RingFile::attach(path);
  }
  if (!ring && ring.error().code == ErrorCode::kNotFound) {
    const auto created = RingFile::create({.path = path,
                                           .capacity_bytes = config.ring_bytes,
                                           .block_bytes = static_cast<std::uint32_t>(config.ring_block_bytes),
                                           .writers = static_cast<std::uint32_t>(config.ring_writers),
                                           .on_full = config.ring_policy(),
                                           .block_timeout = config.block_timeout});
    if (!created && created.error().code != ErrorCode::kAlreadyExists) return created.error();
    ring = RingFile::attach(path);
    if (ring && created) {
      log.write(
          LogLevel::kInfo, "ring_created",
          {field("ring", path.string()), field("size", format_size(ring->geometry().capacity_bytes()))});
    }
  }
  if (!ring) return ring.error();
  return std::make_unique<RingFile>(std::move(*ring));
}

Result<std::optional<Lease>> wait_for_lease(const RingFile& ring, EventLoop& loop, Log& log,
                                            const std::function<bool()>& is_told_to_end) {
  std::unique_ptr<ProcessWatch> watch;
  for (;;) {
    auto lease = Lease::try_take(ring);
    if (lease) return std::optional<Lease>(std::move(*lease));
    if (lease.error().code != ErrorCode::kBusy) return lease.error();
    if (!watch) {
      const std::uint32_t pid = holder(ring);
      log.write(LogLevel::kInfo, "standing_by",
                {field("ring", ring.path().string()), field("holder_pid", pid)});
      watch = std::make_unique<ProcessWatch>(loop, pid);
    }
    loop.turn(Clock::now() + kLeaseLook);
    if (is_told_to_end()) return std::optional<Lease>();
  }
}

}  // namespace shmring::flusher
