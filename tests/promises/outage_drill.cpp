// SPDX-License-Identifier: Apache-2.0
// The long outage, for scripts/outage_drill.sh: the backend is away for minutes, records come at a steady rate, the flusher is
// killed meanwhile; afterwards everything must arrive and the books must close. Prints what it measured.
#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "spool/joint_accounting.hpp"
#include "tests/support/collector.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Orders {
  unsigned seconds = 600;
  unsigned rate = 20'000;
  unsigned kills = 5;
};

/// How often each record arrived.
class Arrivals {
 public:
  explicit Arrivals(std::size_t most) : times_(new std::atomic<std::uint8_t>[most]()), most_(most) {}

  void take(const std::string& body) {
    std::call_once(first_, [this] { first_at_ = Clock::now(); });
    for (const otlp::Bytes payload : payloads_of(body)) {
      std::uint64_t time = 0;
      if (payload.size() >= 9) std::memcpy(&time, payload.data() + 1, sizeof time);
      const std::uint64_t id = time - kFirstTime;
      if (id < most_) {
        ++times_[id];
      } else {
        ++strangers_;
      }
    }
  }
  std::uint64_t count(std::uint64_t issued, bool (*is)(std::uint8_t)) const {
    std::uint64_t sum = 0;
    for (std::uint64_t id = 0; id < issued; ++id) sum += is(times_[id].load()) ? 1 : 0;
    return sum;
  }
  std::uint64_t strangers() const { return strangers_; }
  /// REQUIRES: something arrived, and nothing does any more.
  Clock::time_point first_at() const { return first_at_; }

 private:
  std::unique_ptr<std::atomic<std::uint8_t>[]> times_;
  std::size_t most_;
  std::atomic<std::uint64_t> strangers_{0};
  std::once_flag first_;
  Clock::time_point first_at_{};
};

std::string seconds_since(Clock::time_point begin) {
  return fmt::format("{:.1f}", std::chrono::duration<double>(Clock::now() - begin).count());
}

int drill(const std::string& program, const Orders& orders) {
  const ScratchFolder disk(Medium::kDisk);
  const ScratchRing ring({.blocks = 8192, .block_bytes = 16384});
  const RingFile file = ring.attach();
  const std::uint64_t all = std::uint64_t{orders.seconds} * orders.rate;
  Arrivals arrivals(all);
  std::atomic<bool> is_away{true};
  HttpServer server([&](const HttpRequest& request) {
    if (is_away) return HttpReply{.status = 503};
    arrivals.take(request.body);
    return HttpReply{};
  });
  const std::filesystem::path log = disk.path() / "flusher.log";
  const auto start = [&] {
    return std::make_unique<FlusherProcess>(
        program,
        std::vector<std::string>{"--ring", ring.path(), "--exporter", "otlp", "--endpoint", server.url(),
                                 "--spool", disk.path() / "spool", "--spool-size", "16GiB",
                                 "--spool-replay-rate", "0"},
        log);
  };
  auto flusher = start();
  const Logger logger = ring.open().logger("drill");
  std::atomic<std::uint64_t> issued{0};
  std::atomic<std::uint64_t> dropped{0};
  const auto begin = Clock::now();
  std::thread producer([&] {
    for (std::uint64_t burst = 0; issued < all; ++burst) {
      std::this_thread::sleep_until(begin +
                                    burst * std::chrono::milliseconds(10));  // the rate is what is wanted
      for (unsigned n = 0; n < orders.rate / 100 && issued < all; ++n) {
        const auto id = static_cast<std::uint32_t>(issued++);
        dropped += with_record(id, [&](const LogRecord& record) { return logger.emit(record); }) ? 0 : 1;
      }
    }
  });
  for (unsigned kill = 1; kill <= orders.kills; ++kill) {
    std::this_thread::sleep_until(
        begin + std::chrono::milliseconds(1000LL * orders.seconds * kill / (orders.kills + 1)));
    flusher->signal(SIGKILL);
    static_cast<void>(flusher->wait());
    const auto joint = spool::account_with_spools(file);
    fmt::print("killed after {} s: {} records in the spool, books close: {}\n", seconds_since(begin),
               joint.pending_in_spool[0], joint.accounting.closing == Closing::kCloses ? "yes" : "no");
    std::fflush(stdout);
    flusher = start();
  }
  producer.join();
  const auto at_most = spool::account_with_spools(file);
  std::uint64_t bytes = 0;
  for (const auto& each : at_most.spools) bytes += each.view.size.bytes;
  fmt::print("outage over after {} s: {} records emitted, {} refused by the ring, {} in the spool ({} MiB)\n",
             seconds_since(begin), issued.load(), dropped.load(), at_most.pending_in_spool[0], bytes >> 20U);
  std::fflush(stdout);
  is_away = false;
  const auto back = Clock::now();
  const auto is_drained = [&] {
    const auto joint = spool::account_with_spools(file);
    return joint.accounting.closing == Closing::kCloses && joint.accounting.total.pending == 0;
  };
  while (!is_drained() &&
         Clock::now() < back + std::chrono::seconds(orders.seconds) + std::chrono::minutes(2))
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto drained = Clock::now();
  const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  fmt::print("drained after {:.1f} s, the first {:.1f} of them until it was tried again: {:.0f} records/s\n",
             seconds(drained - back), seconds(arrivals.first_at() - back),
             static_cast<double>(at_most.pending_in_spool[0]) / seconds(drained - arrivals.first_at()));
  const auto end = flusher->stop();
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const Accounting books = spool::account_with_spools(file).accounting;
  const std::uint64_t lost = arrivals.count(issued, [](std::uint8_t times) { return times == 0; });
  const std::uint64_t twice = arrivals.count(issued, [](std::uint8_t times) { return times > 1; });
  const bool closes = books.closing == Closing::kCloses && books.total.pending == 0;
  fmt::print(
      "lost {}, arrived twice {} (counted as possible: {}), books close: {}, flusher at most {} MiB, exit "
      "code {}\n",
      lost - dropped, twice, books.total.duplicates_possible, closes ? "yes" : "no", usage.ru_maxrss >> 10,
      end.value_or(-1));
  const bool is_fine = lost == dropped && closes && arrivals.strangers() == 0 && end == 0 &&
                       twice <= books.total.duplicates_possible && dropped == 0;
  if (!is_fine) fmt::print("THE DRILL FAILED; the flusher said:\n{}", flusher->log_text());
  return is_fine ? 0 : 1;
}

}  // namespace
}  // namespace shmring::testing

int main(int argc, char** argv) {
  shmring::testing::Orders orders;
  if (argc > 1) orders.seconds = static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10));
  if (argc > 2) orders.rate = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
  if (argc > 3) orders.kills = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
  return shmring::testing::drill(SHMRING_FLUSHER, orders);
}
