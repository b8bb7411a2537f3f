// SPDX-License-Identifier: Apache-2.0
// spdlog's asynchronous logger with its default queue: the producer formats the body as text, a worker thread takes it to a
// sink that only counts. A full queue makes the producer wait, which is spdlog's default as well.
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include "bench/harness/loop.hpp"
#include "bench/rivals/rivals.hpp"

namespace shmring::bench {
namespace {

class CountingSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_acquire); }

 private:
  void sink_it_(const spdlog::details::log_msg&) override { count_.fetch_add(1, std::memory_order_release); }
  void flush_() override {}
  std::atomic<std::uint64_t> count_ = 0;
};

std::uint64_t half(const std::uint8_t* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

class SpdlogAsync {
 public:
  static Result<std::unique_ptr<SpdlogAsync>> create(Subjects& subjects) {
    try {
      return std::unique_ptr<SpdlogAsync>(new SpdlogAsync(subjects.samples()));
    } catch (const spdlog::spdlog_ex& error) {
      return Error{ErrorCode::kSystem, error.what()};
    }
  }

  struct Producer {
    SpdlogAsync& owner;
    bool push(std::uint64_t i) {
      const Request& r = owner.samples_.request(i);
      owner.logger_->info(
          "{} order.id={} customer.name={} http.route={} trace_id={:016x}{:016x} span_id={:016x}", r.body,
          r.order, r.customer, r.route, half(r.trace.trace_id.bytes.data()),
          half(r.trace.trace_id.bytes.data() + 8), half(r.trace.span_id.bytes.data()));
      return true;
    }
  };
  Producer producer(int) { return {*this}; }

  std::uint64_t drain(std::uint64_t pushed) {
    expected_ += pushed;
    while (sink_->count() < expected_) std::this_thread::yield();
    return pushed;
  }

 private:
  explicit SpdlogAsync(const SampleRecords& samples)
      : samples_(samples),
        pool_(std::make_shared<spdlog::details::thread_pool>(spdlog::details::default_async_q_size, 1)),
        sink_(std::make_shared<CountingSink>()),
        logger_(std::make_shared<spdlog::async_logger>("shop.orders", sink_, pool_)) {}

  const SampleRecords& samples_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<CountingSink> sink_;
  std::shared_ptr<spdlog::async_logger> logger_;
  std::uint64_t expected_ = 0;
};

}  // namespace

void add_spdlog(Rows& rows) {
  add_row<SpdlogAsync>(rows, {.name = "spdlog_async",
                              .label = "spdlog async, a sink that does nothing",
                              .record = "text in the process; up to 8192 records lost with it",
                              .producers = {1, 2, 4, 8},
                              .batch = 16'384});
}

}  // namespace shmring::bench
