// SPDX-License-Identifier: Apache-2.0
// One schedule after the other on one ring.
#include "tests/schedules/scene.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "libshmring/accounting.hpp"
#include "libshmring/robust_mutex.hpp"
#include "tests/schedules/actors.hpp"

namespace shmring::testing {
namespace {

unsigned lowest_free_fd() {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up("cannot open /dev/null");
  ::close(fd);
  return static_cast<unsigned>(fd);
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) noexcept { return mixed(hash ^ value) + hash; }

std::uint64_t mix_bytes(std::uint64_t hash, const void* bytes, std::size_t size) noexcept {
  const auto* at = static_cast<const std::byte*>(bytes);
  for (; size >= sizeof(std::uint64_t); at += sizeof(std::uint64_t), size -= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    hash = mix(hash, word);
  }
  for (; size != 0; ++at, --size) hash = mix(hash, static_cast<std::uint64_t>(*at));
  return hash;
}

}  // namespace

void Role::registers() const {
  if (!scene_.ring().prepare_thread()) give_up("an actor gets no slot");
}
bool Role::emits(std::size_t bytes) const {
  return scene_.book().emit(scene_.ring(), static_cast<Author>(actor_), bytes);
}
void Role::abandons(std::size_t bytes) const {
  scene_.book().abandon(scene_.ring(), static_cast<Author>(actor_), bytes);
}
bool Role::fills_a_block() const { return scene_.fill_a_block(static_cast<Author>(actor_)); }
BookedFlusher& Role::flusher() const {
  auto& flusher = scene_.flusher(actor_);
  if (!flusher) flusher.emplace(scene_.file(), scene_.book());
  return *flusher;
}

void Role::looks_at_the_accounts() const {
  const std::uint64_t least = scene_.book().all_obliged();
  const Accounting accounting = account(scene_.file());
  const std::uint64_t most = scene_.book().all_issued() - scene_.book().all_refused();
  const std::uint64_t written = accounting.total.written;
  if (accounting.closing == Closing::kOpen)
    scene_.complain("the accounting does not close while others work");
  if (accounting.closing == Closing::kCloses && (written < least || written > most)) {
    scene_.complain("the accounting says " + std::to_string(written) + " written, not " +
                    std::to_string(least) + " to " + std::to_string(most));
  }
  actor_learned_something();
}

Scene::Scene(const Scenario& scenario)
    : scenario_(scenario), scratch_(scenario.shape), file_(scratch_.attach()), ring_(scratch_.open()) {
  static_cast<void>(payload_text());
  watch_mapping(file_.base(), file_.geometry().file_bytes);
  watch_mapping(ring_.core()->file().base(), file_.geometry().file_bytes);
  scenario.arrange(*this);
  clear_away(false);
  image_.assign(file_.base(), file_.base() + file_.geometry().file_bytes);
  book_then_ = book_;
  first_free_fd_ = lowest_free_fd();
}

Scene::~Scene() { forget_mappings(); }

bool Scene::fill_a_block(Author author) {
  const std::size_t block = file_.geometry().block_bytes;
  const std::size_t context = record_bytes(ring_.core()->resource().encoded.size() + kProcessResourceMax);
  const std::size_t alone = (block - context - sizeof(RecordHeader)) / kRecordAlignment * kRecordAlignment;
  if (!book_.emit(ring_, author, alone)) return false;
  const OpenBlock& open = this_thread_writers->levels[0].open[static_cast<std::size_t>(Signal::kLogs)];
  const std::size_t left = block - open.committed.offset_bytes();
  return left < sizeof(RecordHeader) + kSmallestPayload ||
         book_.emit(ring_, author, left - sizeof(RecordHeader));
}

void Scene::somebody(const std::function<bool()>& emits) {
  std::thread([&] {
    if (!emits()) give_up("a scene cannot be arranged: a record is refused");
  }).join();
}

void Scene::dead_writer(std::uint32_t blocks, std::uint32_t records) {
  somebody([&] {
    bool emitted = true;
    for (std::uint32_t n = 0; n < blocks; ++n) emitted = emitted && fill_a_block(Author::kBefore);
    for (std::uint32_t n = 0; n < records; ++n)
      emitted = emitted && book_.emit(ring_, Author::kBefore, kSmall);
    return emitted;
  });
}

void Scene::dead_writer_of_runs(std::uint32_t runs) {
  somebody([&] {
    bool emitted = true;
    for (std::uint32_t n = 0; n < runs; ++n)
      emitted = emitted && book_.emit(ring_, Author::kBefore, kRunOfTwo);
    return emitted;
  });
}

bool Scene::may_see_a_death(const Touch& access) const noexcept {
  return access.offset < file_.geometry().descriptors_offset &&
         access.offset + access.size > file_.geometry().slots_offset;
}

std::string Scene::place_of(const Touch& access) const {
  const Geometry& geometry = file_.geometry();
  const auto within = [&](std::uint64_t begin, std::uint64_t each, const char* what) {
    const std::uint64_t at = access.offset - begin;
    return std::string(what) + " " + std::to_string(at / each) + " +" + std::to_string(at % each) + " (" +
           std::to_string(access.size) + " bytes)";
  };
  if (access.offset >= geometry.blocks_offset)
    return within(geometry.blocks_offset, geometry.block_bytes, "block");
  if (access.offset >= geometry.descriptors_offset)
    return within(geometry.descriptors_offset, sizeof(BlockDescriptor), "descriptor");
  if (access.offset >= geometry.slots_offset)
    return within(geometry.slots_offset, sizeof(WriterSlot), "slot");
  return within(0, kHeaderBytes, "header");
}

void Scene::restore() {
  std::memcpy(file_.base(), image_.data(), image_.size());
  book_ = book_then_;
  complaints_.clear();
}

void Scene::start() {
  for (unsigned actor = 0; actor < kActors; ++actor) {
    const Part& part = actor == 0 ? scenario_.a : scenario_.b;
    const Role role(*this, actor);
    start_actor(
        actor, [&part, role] { part.prepare(role); }, [&part, role] { part.work(role); });
  }
}

void Scene::take_turns(const Schedule& schedule, Played& played) {
  std::array<bool, kActors> finished{};
  std::array<bool, kActors> dead{};
  const auto take = [&](const Turn& turn) {
    const auto first = static_cast<std::uint32_t>(accesses_of(turn.actor).size());
    const Standing standing = let_go_on(turn.actor, turn.until);
    finished[turn.actor] = standing != Standing::kBefore;
    if (standing == Standing::kRunaway) played.problems += "an actor comes to no end\n";
    if ((standing == Standing::kBefore) != (turn.until != kToItsEnd))
      played.problems += "a turn ended where none was to: the scenario is not the same each time\n";
    played.turns.push_back({turn.actor, first, static_cast<std::uint32_t>(accesses_of(turn.actor).size())});
    if (!turn.dies) return;
    let_die(turn.actor);
    finished[turn.actor] = dead[turn.actor] = true;
  };
  for (const Turn& turn : schedule) {
    if (finished[turn.actor]) give_up("the schedule gives a turn to somebody who has finished");
    take(turn);
  }
  // What is left: the one who did not have the last turn comes first.
  const unsigned last = schedule.empty() ? 1 : schedule.back().actor;
  for (const unsigned actor : {1 - last, last}) {
    if (!finished[actor]) take({.actor = actor});
  }
  for (unsigned actor = 0; actor < kActors; ++actor) {
    if (!dead[actor]) let_end(actor);
    played.accesses[actor] = accesses_of(actor);
  }
}

/// What is left behind, but for what is never the same: times, thread ids, and what only the C library reads in a mutex. A judge
/// comes to the same verdict on two rings (and books) that are alike in this.
std::uint64_t Scene::fingerprint() const {
  std::vector<std::byte> left(file_.base(), file_.base() + file_.geometry().file_bytes);
  const auto forget = [&](const auto& field) {
    std::memset(left.data() + (reinterpret_cast<const std::byte*>(&field) - file_.base()), 0, sizeof(field));
  };
  const RingHeader& header = file_.header();
  forget(header.flusher_started_ns);
  forget(header.heartbeat_ns);
  for (const BlockDescriptor& d : file_.descriptors()) forget(d.opened_ns);
  std::uint64_t hash = 0;
  for (const WriterSlot& slot : file_.slots()) {
    const ClaimWord claim = ClaimWord::unpack(slot.claim.load());
    hash = mix(hash, static_cast<std::uint64_t>(claim.phase) << 32U | claim.generation);
    hash = mix(hash, word_says_gone(futex_word(slot)) ? 1 : 0);
    forget(slot.mutex);
    forget(slot.claim);
    forget(slot.registered_ns);
    forget(slot.tid);
    forget(slot.first_drop_unix_ns);
    forget(slot.last_drop_unix_ns);
  }
  return mix_bytes(mix_bytes(hash, left.data(), left.size()), &book_, sizeof(book_));
}

/// A thread that died has closed nothing; a process would have.
void Scene::clear_away(bool somebody_died) {
  for (auto& flusher : flushers_) flusher.reset();
  if (somebody_died) ::syscall(SYS_close_range, first_free_fd_, ~0U, 0U);
}

Played Scene::play(const Schedule& schedule) {
  Played played;
  restore();
  start();
  take_turns(schedule, played);
  const bool somebody_died = has_death(schedule);
  clear_away(somebody_died);
  played.outcome = mix(fingerprint(), somebody_died ? 1 : 0);
  played.problems += complaints_;
  if (found_good_.contains(played.outcome)) return played;
  const std::string verdict = judge(*this, somebody_died);
  if (verdict.empty()) found_good_.insert(played.outcome);
  played.problems += verdict;
  return played;
}

}  // namespace shmring::testing
