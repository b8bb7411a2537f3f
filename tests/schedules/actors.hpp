// SPDX-License-Identifier: Apache-2.0
// Two threads of which one runs at a time, and which stand still before any access to the ring where they are told to.
//
// Each is a real thread: when it dies the kernel marks its robust mutex. It dies by the exit system call of that thread alone,
// in the middle of whatever it does: nothing of it runs any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "tests/schedules/schedule.hpp"

namespace shmring::testing {

enum class Standing : std::uint8_t {
  kBefore,    // an access that it was told to stop before
  kFinished,  // its work is done
  kRunaway,   // more accesses than any work of ours needs
};

/// Accesses to [base, base + bytes) are watched from now on. At most four mappings, all of the same file.
void watch_mapping(const void* base, std::size_t bytes);
void forget_mappings();

/// Starts an actor: it prepares, unwatched, and then stands before its work. Returns when it does.
void start_actor(unsigned actor, const std::function<void()>& prepare, const std::function<void()>& work);

/// Lets it work until its access `until` is the next.
Standing let_go_on(unsigned actor, std::uint32_t until);

/// Where it stands, it dies. Returns when the kernel no longer knows it.
void let_die(unsigned actor);

/// An actor that has finished ends as threads do.
void let_end(unsigned actor);

/// Of its work, in order. Valid until the actor is started again.
const std::vector<Touch>& accesses_of(unsigned actor);

/// By an actor: it knows now what it did not know before, so that dying here is not what dying one access earlier is.
void actor_learned_something();

/// By the hooks: the calling thread is about to do this.
void before_access(const void* address, std::size_t size, Does does);
/// Whether the calling thread is an actor.
bool is_actor();

}  // namespace shmring::testing
