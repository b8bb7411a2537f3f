// SPDX-License-Identifier: Apache-2.0
// shmring tap: shows what is written from now on, and takes nothing away.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "program.hpp"
#include "shmring/logger.hpp"

namespace shmring::tools::test {
namespace {

/// A tap that has begun to look: records are written until it shows the first.
class RunningTap {
 public:
  RunningTap(const std::string& ring, std::vector<std::string> options)
      : writer_(Ring::open(ring)),
        log_(writer_->logger("test")),
        program_(command(ring, std::move(options))) {}

  bool begin(Severity severity = Severity::kFatal) {
    return eventually([&] {
      EXPECT_TRUE(log_.emit(severity, "begin"));
      std::this_thread::sleep_for(
          std::chrono::milliseconds(1));  // so that the ring holds out until the deadline
      return !program_.out_so_far().empty();
    });
  }
  const Logger& log() const { return log_; }
  Program& program() { return program_; }
  bool shows(const std::string& text) const {
    return eventually([&] { return program_.out_so_far().find(text) != std::string::npos; });
  }

 private:
  static std::vector<std::string> command(const std::string& ring, std::vector<std::string> options) {
    options.insert(options.begin(), {SHMRING_PROGRAM, "tap", ring});
    return options;
  }
  Result<Ring> writer_;
  Logger log_;
  Program program_;
};

TEST(Tap, ShowsRecordsAsTheyAreWrittenAndTakesNoneAway) {
  const TestRing ring({"--size", "32MiB"});
  ASSERT_EQ(shmring({"emit", ring.path(), "--body", "before"}).exit_code, 0);
  RunningTap tap(ring.path(), {});
  ASSERT_TRUE(tap.begin());
  ASSERT_TRUE(tap.log().emit(Severity::kInfo, "after"));
  EXPECT_TRUE(tap.shows(": after"));
  tap.program().signal(SIGINT);
  const Ended ended = tap.program().wait();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out.find("before"), std::string::npos) << "what was there is dump's business";
  const auto status = nlohmann::json::parse(shmring({"status", ring.path(), "--output", "json"}).out);
  EXPECT_EQ(status["accounting"]["pending"], status["accounting"]["written"]);
}

TEST(Tap, ShowsOnlyWhatWasAskedFor) {
  const TestRing ring({"--size", "32MiB"});
  RunningTap tap(ring.path(),
                 {"--severity", "warn", "--pid", std::to_string(::getpid()), "--signal", "logs"});
  ASSERT_TRUE(tap.begin());
  ASSERT_TRUE(tap.log().emit(Severity::kInfo, "too quiet"));
  ASSERT_EQ(shmring({"emit", ring.path(), "--body", "of another process", "--severity", "error"}).exit_code,
            0);
  ASSERT_TRUE(tap.log().emit(Severity::kError, "loud enough"));
  EXPECT_TRUE(tap.shows("loud enough"));
  const std::string out = tap.program().out_so_far();
  EXPECT_EQ(out.find("too quiet"), std::string::npos);
  EXPECT_EQ(out.find("of another process"), std::string::npos);
}

TEST(Tap, EndsAtItsLimitWithALineOfJsonForEachRecord) {
  const TestRing ring({"--size", "32MiB"});
  RunningTap tap(ring.path(), {"--limit", "3", "--format", "json"});
  ASSERT_TRUE(tap.begin());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(tap.log().emit(Severity::kInfo, "x"));
  const Ended ended = tap.program().wait();
  EXPECT_EQ(ended.exit_code, 0);
  const auto shown = lines(ended.out);
  ASSERT_EQ(shown.size(), 3U);
  for (const std::string& line : shown) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["resourceLogs"][0]["scopeLogs"][0]["logRecords"].size(), 1U);
  }
}

TEST(Tap, SaysWhenTheRingIsGone) {
  const TestRing ring;
  Program tap({SHMRING_PROGRAM, "tap", ring.path()});
  std::filesystem::remove(ring.path());
  const Ended ended = tap.wait();
  EXPECT_NE(ended.exit_code, 0);
  EXPECT_NE(ended.err.find(ring.path()), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace shmring::tools::test
