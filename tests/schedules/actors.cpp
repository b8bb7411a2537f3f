// SPDX-License-Identifier: Apache-2.0
// The baton. Not instrumented itself.
#include "tests/schedules/actors.hpp"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace shmring::testing {
namespace {

constexpr std::uint32_t kRunawayAccesses = 50'000;

enum class Order : std::uint8_t { kGoOn, kDie, kEnd };

struct Actor {
  pthread_t thread{};
  pid_t tid = 0;
  std::atomic<std::uint32_t> runs{0};  // 1: the actor's turn; 0: the director's. A futex word.
  Order order = Order::kGoOn;
  Standing standing = Standing::kFinished;
  bool works = false;
  std::uint32_t until = 0;
  std::vector<Touch> accesses;
  std::function<void()> prepare;
  std::function<void()> work;
};

struct Mapping {
  std::uintptr_t base = 0;
  std::size_t bytes = 0;
};

std::array<Actor, kActors> actors;
std::array<Mapping, 4> mappings;
std::size_t mapping_count = 0;
constinit thread_local Actor* self = nullptr;

void wait_until(std::atomic<std::uint32_t>& word, std::uint32_t wanted) {
  for (std::uint32_t seen = word.load(); seen != wanted; seen = word.load())
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}

void set_and_wake(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  word.store(value);
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

/// By the actor: the director's turn, until it is ours again.
void stand(Standing standing) {
  self->standing = standing;
  set_and_wake(self->runs, 0);
  wait_until(self->runs, 1);
  if (self->order == Order::kDie) ::syscall(SYS_exit, 0);
}

void* live(void* actor) {
  self = static_cast<Actor*>(actor);
  self->tid = static_cast<pid_t>(::syscall(SYS_gettid));
  self->prepare();
  stand(Standing::kBefore);
  self->works = true;
  self->work();
  self->works = false;
  stand(Standing::kFinished);
  return nullptr;
}

/// By the director: the actor's turn, until it is ours again.
Standing give_turn(Actor& actor) {
  set_and_wake(actor.runs, 1);
  wait_until(actor.runs, 0);
  return actor.standing;
}

/// A thread is gone for /proc only some time after it was joined.
void bury(Actor& actor) {
  ::pthread_join(actor.thread, nullptr);
  while (::syscall(SYS_tgkill, ::getpid(), actor.tid, 0) == 0) ::sched_yield();
}

void order_last(unsigned index, Order order) {
  Actor& actor = actors[index];
  actor.order = order;
  set_and_wake(actor.runs, 1);
  bury(actor);
}

}  // namespace

void watch_mapping(const void* base, std::size_t bytes) {
  if (mapping_count == mappings.size()) std::abort();
  mappings[mapping_count++] = {reinterpret_cast<std::uintptr_t>(base), bytes};
}

void forget_mappings() { mapping_count = 0; }

void start_actor(unsigned index, const std::function<void()>& prepare, const std::function<void()>& work) {
  Actor& actor = actors[index];
  actor.runs = 1;
  actor.order = Order::kGoOn;
  actor.works = false;
  actor.until = 0;
  actor.accesses.clear();
  actor.accesses.reserve(1024);
  actor.prepare = prepare;
  actor.work = work;
  if (const int error = ::pthread_create(&actor.thread, nullptr, &live, &actor); error != 0) {
    std::fprintf(stderr, "cannot make a thread: error %d\n", error);
    std::abort();
  }
  wait_until(actor.runs, 0);
}

Standing let_go_on(unsigned index, std::uint32_t until) {
  actors[index].until = until;
  return give_turn(actors[index]);
}

void let_die(unsigned index) { order_last(index, Order::kDie); }
void let_end(unsigned index) { order_last(index, Order::kEnd); }

const std::vector<Touch>& accesses_of(unsigned index) { return actors[index].accesses; }

void actor_learned_something() {
  if (self != nullptr && self->works && !self->accesses.empty()) self->accesses.back().learned = true;
}

void before_access(const void* address, std::size_t size, Does does) {
  if (self == nullptr || !self->works) return;
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (std::size_t n = 0; n < mapping_count; ++n) {
    if (at - mappings[n].base >= mappings[n].bytes) continue;
    while (self->accesses.size() >= self->until) stand(Standing::kBefore);
    while (self->accesses.size() >= kRunawayAccesses) stand(Standing::kRunaway);
    self->accesses.push_back({.offset = static_cast<std::uint32_t>(at - mappings[n].base),
                              .size = static_cast<std::uint32_t>(size),
                              .does = does});
    return;
  }
}

bool is_actor() { return self != nullptr; }

}  // namespace shmring::testing
