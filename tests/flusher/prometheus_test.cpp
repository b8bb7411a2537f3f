// SPDX-License-Identifier: Apache-2.0
// A real Prometheus scrapes the program and answers queries about it. Skipped where Debian's package "prometheus" is not installed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "flusher/listen_address.hpp"
#include "tests/flusher/scrape.hpp"
#include "tests/flusher/stage.hpp"

namespace shmring::flusher {
namespace {

using testing::http_get;
using testing::metrics_url;

constexpr const char* kPrometheus = "/usr/bin/prometheus";
constexpr const char* kPromtool = "/usr/bin/promtool";

/// One that nobody has at the moment.
std::string free_address() {
  const auto listening = listen_on("0");
  if (!listening) testing::give_up(listening.error().message);
  ::close(listening->fd);
  return listening->address;
}

class Prometheus : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(kPrometheus, X_OK) != 0 || ::access(kPromtool, X_OK) != 0)
      GTEST_SKIP() << kPrometheus
                   << " is not here: apt-get install prometheus, or scripts/bootstrap.sh --interop";
  }
};

TEST_F(Prometheus, ScrapesTheFlusherAndFindsNothingWrongWithItsMetrics) {
  const Stage stage;
  stage.emit(0, 100);
  FlusherProcess flusher = stage.start({"--metrics-listen", "0", "--interval", "10ms"});
  const std::string url = metrics_url(flusher);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 100));

  const std::filesystem::path text = stage.ring.folder() / "metrics";
  std::ofstream(text) << http_get(url + "/metrics").body;
  const std::string lint = std::string(kPromtool) + " check metrics < " + text.string();
  EXPECT_EQ(std::system(lint.c_str()), 0);  // NOLINT: a command of our own

  const std::filesystem::path config = stage.ring.folder() / "prometheus.yml";
  std::ofstream(config)
      << "scrape_configs:\n- job_name: shmring\n  scrape_interval: 100ms\n  static_configs:\n"
      << "  - targets: ['" << url.substr(std::string("http://").size()) << "']\n";
  const std::string address = free_address();
  const FlusherProcess prometheus(kPrometheus,
                                  {"--config.file=" + config.string(), "--web.listen-address=" + address,
                                   "--storage.tsdb.path=" + (stage.ring.folder() / "tsdb").string()},
                                  stage.ring.folder() / "prometheus.log");
  const auto value_of = [&](const std::string& query) -> std::string {
    const auto got = http_get("http://" + address + "/api/v1/query?query=" + query);
    const auto json = nlohmann::json::parse(got.body, nullptr, false);
    if (got.status != 200 || json.is_discarded() || json["data"]["result"].empty()) return "";
    return json["data"]["result"][0]["value"][1];
  };
  EXPECT_TRUE(eventually([&] { return value_of("up{job=\"shmring\"}") == "1"; })) << prometheus.log_text();
  EXPECT_TRUE(eventually([&] {
    return value_of("sum(shmring_exported_records_total{destination=\"file\",fate=\"accepted\"})") == "100";
  }));
  EXPECT_TRUE(eventually(
      [&] { return value_of("shmring_ring_records_total{signal=\"logs\",fate=\"accepted\"}") == "100"; }));
  EXPECT_EQ(flusher.stop(), 0);
}

}  // namespace
}  // namespace shmring::flusher
