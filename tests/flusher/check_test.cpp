// SPDX-License-Identifier: Apache-2.0
#include "flusher/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "tests/flusher/otlp_client.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;
using ::testing::Not;

struct CheckRig {
  Config config;
  testing::ScratchFolder folder;
  std::mutex mutex;
  std::map<std::string, std::string> bodies;  // by path
  std::map<std::string, int> statuses;
  HttpServer server{[this](const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    bodies[request.path] = request.body;
    return HttpReply{.status = statuses.count(request.path) > 0 ? statuses[request.path] : 200};
  }};

  CheckRig() {
    setenv("no_proxy", "127.0.0.1", 1);
    config.exporters = {ExporterKind::kOtlp};
    for (std::size_t i = 0; i < kSignalCount; ++i)
      config.otlp[i].url =
          *url_below("http://user:word@127.0.0.1:" + std::to_string(server.port()), static_cast<Signal>(i));
  }
};

TEST(Check, SendsAnEmptyRequestOfEachSignal) {
  CheckRig given;
  const CheckResult result = try_destinations(given.config);
  EXPECT_TRUE(result.is_fine) << result.text;
  EXPECT_THAT(result.text,
              ContainsRegex("logs +http://127.0.0.1:[0-9]+/v1/logs .http/protobuf.\n  fine: takes requests"));
  EXPECT_EQ(given.bodies,
            (std::map<std::string, std::string>{{"/v1/logs", ""}, {"/v1/metrics", ""}, {"/v1/traces", ""}}));
  EXPECT_THAT(result.text, Not(HasSubstr("word")));
}

TEST(Check, SaysOfEachSignalWhetherItIsRefused) {
  CheckRig given;
  given.statuses = {{"/v1/traces", 401}, {"/v1/metrics", 503}};
  const CheckResult result = try_destinations(given.config);
  EXPECT_FALSE(result.is_fine);
  EXPECT_THAT(result.text, ContainsRegex("v1/logs.*\n  fine: "));
  EXPECT_THAT(result.text,
              ContainsRegex("v1/traces.*\n  NOT FINE: refuses requests for good: HTTP status 401"));
  EXPECT_THAT(result.text, ContainsRegex("v1/metrics.*\n  NOT FINE: takes none now.*: HTTP status 503"));
}

TEST(Check, AServerThatIsNotThereIsNotFine) {
  CheckRig given;
  given.server.stop();
  const CheckResult result = try_destinations(given.config);
  EXPECT_FALSE(result.is_fine);
  EXPECT_THAT(result.text, HasSubstr("takes none now"));
}

TEST(Check, LooksWhetherFilesCanBeWrittenAndMakesNone) {
  CheckRig given;
  given.config.exporters = {ExporterKind::kFile, ExporterKind::kConsole};
  given.config.file = given.folder.path() / "out.jsonl";
  EXPECT_TRUE(try_destinations(given.config).is_fine);
  EXPECT_TRUE(std::filesystem::is_empty(given.folder.path()));
  given.config.file = given.folder.path() / "nowhere" / "out.jsonl";
  const CheckResult result = try_destinations(given.config);
  EXPECT_FALSE(result.is_fine);
  EXPECT_THAT(result.text, HasSubstr("nowhere: No such file or directory"));
}

}  // namespace
}  // namespace shmring::flusher
