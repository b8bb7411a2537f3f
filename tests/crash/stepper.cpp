// SPDX-License-Identifier: Apache-2.0
// Stepping a child through its instructions.
#include "tests/crash/stepper.hpp"

#include <dlfcn.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "libshmring/robust_mutex.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {
namespace {

constexpr std::size_t kRobustListLimit = 2048;  // linux/futex.h: ROBUST_LIST_LIMIT

constexpr int kSystemCallStop = 0x80;  // ptrace(2): PTRACE_O_TRACESYSGOOD

/// Tracer and tracee take turns: on one processor a turn is four times as fast as on two.
void share_processor(pid_t tracee) {
  const int here = ::sched_getcpu();
  if (here < 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(here), &one);
  ::sched_setaffinity(0, sizeof(one), &one);
  ::sched_setaffinity(tracee, sizeof(one), &one);
}

/// False: not mapped there.
template <typename T>
bool peek(pid_t pid, std::uint64_t address, T& value) {
  iovec local{&value, sizeof(value)};
  iovec remote{reinterpret_cast<void*>(address), sizeof(value)};
  return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(sizeof(value));
}

void stop_here() { ::syscall(SYS_tgkill, ::getpid(), ::gettid(), SIGSTOP); }

}  // namespace

Tracee::Tracee(const std::function<void()>& prepare, const std::function<void()>& work) {
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) give_up("cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(120);
    prepare();
    stop_here();
    work();
    stop_here();
    ::_exit(0);
  }
  if (!wait_for_stop() || stop_signal_ != SIGSTOP)
    give_up("the traced child did not get to its work: " + mishap_);
  ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT | PTRACE_O_TRACESYSGOOD);
  ::sched_getaffinity(0, sizeof(processors_before_), &processors_before_);
  share_processor(pid_);
}

Tracee::~Tracee() {
  kill();
  ::sched_setaffinity(0, sizeof(processors_before_), &processors_before_);
}

bool Tracee::wait_for_stop() {
  int status = 0;
  while (::waitpid(pid_, &status, __WALL) < 0) {
    if (errno != EINTR) give_up("cannot wait for the traced child");
  }
  if (WIFSTOPPED(status)) {
    stop_signal_ = WSTOPSIG(status);
    // About to end (PTRACE_O_TRACEEXIT): before the kernel looks at its robust list.
    return (status >> 16) != PTRACE_EVENT_EXIT;
  }
  mishap_ = WIFEXITED(status) ? "it ended with exit code " + std::to_string(WEXITSTATUS(status))
                              : "signal " + std::to_string(WTERMSIG(status)) + " ended it";
  pid_ = -1;
  return false;
}

bool Tracee::step() { return resume(PTRACE_SINGLESTEP, SIGTRAP); }
bool Tracee::to_system_call() { return resume(PTRACE_SYSCALL, SIGTRAP | kSystemCallStop); }

bool Tracee::resume(int how, int expected_stop) {
  if (pid_ < 0) return false;
  if (::ptrace(static_cast<__ptrace_request>(how), pid_, nullptr, nullptr) != 0)
    give_up("cannot resume the traced child");
  if (!wait_for_stop()) return false;
  if (stop_signal_ == expected_stop) return true;
  if (stop_signal_ != SIGSTOP) {
    mishap_ = "signal " + std::to_string(stop_signal_) + " hit it in " + place();
  }
  return false;
}

std::string Tracee::place() const {
  user_regs_struct registers{};
  if (pid_ < 0 || ::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) != 0) return "?";
  char text[32];
  std::snprintf(text, sizeof(text), "0x%" PRIx64, static_cast<std::uint64_t>(registers.rip));
  // The child is a fork of this process: what lies where is the same.
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(registers.rip), &info) == 0 || info.dli_sname == nullptr) return text;
  const auto offset = registers.rip - reinterpret_cast<std::uint64_t>(info.dli_saddr);
  return std::string(info.dli_sname) + "+" + std::to_string(offset);
}

void Tracee::kill() noexcept {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::ptrace(PTRACE_CONT, pid_, nullptr, nullptr);  // who is about to end already is not woken by the signal
  int status = 0;
  for (;;) {
    const pid_t got = ::waitpid(pid_, &status, __WALL);
    if (got < 0 && errno == EINTR) continue;
    if (got != pid_ || !WIFSTOPPED(status)) break;
    ::ptrace(PTRACE_CONT, pid_, nullptr, nullptr);  // its last stop before the end
  }
  pid_ = -1;
}

std::vector<Tracee::RobustWord> Tracee::robust_words() const {
  std::vector<RobustWord> words;
  std::uint64_t head_address = 0;
  std::size_t length = 0;
  robust_list_head head{};
  if (::syscall(SYS_get_robust_list, pid_, &head_address, &length) != 0 || head_address == 0) return words;
  if (!peek(pid_, head_address, head)) return words;
  const auto offset = static_cast<std::uint64_t>(head.futex_offset);
  const std::uint64_t pending = reinterpret_cast<std::uint64_t>(head.list_op_pending) & ~std::uint64_t{1};
  std::uint64_t entry = reinterpret_cast<std::uint64_t>(head.list.next);
  while ((entry & ~std::uint64_t{1}) != head_address && words.size() < kRobustListLimit) {
    const std::uint64_t node = entry & ~std::uint64_t{1};  // bit 0: priority inheritance
    const bool readable = peek(pid_, node, entry);
    if (node != pending) words.push_back({node + offset, false});
    if (!readable) break;
  }
  if (pending != 0) words.push_back({pending + offset, true});
  return words;
}

std::vector<Tracee::Mapping> Tracee::mappings_of(const FileKey& file) const {
  std::vector<Mapping> found;
  std::ifstream maps("/proc/" + std::to_string(pid_) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping;
    unsigned major = 0;
    unsigned minor = 0;
    std::uint64_t inode = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64, &mapping.begin,
                    &mapping.end, &mapping.offset, &major, &minor, &inode) != 6) {
      continue;
    }
    if (inode == file.inode && makedev(major, minor) == file.device) found.push_back(mapping);
  }
  return found;
}

std::vector<std::byte> bytes_after_death(const RingFile& ring, const Tracee& tracee) {
  const std::byte* base = ring.base();
  std::vector<std::byte> bytes(base, base + ring.geometry().file_bytes);
  const auto tid = static_cast<std::uint32_t>(tracee.pid());

  const auto words = tracee.robust_words();
  const auto mappings = words.empty() ? std::vector<Tracee::Mapping>{} : tracee.mappings_of(ring.key());
  for (const auto& [address, pending] : words) {
    for (const auto& mapping : mappings) {
      if (address < mapping.begin || address >= mapping.end) continue;
      std::byte* place = bytes.data() + (address - mapping.begin + mapping.offset);
      std::uint32_t word = 0;
      std::memcpy(&word, place, sizeof(word));
      // kernel/futex: whose word it is, is decided by the thread id alone.
      if ((word & FUTEX_TID_MASK) != tid) continue;
      word = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
      std::memcpy(place, &word, sizeof(word));
    }
  }

  // The tracee lives on to be stepped further; whoever asks /proc about it must hear that it does not.
  for (std::uint32_t index = 0; index < ring.geometry().writer_count; ++index) {
    auto* slot = reinterpret_cast<WriterSlot*>(bytes.data() + ring.geometry().slots_offset) + index;
    ClaimWord claim = ClaimWord::unpack(slot->claim.load());
    if (claim.tid == tid) {
      claim.tid = kNobodysTid;
      slot->claim.store(claim.pack());
    }
    if (slot->tid.load() == tid) slot->tid.store(kNobodysTid);
  }
  return bytes;
}

}  // namespace shmring::testing
