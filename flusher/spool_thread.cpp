// SPDX-License-Identifier: Apache-2.0
// The thread that works on the spool's file.

#include "flusher/spool_thread.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace shmring::flusher {
namespace {

// So often a page may fail to be read, about once a second, before the file counts as damaged. A rescue of one that can be read
// after all loses nothing.
constexpr unsigned kMostUnreadable = 60;

}  // namespace

SpoolThread::SpoolThread(std::unique_ptr<spool::SpoolFile> file, EventLoop& loop, Rescued on_rescued)
    : file_(std::move(file)),
      loop_(loop),
      on_rescued_(std::move(on_rescued)),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { run(); }) {
  loop_.watch(event_, [this] { answer(); });
}

SpoolThread::~SpoolThread() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  posted_some_.notify_one();
  thread_.join();
  loop_.unwatch(event_);
  close(event_);
}

void SpoolThread::post(Work work, Done done) {
  ++posted_;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(work), std::move(done)});
  }
  posted_some_.notify_one();
}

void SpoolThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    posted_some_.wait(lock, [this] { return is_ending_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::vector<Job> jobs = std::exchange(jobs_, {});
    lock.unlock();
    do_all(jobs);
    lock.lock();
    for (Job& job : jobs) finished_.push_back(std::move(job));
    constexpr std::uint64_t kOne = 1;
    static_cast<void>(!write(event_, &kOne, sizeof kOne));  // full: the loop is about to look anyway
  }
}

/// One transaction. One that fails as a whole (a full disk, a failed fsync) fails for all.
void SpoolThread::do_all(std::vector<Job>& jobs) {
  Result<void> whole = file_->begin();
  if (file_->take_written_anew()) tell({});
  for (Job& job : jobs) {
    if (!whole) break;
    whole = do_one(job);
  }
  if (whole) whole = file_->commit();
  if (whole) return;
  file_->roll_back();
  for (Job& job : jobs) job.result = whole;
  if (whole.error().code == ErrorCode::kNoSpace) file_->empty_log();
  if (whole.error().code != ErrorCode::kDamaged) return;
  if (file_->rescue()) tell(*file_->rescued());  // else it is tried again when the damage shows again
}

void SpoolThread::tell(const spool::Rescue& rescue) {
  const std::lock_guard lock(mutex_);
  rescues_.push_back(rescue);
}

/// An error of the transaction: the job's own is undone alone, unless SQLite has given up everything with it, as it does after EIO
/// and on a full disk.
Result<void> SpoolThread::do_one(Job& job) {
  if (auto begun = file_->begin_part(); !begun) return begun;
  job.result = job.work(*file_);
  if (job.result) return {};
  if (file_->is_page_unreadable() && ++unreadable_ >= kMostUnreadable) {
    unreadable_ = 0;
    return Error{ErrorCode::kDamaged, job.result.error().message};
  }
  if (job.result.error().code == ErrorCode::kDamaged || !file_->undo_part()) return job.result;
  return {};
}

void SpoolThread::answer() {
  std::uint64_t ignored = 0;
  static_cast<void>(!read(event_, &ignored, sizeof ignored));
  std::vector<Job> finished;
  std::vector<spool::Rescue> rescues;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
    rescues.swap(rescues_);
  }
  for (const spool::Rescue& rescue : rescues) on_rescued_(rescue);
  for (const Job& job : finished) {
    ++answered_;
    job.done(job.result);
  }
}

}  // namespace shmring::flusher
