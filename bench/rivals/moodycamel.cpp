// SPDX-License-Identifier: Apache-2.0
// moodycamel::ConcurrentQueue: the fastest queue inside of one process. 200 bytes are copied in; whoever dies takes all with him.
#include <concurrentqueue/concurrentqueue.h>

#include <array>
#include <cstring>

#include "bench/harness/loop.hpp"
#include "bench/rivals/rivals.hpp"

namespace shmring::bench {
namespace {

using Item = std::array<std::byte, kPayloadBytes>;

class Moodycamel {
 public:
  static Result<std::unique_ptr<Moodycamel>> create(Subjects& subjects) {
    return std::unique_ptr<Moodycamel>(new Moodycamel(subjects.samples()));
  }

  class Producer {
   public:
    explicit Producer(Moodycamel& owner) : owner_(owner), token_(owner.queue_) {}
    bool push(std::uint64_t i) {
      Item item;
      std::memcpy(item.data(), owner_.samples_.encoded(i).data(), item.size());
      return owner_.queue_.enqueue(token_, item);
    }

   private:
    Moodycamel& owner_;
    moodycamel::ProducerToken token_;
  };
  Producer producer(int) { return Producer(*this); }

  std::uint64_t drain(std::uint64_t) {
    std::uint64_t taken = 0;
    std::array<Item, 64> items;
    while (const std::size_t some = queue_.try_dequeue_bulk(items.begin(), items.size())) taken += some;
    return taken;
  }

 private:
  explicit Moodycamel(const SampleRecords& samples) : samples_(samples), queue_(2 * kBatch) {}
  const SampleRecords& samples_;
  moodycamel::ConcurrentQueue<Item> queue_;
};

}  // namespace

void add_moodycamel(Rows& rows) {
  add_row<Moodycamel>(rows, {.name = "moodycamel",
                             .label = "moodycamel ConcurrentQueue, 200 bytes",
                             .record = "bytes in the process, not encoded; all lost with it",
                             .producers = {1, 2, 4, 8}});
}

}  // namespace shmring::bench
