// SPDX-License-Identifier: Apache-2.0
// boost::interprocess::message_queue: shared memory behind one mutex. It is not robust: who dies inside stops everybody.
#include <unistd.h>

#include <boost/interprocess/ipc/message_queue.hpp>
#include <optional>

#include "bench/harness/loop.hpp"
#include "bench/rivals/live_consumer.hpp"
#include "bench/rivals/rivals.hpp"

namespace shmring::bench {
namespace {

namespace interprocess = boost::interprocess;
constexpr const char* kFate = "bytes in shared memory; a death inside of the mutex stops everybody";

enum class Consumer : std::uint8_t { kBetweenBatches, kLive };

template <Consumer kConsumer>
class MessageQueue {
 public:
  static Result<std::unique_ptr<MessageQueue>> create(Subjects& subjects) {
    try {
      return std::unique_ptr<MessageQueue>(new MessageQueue(subjects.samples()));
    } catch (const interprocess::interprocess_exception& error) {
      return Error{ErrorCode::kSystem, error.what()};
    }
  }
  ~MessageQueue() {
    if (consumer_) queue_.send(nullptr, 0, 0);  // an empty one ends the consumer
  }

  struct Producer {
    MessageQueue& owner;
    bool push(std::uint64_t i) {
      owner.queue_.send(owner.samples_.encoded(i).data(), kPayloadBytes, 0);
      return true;
    }
  };
  Producer producer(int) { return {*this}; }

  std::uint64_t drain(std::uint64_t pushed) {
    if (consumer_) return consumer_->wait_for(pushed);
    std::uint64_t taken = 0;
    std::array<std::byte, kPayloadBytes> buffer;
    std::size_t size = 0;
    unsigned priority = 0;
    while (queue_.try_receive(buffer.data(), buffer.size(), size, priority))
      taken += size == kPayloadBytes ? 1 : 0;
    return taken;
  }

 private:
  explicit MessageQueue(const SampleRecords& samples)
      : samples_(samples), queue_(interprocess::create_only, name().c_str(), kBatch, kPayloadBytes) {
    interprocess::message_queue::remove(name().c_str());  // it stays mapped, and nothing is left behind
    if constexpr (kConsumer == Consumer::kLive) consumer_.emplace([this] { return receive_one(); });
  }

  static std::string name() {
    return std::string("shmring-bench-") + (kConsumer == Consumer::kLive ? "live-" : "") +
           std::to_string(::getpid());
  }

  std::uint64_t receive_one() {
    std::array<std::byte, kPayloadBytes> buffer;
    std::size_t size = 0;
    unsigned priority = 0;
    queue_.receive(buffer.data(), buffer.size(), size, priority);
    return size == kPayloadBytes ? 1 : 0;
  }

  const SampleRecords& samples_;
  interprocess::message_queue queue_;
  std::optional<LiveConsumer> consumer_;
};

}  // namespace

void add_message_queue(Rows& rows) {
  add_row<MessageQueue<Consumer::kBetweenBatches>>(
      rows,
      {.name = "boost_mq", .label = "Boost message_queue, 200 bytes", .record = kFate, .producers = {1, 2}});
  add_row<MessageQueue<Consumer::kLive>>(
      rows, {.name = "boost_mq_live",
             .label = "Boost message_queue, 200 bytes, with its consumer at work",
             .record = kFate,
             .batch = 16'384});
}

}  // namespace shmring::bench
