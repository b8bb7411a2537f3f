// SPDX-License-Identifier: Apache-2.0
// A pipe: 200 bytes by write(2), which is atomic below PIPE_BUF.
#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "bench/harness/loop.hpp"
#include "bench/rivals/live_consumer.hpp"
#include "bench/rivals/rivals.hpp"

namespace shmring::bench {
namespace {

constexpr int kPipeBytes = 1 << 20;            // what a user without privileges may ask for
constexpr std::uint64_t kFittingBatch = 4096;  // 20 records to each of its 256 pages

enum class Consumer : std::uint8_t { kBetweenBatches, kLive };

template <Consumer kConsumer>
class Pipe {
 public:
  static Result<std::unique_ptr<Pipe>> create(Subjects& subjects) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error{ErrorCode::kSystem, "no pipe"};
    std::unique_ptr<Pipe> pipe(new Pipe(subjects.samples(), ends[0], ends[1]));
    if (::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes) < kPipeBytes)
      return Error{ErrorCode::kSystem, "no pipe of 1 MiB"};
    return pipe;
  }
  ~Pipe() {
    ::close(write_end_);  // ends the consumer
    consumer_.reset();
    ::close(read_end_);
  }

  struct Producer {
    Pipe& pipe;
    bool push(std::uint64_t i) {
      return ::write(pipe.write_end_, pipe.samples_.encoded(i).data(), kPayloadBytes) ==
             static_cast<ssize_t>(kPayloadBytes);
    }
  };
  Producer producer(int) { return {*this}; }

  std::uint64_t drain(std::uint64_t pushed) {
    if (consumer_) return consumer_->wait_for(pushed);
    std::uint64_t taken = 0;
    while (taken < pushed) taken += read_some();
    return taken;
  }

 private:
  Pipe(const SampleRecords& samples, int read_end, int write_end)
      : samples_(samples), read_end_(read_end), write_end_(write_end), buffer_(kPayloadBytes * 320) {
    if constexpr (kConsumer == Consumer::kLive) consumer_.emplace([this] { return read_some(); });
  }

  /// Whole records: a read can end inside of one.
  std::uint64_t read_some() {
    const ssize_t bytes = ::read(read_end_, buffer_.data(), buffer_.size());
    if (bytes <= 0) return 0;
    const std::uint64_t all = part_ + static_cast<std::uint64_t>(bytes);
    part_ = all % kPayloadBytes;
    return all / kPayloadBytes > 0 ? all / kPayloadBytes : read_some();
  }

  const SampleRecords& samples_;
  int read_end_;
  int write_end_;
  std::vector<std::byte> buffer_;
  std::uint64_t part_ = 0;  // bytes of a record whose rest is still to come
  std::optional<LiveConsumer> consumer_;
};

constexpr const char* kFate = "bytes in the kernel, up to 1 MiB; survive while somebody has the pipe open";

}  // namespace

void add_pipe(Rows& rows) {
  add_row<Pipe<Consumer::kBetweenBatches>>(rows, {.name = "pipe",
                                                  .label = "pipe, 200 bytes",
                                                  .record = kFate,
                                                  .producers = {1, 2},
                                                  .batch = kFittingBatch});
  add_row<Pipe<Consumer::kLive>>(rows, {.name = "pipe_live",
                                        .label = "pipe, 200 bytes, with its consumer at work",
                                        .record = kFate,
                                        .batch = kFittingBatch});
}

}  // namespace shmring::bench
