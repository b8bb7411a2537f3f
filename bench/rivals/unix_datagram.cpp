// SPDX-License-Identifier: Apache-2.0
// A pair of Unix datagram sockets, as syslog's and journald's are: a record is a datagram of 200 bytes, and a consumer takes
// them one by one. The kernel queues few of them, so that it has to work all the time.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "bench/harness/loop.hpp"
#include "bench/rivals/live_consumer.hpp"
#include "bench/rivals/rivals.hpp"

namespace shmring::bench {
namespace {

class UnixDatagram {
 public:
  static Result<std::unique_ptr<UnixDatagram>> create(Subjects& subjects) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return Error{ErrorCode::kSystem, "no pair of Unix datagram sockets"};
    return std::unique_ptr<UnixDatagram>(new UnixDatagram(subjects.samples(), ends[0], ends[1]));
  }
  ~UnixDatagram() {
    ::send(write_end_, nullptr, 0, 0);  // an empty one ends the consumer
    consumer_.reset();
    ::close(write_end_);
    ::close(read_end_);
  }

  struct Producer {
    UnixDatagram& owner;
    bool push(std::uint64_t i) {
      return ::send(owner.write_end_, owner.samples_.encoded(i).data(), kPayloadBytes, 0) ==
             static_cast<ssize_t>(kPayloadBytes);
    }
  };
  Producer producer(int) { return {*this}; }

  std::uint64_t drain(std::uint64_t pushed) { return consumer_->wait_for(pushed); }

 private:
  UnixDatagram(const SampleRecords& samples, int read_end, int write_end)
      : samples_(samples), read_end_(read_end), write_end_(write_end) {
    consumer_.emplace([this]() -> std::uint64_t {
      std::array<std::byte, kPayloadBytes> buffer;
      return ::recv(read_end_, buffer.data(), buffer.size(), 0) == static_cast<ssize_t>(kPayloadBytes) ? 1
                                                                                                       : 0;
    });
  }

  const SampleRecords& samples_;
  int read_end_;
  int write_end_;
  std::optional<LiveConsumer> consumer_;
};

}  // namespace

void add_unix_datagram(Rows& rows) {
  add_row<UnixDatagram>(
      rows,
      {.name = "unix_datagram",
       .label = "Unix datagram, 200 bytes, with its consumer at work",
       .record = "bytes in the kernel, some hundred records; survive while somebody has the socket open",
       .producers = {1, 2},
       .batch = 4096});
}

}  // namespace shmring::bench
