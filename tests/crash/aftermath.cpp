// SPDX-License-Identifier: Apache-2.0
// Recovery and verdict.
#include "tests/crash/aftermath.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <latch>
#include <memory>
#include <optional>
#include <thread>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/system.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {
namespace {

constexpr unsigned kHangSeconds = 120;  // a recovery that takes longer hangs

enum class First { kFlusher, kProducer };

class Aftermath {
 public:
  Aftermath(const std::filesystem::path& path, const Instant& instant, const Circumstances& circumstances)
      : path_(path),
        before_(instant.ledger),
        ledger_(instant.ledger),
        circumstances_(circumstances),
        file_(value_or_abort(RingFile::attach(path))) {}

  std::string run(First first) {
    check_as_it_was_left();
    if (first == First::kProducer) write_before_anybody_drains();
    drain();
    check_records();
    check_books();
    check_blocks("after the first drain");
    use_every_slot();
    drain();
    check_records();
    check_books();
    check_blocks("after every slot was used again");
    check_nothing_is_left();
    return problems_;
  }

 private:
  void problem(const std::string& what) { problems_ += what + "\n"; }
  void expect_equal(std::uint64_t got, std::uint64_t expected, const char* what) {
    if (got == expected) return;
    problem(std::string(what) + ": " + std::to_string(got) + ", not " + std::to_string(expected));
  }

  const Ring& ring() {
    if (!ring_) ring_ = value_or_abort(Ring::open(path_, {.service_name = "test"}));
    return *ring_;
  }
  void write_before_anybody_drains() {
    if (!ring().prepare_thread()) return problem("another producer gets no slot");
    own_ = 1;
    if (!ledger_.emit(ring().logger("after")) && !circumstances_.full)
      problem("another producer cannot write");
  }

  void drain() {
    EnteringFlusher<Ledger> flusher(file_, ledger_);
    if (!flusher.started()) return problem("no flusher can start");
    if (!flusher.empty(file_)) problem("an acknowledgement fails");
  }

  /// As many new writers at once as there are slots without a living holder.
  void use_every_slot() {
    const std::uint32_t writers = file_.geometry().writer_count - circumstances_.alive - own_;
    const Logger logger = ring().logger("after");
    std::latch all_have_written(writers);
    std::atomic<std::uint32_t> refused{0};
    std::vector<std::thread> threads;
    for (std::uint32_t n = 0; n < writers; ++n) {
      threads.emplace_back([&] {
        if (!ledger_.emit(logger)) ++refused;
        all_have_written.arrive_and_wait();
      });
    }
    for (std::thread& thread : threads) thread.join();
    expect_equal(refused, 0, "new writers that were refused");
  }

  void check_records() {
    std::uint64_t repeated = 0;
    accepted_ = 0;
    missing_ = 0;
    for (std::uint32_t id = 0; id < ledger_.issued; ++id) {
      const std::string whose = "record " + std::to_string(id);
      const int arrived = ledger_.handed[id] - before_.handed[id];
      const bool settled = before_.acknowledged[id] != 0;
      const bool maybe_settled = before_.acknowledging[id] != 0;
      const bool missing = ledger_.obliged[id] != 0 && arrived == 0 && !maybe_settled;
      if (missing && !circumstances_.may_evict) problem(whose + " is lost");
      missing_ += missing ? 1 : 0;
      if (arrived > 1) problem(whose + " is handed out " + std::to_string(arrived) + " times");
      if (arrived > 0 && settled) problem(whose + " was acknowledged and is handed out again");
      if (arrived > 0 && before_.handed[id] != 0) ++repeated;
      accepted_ += arrived > 0 || maybe_settled ? 1 : 0;
    }
    expect_equal(ledger_.mangled, before_.mangled, "mangled records");
    expect_equal(ledger_.corrupt, before_.corrupt, "corrupt records");
    expect_equal(ledger_.after_ack, before_.after_ack, "records handed out after their acknowledgement");
    const std::uint64_t told = account(file_).total.duplicates_possible;
    if (repeated > told && !circumstances_.given_back) {
      problem(std::to_string(repeated) + " records were handed out again, " + std::to_string(told) +
              " counted as possible");
    }
  }

  /// Records of which the dead had not yet heard whether they are committed.
  std::uint64_t in_flight() const {
    std::uint64_t sum = before_.issued - before_.refused;
    for (std::uint32_t id = 0; id < before_.issued; ++id) sum -= before_.obliged[id];
    return sum;
  }

  /// Before anybody has mended anything: an interrupted step is no damage, and each block closes at every instant (I5).
  void check_as_it_was_left() {
    if (account(file_).closing != Closing::kCloses)
      problem("the accounting does not close before the recovery");
    check_damage();
  }

  void check_damage() {
    for (const Finding& finding : fsck(file_)) {
      if (finding.severity == Finding::Severity::kDamage) problem(finding.where + ": " + finding.what);
    }
  }

  void check_books() {
    const Accounting accounting = account(file_);
    if (accounting.closing != Closing::kCloses) problem("the accounting does not close");
    expect_equal(accounting.total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)], accepted_,
                 "accepted");
    const std::uint64_t evicted = accounting.total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)];
    // The one in flight may have been committed and evicted, which nobody has heard of.
    if (evicted != missing_ && evicted != missing_ + in_flight()) {
      problem(std::to_string(missing_) + " records did not arrive, " + std::to_string(evicted) +
              " are counted as evicted");
    }
    expect_equal(accounting.total.written, accepted_ + evicted, "written");
    expect_equal(accounting.total.pending, 0, "pending");
    const std::uint64_t dropped = accounting.total.dropped_total();
    // The dead may have been counting a drop of which it had not heard yet.
    if (dropped < ledger_.refused || dropped > ledger_.refused + 1U) {
      problem(std::to_string(dropped) + " drops counted, " + std::to_string(ledger_.refused) +
              " emits refused");
    }
    check_damage();
  }

  void check_blocks(const char* when) {
    std::uint32_t living = 0;
    for (const WriterSlot& slot : file_.slots())
      living += liveness(slot, Ask::kWordAndProc) == Liveness::kAlive ? 1 : 0;
    expect_equal(living, circumstances_.alive + own_, "slots with a living holder");
    std::uint32_t kept = 0;
    for (std::uint32_t index = 0; index < file_.geometry().block_count; ++index) {
      const StateWord state = StateWord::unpack(file_.descriptors()[index].state.load());
      if (state.state == BlockState::kFree) continue;
      const bool lives = state.state == BlockState::kOpen && state.writer < file_.geometry().writer_count &&
                         !owner_gone(file_.slots()[state.writer], state);
      if (lives && state.pin == Pin::kUnpinned) {
        ++kept;
        continue;
      }
      problem("block " + std::to_string(index) + " is not free " + when + ": state " +
              std::to_string(static_cast<unsigned>(state.state)) + ", pin " +
              std::to_string(static_cast<unsigned>(state.pin)) + ", slot " + std::to_string(state.writer) +
              " generation " + std::to_string(state.writer_generation));
    }
    if (kept > circumstances_.blocks_of_living + own_)
      problem(std::to_string(kept) + " blocks name a living owner");
  }

  void check_nothing_is_left() {
    EnteringFlusher<Ledger> flusher(file_, ledger_);
    if (!flusher.started()) return problem("no flusher can start again");
    expect_equal(flusher.drain(), 0, "records left for another flusher");
  }

  const std::filesystem::path path_;
  const Ledger before_;
  Ledger ledger_;
  const Circumstances circumstances_;
  const RingFile file_;
  std::optional<Ring> ring_;
  std::uint32_t own_ = 0;  // slots that this process holds
  std::uint64_t accepted_ = 0;
  std::uint64_t missing_ = 0;  // obligations that did not arrive
  std::string problems_;
};

void write_copy(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  std::filesystem::remove(path);
  const UniqueFd file(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!file.valid() ||
      ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    give_up("cannot write " + path.string());
  }
}

void tell(int fd, std::string text) {
  text.resize(std::min<std::size_t>(text.size(), 3000));  // fits a pipe, so it never waits
  static_cast<void>(!::write(fd, text.data(), text.size()));
}

}  // namespace

std::string verdict(const Instant& instant, const Circumstances& circumstances,
                    const std::filesystem::path& folder) {
  const auto paths = {std::pair{First::kFlusher, folder / "flusher-first.ring"},
                      std::pair{First::kProducer, folder / "producer-first.ring"}};
  for (const auto& [first, path] : paths) write_copy(path, instant.ring);
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) give_up("no pipe");
  const UniqueFd reading(pipe_ends[0]);
  UniqueFd writing(pipe_ends[1]);
  Child child = Child::forked([&] {
    ::alarm(kHangSeconds);
    for (const auto& [first, path] : paths) {
      const std::string problems = Aftermath(path, instant, circumstances).run(first);
      if (problems.empty()) continue;
      tell(writing.get(), (first == First::kFlusher ? "flusher first: " : "producer first: ") + problems);
    }
    return 0;
  });
  writing.reset();
  std::string told;
  char part[4096];
  for (ssize_t got = 0; (got = ::read(reading.get(), part, sizeof(part))) > 0;)
    told.append(part, static_cast<std::size_t>(got));
  const Ended ended = child.wait();
  if (!ended.with(0)) told += "the recovery ended by " + ended.text() + "\n";
  return told;
}

}  // namespace shmring::testing
