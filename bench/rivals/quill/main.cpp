// SPDX-License-Identifier: Apache-2.0
// shmring-bench-quill: Quill's rows, in a program of their own, since its backend thread never rests. The producer copies the
// arguments into a queue of its thread and stamps by TSC; the backend thread formats, to a sink that does nothing.
#include <quill/Backend.h>
#include <quill/Frontend.h>
#include <quill/LogMacros.h>
#include <quill/Logger.h>
#include <quill/sinks/NullSink.h>

#include <cstring>

#include "bench/harness/loop.hpp"
#include "bench/harness/program.hpp"

namespace shmring::bench {
namespace {

std::uint64_t half(const std::uint8_t* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

class Quill {
 public:
  static Result<std::unique_ptr<Quill>> create(Subjects& subjects) {
    quill::Backend::start();
    auto sink = quill::Frontend::create_or_get_sink<quill::NullSink>("nothing");
    return std::unique_ptr<Quill>(
        new Quill(subjects.samples(), quill::Frontend::create_or_get_logger("shop.orders", std::move(sink))));
  }
  ~Quill() { quill::Backend::stop(); }

  struct Producer {
    Quill& owner;
    bool push(std::uint64_t i) {
      const Request& r = owner.samples_.request(i);
      LOG_INFO(owner.logger_,
               "{} order.id={} customer.name={} http.route={} trace_id={:016x}{:016x} span_id={:016x}",
               r.body, r.order, r.customer, r.route, half(r.trace.trace_id.bytes.data()),
               half(r.trace.trace_id.bytes.data() + 8), half(r.trace.span_id.bytes.data()));
      return true;
    }
  };
  Producer producer(int) {
    quill::Frontend::preallocate();
    return {*this};
  }

  /// The default queue grows instead of dropping, and this returns when the backend has done all that was pushed before.
  std::uint64_t drain(std::uint64_t pushed) {
    logger_->flush_log();
    return pushed;
  }

 private:
  Quill(const SampleRecords& samples, quill::Logger* logger) : samples_(samples), logger_(logger) {}
  const SampleRecords& samples_;
  quill::Logger* logger_;
};

void add_rows(Rows& rows) {
  add_row<Quill>(rows, {.name = "quill",
                        .label = "Quill, body and attributes, its thread at work",
                        .record = "arguments in the process, not encoded; all in the queue lost with it",
                        .producers = {1, 2, 4, 8},
                        .batch = 8192});
}

}  // namespace
}  // namespace shmring::bench

int main(int argc, char** argv) {
  shmring::bench::Rows rows;
  shmring::bench::add_rows(rows);
  return shmring::bench::run_program(rows, argc, argv);
}
