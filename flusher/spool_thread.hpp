// SPDX-License-Identifier: Apache-2.0
// The thread that works on the spool's file, so that no disk holds up the event loop. What was asked for while it was busy
// goes into one transaction: one fsync for all of it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "flusher/event_loop.hpp"
#include "spool/spool_file.hpp"

namespace shmring::flusher {

class SpoolThread {
 public:
  using Work = std::function<Result<void>(spool::SpoolFile&)>;
  /// With an error nothing of the work is in the file.
  using Done = std::function<void(const Result<void>&)>;
  using Rescued = std::function<void(const spool::Rescue&)>;

  /// `on_rescued` and every Done are called on the loop's thread; none of them after this object's end.
  SpoolThread(std::unique_ptr<spool::SpoolFile> file, EventLoop& loop, Rescued on_rescued);
  SpoolThread(const SpoolThread&) = delete;
  SpoolThread& operator=(const SpoolThread&) = delete;
  /// Does what was posted, then ends.
  ~SpoolThread();

  void post(Work work, Done done);
  bool is_busy() const noexcept { return posted_ != answered_; }

 private:
  struct Job {
    Work work;
    Done done;
    Result<void> result = {};
  };

  void run();
  void do_all(std::vector<Job>& jobs);
  Result<void> do_one(Job& job);
  void tell(const spool::Rescue& rescue);
  void answer();

  std::unique_ptr<spool::SpoolFile> file_;
  EventLoop& loop_;
  Rescued on_rescued_;
  int event_;
  std::uint64_t posted_ = 0;    // loop's thread
  std::uint64_t answered_ = 0;  // loop's thread
  std::mutex mutex_;
  std::condition_variable posted_some_;
  std::vector<Job> jobs_;
  std::vector<Job> finished_;
  std::vector<spool::Rescue> rescues_;
  bool is_ending_ = false;
  unsigned unreadable_ = 0;  // pages, since the last rescue; the thread's own
  std::thread thread_;
};

}  // namespace shmring::flusher
