// SPDX-License-Identifier: Apache-2.0
// shmring-bench-lttng: LTTng-UST's rows, in a program of their own, since LTTng looks for its daemon before main(). Started
// plainly it starts daemon and recording, and then itself again below them.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bench/harness/loop.hpp"
#include "bench/harness/program.hpp"
#include "bench/rivals/lttng/session.hpp"
#include "bench/rivals/lttng/shop_tracepoints.h"

namespace shmring::bench {
namespace {

constexpr const char* kRecordingHere = "SHMRING_BENCH_LTTNG_HOME";

/// A tracepoint that nobody records costs nothing, and is no measurement.
struct RecordTracepoint {
  static bool push(const SampleRecords& samples, std::uint64_t i) {
    const Request& r = samples.request(i);
    if (!lttng_ust_tracepoint_enabled(shop, record)) return false;
    lttng_ust_do_tracepoint(shop, record, r.body.c_str(), r.order, r.customer.c_str(), r.route.c_str(),
                            r.trace.trace_id.bytes.data(), r.trace.span_id.bytes.data(), 9);
    return true;
  }
};
struct BytesTracepoint {
  static bool push(const SampleRecords& samples, std::uint64_t i) {
    if (!lttng_ust_tracepoint_enabled(shop, bytes)) return false;
    lttng_ust_do_tracepoint(shop, bytes, reinterpret_cast<const std::uint8_t*>(samples.encoded(i).data()));
    return true;
  }
};

template <typename Tracepoint>
class Lttng {
 public:
  static Result<std::unique_ptr<Lttng>> create(Subjects& subjects) {
    return std::unique_ptr<Lttng>(new Lttng(subjects.samples()));
  }
  struct Producer {
    const SampleRecords& samples;
    [[gnu::always_inline]] bool push(std::uint64_t i) { return Tracepoint::push(samples, i); }
  };
  Producer producer(int) { return {samples_}; }

  /// The consumer daemon takes them out. What it could not take is counted when the recording ends.
  std::uint64_t drain(std::uint64_t pushed) {
    wait_for_idle_consumer(recording_in(std::getenv(kRecordingHere)));
    return pushed;
  }

 private:
  explicit Lttng(const SampleRecords& samples) : samples_(samples) {}
  const SampleRecords& samples_;
};

void add_rows(Rows& rows) {
  constexpr const char* kFate =
      "LTTng's own format in shared memory, recorded by its daemon; survives its process";
  add_row<Lttng<RecordTracepoint>>(rows, {.name = "lttng_ust",
                                          .label = "LTTng-UST, seven fields, recording",
                                          .record = kFate,
                                          .producers = {1, 2, 4, 8}});
  add_row<Lttng<BytesTracepoint>>(
      rows,
      {.name = "lttng_ust_bytes", .label = "LTTng-UST, an array of 200 bytes, recording", .record = kFate});
}

int complain(const std::string& message) {
  std::fprintf(stderr, "shmring-bench-lttng: %s\n", message.c_str());
  return 1;
}

/// This program again, with a daemon to find. Exit code 77: there can be none here.
int run_below_daemon(char** argv) {
  auto session = LttngSession::start();
  if (!session) return complain(session.error().message), 77;
  ::setenv(kRecordingHere, std::getenv("LTTNG_HOME"), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv("/proc/self/exe", argv);
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return complain("no child");
  const auto discarded = (*session)->stop();
  if (!discarded) return complain(discarded.error().message);
  if (*discarded != 0) return complain("LTTng discarded " + std::to_string(*discarded) + " events");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace shmring::bench

int main(int argc, char** argv) {
  if (std::getenv(shmring::bench::kRecordingHere) == nullptr) return shmring::bench::run_below_daemon(argv);
  shmring::bench::Rows rows;
  shmring::bench::add_rows(rows);
  return shmring::bench::run_program(rows, argc, argv);
}
