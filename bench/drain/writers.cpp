// SPDX-License-Identifier: Apache-2.0
// Threads that wait for their turn, and children that do not.
#include "bench/drain/writers.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace shmring::bench {

LiveWriters::LiveWriters(std::size_t count, Share share) {
  for (std::size_t i = 0; i < count; ++i) {
    Writer& writer = *writers_.emplace_back(std::make_unique<Writer>());
    writer.thread = std::thread([&writer, share, i] {
      for (;;) {
        writer.begin.acquire();
        if (writer.is_told_to_end) return;
        writer.is_fine = share(i) && writer.is_fine;
        writer.done.release();
      }
    });
  }
}

LiveWriters::~LiveWriters() {
  for (const auto& writer : writers_) {
    writer->is_told_to_end = true;
    writer->begin.release();
    writer->thread.join();
  }
}

bool LiveWriters::round() {
  bool is_fine = true;
  for (const auto& writer : writers_) {
    writer->begin.release();
    writer->done.acquire();
    is_fine = is_fine && writer->is_fine;
  }
  return is_fine;
}

bool round_of_children(std::size_t count, const Share& share) {
  bool is_fine = true;
  for (std::size_t i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(share(i) ? 0 : 1);
    int status = 0;
    is_fine = is_fine && pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
  }
  return is_fine;
}

}  // namespace shmring::bench
