// SPDX-License-Identifier: Apache-2.0
// --memory-limit: the program's resident memory without the ring, at its peak, while producers emit ten times the limit and no backend
// takes it.

#include <gtest/gtest.h>
#include <poll.h>

#include <cstring>
#include <fstream>
#include <string>

#include "tests/flusher/stage.hpp"
#include "tests/support/listener.hpp"
#include "tests/support/scale.hpp"

namespace shmring::flusher {
namespace {

constexpr std::uint64_t kLimitMiB = 48;

/// In KiB, as /proc tells it.
std::uint64_t memory_of(pid_t pid, const std::string& which) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(which + ":", 0) == 0) return std::stoull(line.substr(which.size() + 1));
  }
  return 0;
}

/// At the peak: anonymous memory, and what of program and libraries is loaded. Not the mapped ring, whose size is its own limit.
std::uint64_t peak_kib(pid_t pid) {
  const std::uint64_t ring = memory_of(pid, "RssShmem");
  return memory_of(pid, "VmHWM") - ring;
}

class MemoryLimit : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::kSlowdown > 1) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  }

  /// Ten times the limit, in all signals; most of it finds the ring full.
  void overload() const {
    Ring ring = stage_.ring.open();
    Logger logger = ring.logger("test");
    Tracer tracer = ring.tracer("test");
    const std::string body(1000, 'x');
    const std::string metric = "\x0a\xe8\x07" + body;  // its name
    Writer writer = ring.writer();
    const auto count = static_cast<int>(10 * (kLimitMiB << 20U) / body.size() / kSignalCount);
    for (int i = 0; i < count; ++i) {
      logger.emit(Severity::kInfo, body);
      Span span = tracer.start(body);
      span.end();
      if (auto slot = writer.try_reserve(RecordKind::kMetric, metric.size())) {
        std::memcpy(slot.payload().data(), metric.data(), metric.size());
        std::move(slot).commit();
      }
    }
  }

  void expect_kept(std::vector<std::string> more) {
    more.insert(more.end(), {"--exporter", "otlp", "--interval", "10ms", "--memory-limit",
                             std::to_string(kLimitMiB) + "MiB", "--timeout", "5m"});
    FlusherProcess flusher = stage_.start(more);
    ASSERT_TRUE(flusher.says("event=started"));
    overload();
    const auto beat = [&] { return stage_.ring.attach(Access::kReadOnly).header().heartbeat_ns.load(); };
    for (int ticks = 0; ticks < 20; ++ticks) {  // with a full ring
      const std::uint64_t before = beat();
      ASSERT_TRUE(eventually([&] { return beat() != before; }));
    }
    const std::uint64_t peak = peak_kib(flusher.pid());
    RecordProperty("peak_kib", std::to_string(peak));
    EXPECT_GT(peak, 0U);
    EXPECT_LT(peak, kLimitMiB << 10U);
    EXPECT_GT(stage_.accounting().total.pending, 0U);
  }

  const Stage stage_{{.blocks = 16384}};  // 64 MiB: more than the limit, or it would be kept by itself
};

TEST_F(MemoryLimit, HoldsWhileConnectionsAreRefused) {
  expect_kept({"--endpoint", "http://127.0.0.1:1", "--compression", "gzip"});
}

TEST_F(MemoryLimit, HoldsWhileAServerNeverReads) {
  std::atomic<bool> is_over{false};
  const testing::Listener deaf([&](int fd, unsigned) {
    while (!is_over) {
      pollfd ended{fd, POLLRDHUP, 0};
      if (::poll(&ended, 1, 20) > 0) break;
    }
  });
  expect_kept({"--endpoint", "http://127.0.0.1:" + std::to_string(deaf.port())});
  is_over = true;
}

TEST_F(MemoryLimit, HoldsForRequestsThatGrowAsJson) {
  Backend backend;
  backend.script = [&](const HttpRequest&) { return backend.hold(); };
  expect_kept({"--endpoint", backend.server.url(), "--protocol", "http/json"});
}

TEST_F(MemoryLimit, HoldsWhileASpoolRunsFull) {
  expect_kept({"--endpoint", "http://127.0.0.1:1", "--spool", stage_.ring.folder() / "spool", "--spool-size",
               "16MiB", "--spool-min-free", "0"});
}

}  // namespace
}  // namespace shmring::flusher
