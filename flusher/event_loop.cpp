// SPDX-License-Identifier: Apache-2.0
// One thread's waiting, on curl_multi_poll.

#include "flusher/event_loop.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace shmring::flusher {
namespace {

// Milliseconds to wait, rounded up: a deadline that is not reached yet must not become a busy loop.
int timeout_ms(TimePoint until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
}

}  // namespace

EventLoop::EventLoop(long kept_connections)
    : multi_((curl_global_init(CURL_GLOBAL_DEFAULT), curl_multi_init())) {
  if (multi_ == nullptr) throw std::bad_alloc();
  keep_connections(kept_connections);
  // One request at a time on a connection, with HTTP/2 as well. Sharing one would save a few sockets; but a server that stops
  // reading one signal's requests would use up the window that all of them share, and a lost connection would leave every
  // batch in doubt at once. A balancer also has more to distribute.
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

EventLoop::~EventLoop() {
  for (const auto& [transfer, done] : transfers_) curl_multi_remove_handle(multi_, transfer);
  curl_multi_cleanup(multi_);
  curl_global_cleanup();
}

void EventLoop::keep_connections(long most) { curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most); }

void EventLoop::after(Clock::duration delay, std::function<void()> action) {
  timers_.emplace(Clock::now() + delay, std::move(action));
}

void EventLoop::start(CURL* transfer, std::function<void(CURLcode)> done) {
  transfers_[transfer] = std::move(done);
  curl_multi_add_handle(multi_, transfer);
}

void EventLoop::stop(CURL* transfer) {
  if (transfers_.erase(transfer) > 0) curl_multi_remove_handle(multi_, transfer);
}

void EventLoop::watch(int fd, std::function<void()> ready, Readiness readiness) {
  watched_[fd] = {std::move(ready), readiness};
}
void EventLoop::unwatch(int fd) { watched_.erase(fd); }
void EventLoop::wake() { curl_multi_wakeup(multi_); }

void EventLoop::turn(TimePoint until) {
  int running = 0;
  curl_multi_perform(multi_, &running);
  if (finish_transfers()) until = {};  // that was it: whoever turns the loop may have waited for just this
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
  std::vector<curl_waitfd> fds;
  for (const auto& [fd, watched] : watched_) {
    const short events = watched.readiness == Readiness::kToRead ? CURL_WAIT_POLLIN : CURL_WAIT_POLLOUT;
    fds.push_back({fd, events, 0});
  }
  curl_multi_poll(multi_, fds.data(), static_cast<unsigned>(fds.size()), timeout_ms(until), nullptr);
  curl_multi_perform(multi_, &running);
  finish_transfers();
  for (const curl_waitfd& waited : fds) {
    if (waited.revents == 0) continue;
    const auto found = watched_.find(waited.fd);
    if (found == watched_.end()) continue;
    const std::function<void()> ready = found->second.ready;  // a copy: it may unwatch itself
    ready();
  }
  run_timers();
}

bool EventLoop::finish_transfers() {
  int left = 0;
  bool has_finished = false;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const transfer = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end()) continue;
    const std::function<void(CURLcode)> done = std::move(found->second);
    transfers_.erase(found);
    curl_multi_remove_handle(multi_, transfer);
    done(code);
    has_finished = true;
  }
  return has_finished;
}

void EventLoop::run_timers() {
  const TimePoint now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const std::function<void()> action = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    action();
  }
}

}  // namespace shmring::flusher
