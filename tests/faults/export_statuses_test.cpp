// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: what HTTP statuses and Retry-After make of a batch.
#include <ctime>

#include "tests/faults/export_stage.hpp"

namespace shmring::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Values;

/// A server that gives the first few requests another answer, and notes what came in.
class FaultExportStatus : public ExportStage, public ::testing::WithParamInterface<int> {
 protected:
  HttpServer::Answer refusing_the_first(unsigned count, HttpReply refusal) {
    return taking([this, count, refusal](const HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      bodies_.push_back(request.body);
      return bodies_.size() <= count ? refusal : HttpReply{};
    });
  }
  std::size_t times(std::size_t request) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(bodies_.begin(), bodies_.end(), bodies_.at(request)));
  }

  std::mutex mutex_;
  std::vector<std::string> bodies_;
};

class FaultExportStatusForLater : public FaultExportStatus {};
TEST_P(FaultExportStatusForLater, IsRepeatedUntilItIsTaken) {
  HttpServer server(refusing_the_first(3, {.status = GetParam()}));
  emit(200);
  start(server.url());
  expect_kept();
  EXPECT_GT(times(0), 1U);
  EXPECT_THAT(flusher_->log_text(), HasSubstr("HTTP status " + std::to_string(GetParam())));
}
INSTANTIATE_TEST_SUITE_P(Http, FaultExportStatusForLater, Values(429, 502, 503, 504));

class FaultExportStatusForGood : public FaultExportStatus {};
TEST_P(FaultExportStatusForGood, IsNeverRepeatedAndCountedWithItsReason) {
  HttpServer server(refusing_the_first(
      1, {.status = GetParam(), .body = "so it is", .headers = {{"Location", "/v1/elsewhere"}}}));
  emit(200);
  start(server.url());
  expect_kept({.lost = kBatch, .refused = kBatch});
  EXPECT_EQ(times(0), 1U);
  EXPECT_THAT(flusher_->log_text(), HasSubstr("HTTP status " + std::to_string(GetParam()) + ": so it is"));
}
INSTANTIATE_TEST_SUITE_P(Http, FaultExportStatusForGood,
                         Values(500, 501, 408, 404, 401, 403, 301, 302, 303, 307, 308));

struct Asked {
  const char* name;
  int status;
  std::string retry_after;
  std::chrono::milliseconds at_least{0};  // between the refusal and the next attempt
  const char* limit = "5m";
};
void PrintTo(const Asked& each, std::ostream* out) { *out << each.name; }

std::string date_in(int seconds) {
  const std::time_t then = std::time(nullptr) + seconds;
  char text[64];
  std::tm parts{};
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", ::gmtime_r(&then, &parts));
  return text;
}

class FaultExportRetryAfter : public ExportStage, public ::testing::WithParamInterface<Asked> {};

TEST_P(FaultExportRetryAfter, IsHonouredUpToItsLimitAndLosesNothing) {
  const Asked& asked = GetParam();
  std::mutex mutex;
  std::vector<steady_clock::time_point> attempts;
  HttpServer server(taking([&](const HttpRequest&) {
    const std::lock_guard lock(mutex);
    attempts.push_back(steady_clock::now());
    if (attempts.size() > 1) return HttpReply{};
    const std::string text = asked.name == std::string("Date") ? date_in(3) : asked.retry_after;
    return HttpReply{.status = asked.status, .headers = {{"Retry-After", text}}};
  }));
  emit(10);  // one batch
  start(server.url(), {"--retry-after-limit", asked.limit});
  expect_kept();
  const std::lock_guard lock(mutex);
  ASSERT_GE(attempts.size(), 2U);
  EXPECT_GE(attempts[1] - attempts[0], asked.at_least);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, FaultExportRetryAfter,
    Values(Asked{"Seconds", 503, "1", std::chrono::milliseconds(1000)},
           Asked{"Of429", 429, "1", std::chrono::milliseconds(1000)},
           Asked{"Date", 503, "", std::chrono::milliseconds(1000)},
           Asked{"DateInThePast", 503, "Wed, 21 Oct 2015 07:28:00 GMT"}, Asked{"Zero", 503, "0"},
           Asked{"Huge", 503, "99999999999999999999999", std::chrono::milliseconds(0), "100ms"},
           Asked{"Large", 503, "1000000000", std::chrono::milliseconds(100), "100ms"},
           Asked{"DateFarAway", 503, "Wed, 21 Oct 2099 07:28:00 GMT", std::chrono::milliseconds(100),
                 "100ms"},
           Asked{"Negative", 503, "-5"}, Asked{"Garbage", 503, "soon"}, Asked{"Empty", 503, ""},
           Asked{"Fraction", 503, "0.5"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace shmring::testing
