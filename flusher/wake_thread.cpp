// SPDX-License-Identifier: Apache-2.0
// Sleeps on the ring's wake word.

#include "flusher/wake_thread.hpp"

#include <utility>

namespace shmring::flusher {
namespace {

constexpr std::uint32_t kLookUpMs = 100;  // how soon the thread sees that it shall end

}  // namespace

WakeThread::WakeThread(Reader& reader, std::function<void()> on_wake)
    : reader_(reader), on_wake_(std::move(on_wake)), thread_([this] { run(); }) {}

WakeThread::~WakeThread() {
  is_ending_.store(true, std::memory_order_release);
  answered_.release();
  thread_.join();
}

void WakeThread::rearm() {
  if (asked_.exchange(false, std::memory_order_acq_rel)) answered_.release();
}

void WakeThread::run() {
  while (!is_ending_.load(std::memory_order_acquire)) {
    if (!reader_.wait_for_wake(kLookUpMs)) continue;
    asked_.store(true, std::memory_order_release);
    on_wake_();
    answered_.acquire();  // the word stays set until the main thread clears it: no sense in looking again
  }
}

}  // namespace shmring::flusher
