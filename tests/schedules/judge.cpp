// SPDX-License-Identifier: Apache-2.0
// The oracle: what must hold after any schedule, whoever died in it.
#include <array>
#include <cstdint>
#include <string>
#include <thread>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/liveness.hpp"
#include "tests/schedules/scene.hpp"

namespace shmring::testing {
namespace {

class Judge {
 public:
  Judge(Scene& scene, bool somebody_died)
      : scene_(scene), book_(scene.book()), somebody_died_(somebody_died) {}

  std::string run() {
    check_as_it_was_left();
    drain("after the schedule");
    write_into_every_block();
    drain("after every block was used again");
    return problems_;
  }

 private:
  void problem(const std::string& what) { problems_ += what + "\n"; }
  void expect(bool holds, const char* what, std::uint64_t got, std::uint64_t least, std::uint64_t most) {
    if (holds) return;
    problem(std::string(what) + ": " + std::to_string(got) + ", not " + std::to_string(least) +
            (least == most ? "" : " to " + std::to_string(most)));
  }
  void expect_between(std::uint64_t got, std::uint64_t least, std::uint64_t most, const char* what) {
    expect(got >= least && got <= most, what, got, least, most);
  }
  void expect_none(std::uint64_t got, const char* what) { expect_between(got, 0, 0, what); }

  /// An interrupted step is no damage, and every block closes by itself at every instant.
  void check_as_it_was_left() {
    if (account(scene_.file()).closing != Closing::kCloses)
      problem("the accounting does not close before anybody came");
    check_damage();
    expect_none(book_.mangled, "mangled records");
    expect_none(book_.corrupt, "corrupt records");
    if (one_is_late()) return;
    expect_none(book_.after_ack, "records handed out after their acknowledgement");
    expect_none(book_.refused_acks, "acknowledgements refused to the only flusher");
  }

  void check_damage() {
    for (const Finding& finding : fsck(scene_.file())) {
      if (finding.severity == Finding::Severity::kDamage) problem(finding.where + ": " + finding.what);
    }
  }

  void drain(const char* when) {
    BookedFlusher flusher(scene_.file(), book_);
    flusher.take_over();
    if (!flusher.empty()) problem("a drain comes to no end");
    const std::string before = problems_;
    check_records();
    check_books();
    check_blocks();
    if (problems_ != before) problem(std::string("  (all of this ") + when + ")");
  }

  void check_records() {
    expected_ = {};
    expect_none(book_.out_of_order, "records of one thread handed out by one flusher after later ones");
    for (std::uint32_t id = 0; id < Book::kIds; ++id) {
      if (book_.size[id] != 0) check_record(id);
    }
    expect_none(book_.mangled, "mangled records");
    expect_none(book_.corrupt, "corrupt records");
  }

  void check_record(std::uint32_t id) {
    const std::string whose = "record " + std::to_string(id);
    const unsigned accepted = book_.acknowledged[id];
    const bool heard_nothing = book_.acknowledging[id] > book_.acknowledged[id] + book_.superseded[id];
    const bool exists = book_.obliged[id] != 0 || book_.handed[id] != 0;
    if (book_.refused[id] != 0 && book_.handed[id] != 0) problem(whose + " was refused and arrives");
    if (accepted > 1) problem(whose + " is accepted " + std::to_string(accepted) + " times");
    const unsigned successors = (somebody_died_ ? 1U : 0U) + (one_is_late() ? 1U : 0U);
    if (book_.handed[id] > 1U + book_.given_back[id] + successors)
      problem(whose + " is handed out " + std::to_string(book_.handed[id]) + " times");
    if (!exists) {
      expected_.in_flight += book_.refused[id] == 0 ? 1 : 0;
    } else if (accepted != 0) {
      ++expected_.accepted;
    } else if (heard_nothing) {
      ++expected_.accepted_or_evicted;
    } else if (may_evict()) {
      ++expected_.evicted;
    } else {
      problem(whose + " is lost");
    }
  }

  bool one_is_late() const noexcept { return scene_.scenario().flushers == Flushers::kOneIsLate; }
  bool may_evict() const noexcept { return scene_.scenario().shape.on_full == FullPolicy::kDropOldest; }

  void check_books() {
    const Accounting accounting = account(scene_.file());
    if (accounting.closing != Closing::kCloses) problem("the accounting does not close");
    const SignalAccounting& total = accounting.total;
    const std::uint64_t accepted = total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)];
    const std::uint64_t evicted = total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)];
    const std::uint64_t either = expected_.accepted_or_evicted;
    expect_between(accepted, expected_.accepted, expected_.accepted + either, "accepted");
    expect_between(evicted, expected_.evicted,
                   may_evict() ? expected_.evicted + expected_.in_flight + either : 0, "evicted");
    const std::uint64_t known = expected_.accepted + expected_.evicted + either;
    expect_between(accepted + evicted, known, known + (may_evict() ? expected_.in_flight : 0),
                   "accepted and evicted");
    expect_between(total.written, accepted + evicted, accepted + evicted, "written");
    expect_none(total.pending, "pending");
    const std::uint64_t refused = book_.all_refused();
    // The dead may have been counting a drop of which it had not heard yet.
    expect_between(total.dropped_total(), refused, refused + (somebody_died_ ? 1 : 0), "drops");
    check_damage();
  }

  void check_blocks() {
    for (std::uint32_t index = 0; index < scene_.file().geometry().block_count; ++index) {
      const StateWord state = StateWord::unpack(scene_.descriptor(index).state.load());
      if (state.state == BlockState::kFree) continue;
      problem("block " + std::to_string(index) + " is not free: state " +
              std::to_string(static_cast<unsigned>(state.state)) + ", pin " +
              std::to_string(static_cast<unsigned>(state.pin)) + ", slot " + std::to_string(state.writer) +
              " generation " + std::to_string(state.writer_generation));
    }
    for (const WriterSlot& slot : scene_.file().slots()) {
      const Liveness lives = liveness(slot, Ask::kWordAndProc);
      if (lives != Liveness::kVacant && lives != Liveness::kGone)
        problem("a slot seems to have a living holder");
    }
  }

  void write_into_every_block() {
    std::thread([this] {
      for (std::uint32_t n = 0; n < scene_.file().geometry().block_count; ++n) {
        if (!scene_.fill_a_block(Author::kAfter)) problem("another producer cannot write");
      }
    }).join();
  }

  struct Expected {
    std::uint64_t accepted = 0;
    std::uint64_t evicted = 0;
    std::uint64_t accepted_or_evicted = 0;  // its flusher died before it heard of the acknowledgement
    std::uint64_t in_flight = 0;            // its writer died before it heard of the commit
  };

  Scene& scene_;
  Book& book_;
  const bool somebody_died_;
  Expected expected_;
  std::string problems_;
};

}  // namespace

std::string judge(Scene& scene, bool somebody_died) { return Judge(scene, somebody_died).run(); }

}  // namespace shmring::testing
