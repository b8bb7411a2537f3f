// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: a wall clock that jumps, and a machine that has no descriptors, no memory or no time left for the flusher.
#include <sys/mman.h>
#include <sys/resource.h>

#include <thread>

#include "tests/faults/export_stage.hpp"
#include "tests/support/scale.hpp"

namespace shmring::testing {
namespace {

using ::testing::HasSubstr;

class FaultExportResources : public ExportStage {
 protected:
  void limit(decltype(RLIMIT_NOFILE) resource, rlim_t value) {
    rlimit both{};
    ASSERT_EQ(::prlimit(flusher_->pid(), resource, nullptr, &both), 0);
    both.rlim_cur = value;
    ASSERT_EQ(::prlimit(flusher_->pid(), resource, &both, nullptr), 0);
  }
  std::uint64_t address_space_bytes() const {
    std::uint64_t pages = 0;
    std::ifstream("/proc/" + std::to_string(flusher_->pid()) + "/statm") >> pages;
    return pages * 4096;
  }
};

/// A year on, a year back, and two back: the schedule, the waits between attempts and the timeouts do not move.
TEST_F(FaultExportResources, AWallClockThatJumpsAYearMovesNoSchedule) {
  if (kSlowdown > 1) GTEST_SKIP() << "a sanitizer's runtime has to come first, and the clock is preloaded";
  constexpr std::int64_t kYear = 365LL * 86'400;
  const std::string path = promise_.scratch().folder() / "clock";
  std::ofstream(path) << std::string(8, '\0');
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  void* const page = ::mmap(nullptr, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ASSERT_NE(page, MAP_FAILED);
  auto& offset = *static_cast<std::atomic<std::int64_t>*>(page);
  variables_ = {std::string("LD_PRELOAD=") + SHMRING_JUMPING_CLOCK, "SHMRING_TEST_CLOCK=" + path};
  std::atomic<int> refusals{0};
  HttpServer server(
      taking([&](const HttpRequest&) { return HttpReply{.status = refusals-- > 0 ? 503 : 200}; }));
  start(server.url());
  emit(50);
  ASSERT_TRUE(eventually([&] { return is_settled(); })) << flusher_->log_text();
  for (const std::int64_t to : {kYear, std::int64_t{0}, -kYear, kYear}) {
    offset = to;
    refusals = 2;
    emit(50);
    ASSERT_TRUE(eventually([&] { return is_settled(); })) << "the schedule has moved";
  }
  const std::time_t then = std::time(nullptr) + kYear;
  std::tm parts{};
  ::gmtime_r(&then, &parts);
  EXPECT_THAT(flusher_->log_text(), HasSubstr(std::to_string(parts.tm_year + 1900) + "-"))
      << "it did not jump";
  // A busy machine may cost some; a year would be three thousand million.
  EXPECT_THAT(flusher_->log_text(),
              ::testing::Not(::testing::ContainsRegex("missed=[0-9][0-9][0-9][0-9][0-9]")));
  expect_kept();
  ::munmap(page, 8);
  ::close(fd);
}

TEST_F(FaultExportResources, OutOfDescriptorsItSaysSoAndGoesOnWhenThereAreSome) {
  if (kSlowdown > 1) GTEST_SKIP() << "without a descriptor of its own a sanitizer takes good memory for bad";
  HttpServer server(taking([](const HttpRequest&) { return HttpReply{.then = HttpReply::Then::kClose}; }));
  start(server.url());
  emit(10);
  ASSERT_TRUE(eventually([&] { return is_settled(); }));
  limit(RLIMIT_NOFILE, 3);
  emit(200);
  ASSERT_TRUE(flusher_->says("export_delayed")) << flusher_->log_text();
  EXPECT_FALSE(is_settled());
  limit(RLIMIT_NOFILE, 256);
  expect_kept();
  EXPECT_THAT(flusher_->log_text(), HasSubstr("descriptors"));
}

TEST_F(FaultExportResources, OutOfMemoryItEndsWithAnErrorAndItsSuccessorLosesNothing) {
  if (kSlowdown > 1) GTEST_SKIP() << "a sanitizer's address space is not the program's";
  HttpServer server(taking());
  start(server.url(), {"--batch-records", "8192"});
  emit(10);
  ASSERT_TRUE(eventually([&] { return is_settled(); }));
  flusher_->signal(SIGSTOP);
  emit(6000);
  limit(RLIMIT_AS, address_space_bytes());
  flusher_->signal(SIGCONT);
  emit(10);
  const auto code = flusher_->wait();
  if (code.has_value()) {
    EXPECT_EQ(code, 1) << flusher_->log_text();
    EXPECT_FALSE(flusher_->log_text().empty());
  }
  start(server.url());
  expect_kept({.most_duplicates = 8192});
}

TEST_F(FaultExportResources, StarvedOfCpuItIsLateAndLosesNothing) {
  HttpServer server(taking());
  start(server.url());
  ASSERT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(flusher_->pid()), 10), 0);
  std::atomic<bool> is_over{false};
  std::vector<std::thread> busy;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    busy.emplace_back([&] {
      while (!is_over) spin(1000);
    });
  }
  for (std::uint32_t i = 0; i < scaled(20); ++i) emit(100);
  const bool gets_on = eventually([&] { return accepted(Signal::kLogs) != 0; });
  is_over = true;
  for (std::thread& thread : busy) thread.join();
  EXPECT_TRUE(gets_on) << flusher_->log_text();
  expect_kept();
}

}  // namespace
}  // namespace shmring::testing
