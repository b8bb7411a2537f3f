// SPDX-License-Identifier: Apache-2.0
// What the program says about itself: scraped, probed, and asked by clients that behave badly.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "tests/flusher/scrape.hpp"
#include "tests/flusher/stage.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;
using testing::http_get;
using testing::metrics_url;
using ::testing::Optional;
using testing::Scrape;
using testing::scrape;

std::vector<std::string> metered(std::vector<std::string> more) {
  more.insert(more.end(), {"--metrics-listen", "0", "--interval", "10ms"});
  return more;
}

/// Waits until a scrape shows it.
[[nodiscard]] bool shows(const std::string& url, const std::string& key, double least) {
  return eventually([&] { return scrape(url)[key].value_or(-1) >= least; });
}

TEST(Metrics, CountWhatBecameOfRecordsAndOfAttempts) {
  const Stage stage;
  Backend backend;
  std::atomic<int> refusals{1};
  backend.script = [&](const HttpRequest&) { return HttpReply{.status = refusals-- > 0 ? 503 : 200}; };
  stage.emit(0, 100);
  FlusherProcess flusher = stage.start(
      backend.arguments(metered({"--batch-records", "10", "--max-in-flight", "1", "--exporter", "file"})));
  const std::string url = metrics_url(flusher);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 100));
  const Scrape now = scrape(url);
  const auto lane = [](const std::string& name, const std::string& more = "") {
    return name + "{" + (more.empty() ? "" : more + ",") + R"(destination="otlp",)";
  };
  EXPECT_THAT(now[R"(shmring_exported_records_total{destination="otlp",fate="accepted",signal="logs"})"],
              Optional(100));
  EXPECT_THAT(now[R"(shmring_exported_records_total{destination="file",fate="accepted",signal="logs"})"],
              Optional(100));
  EXPECT_THAT(now[lane("shmring_exports_total", R"(code="200")") + R"(signal="logs"})"], Optional(10));
  EXPECT_THAT(now[lane("shmring_exports_total", R"(code="503")") + R"(signal="logs"})"], Optional(1));
  EXPECT_THAT(now[lane("shmring_export_retries_total") + R"(signal="logs"})"], Optional(1));
  EXPECT_THAT(now[lane("shmring_export_duration_seconds_count") + R"(signal="logs"})"], Optional(11));
  EXPECT_THAT(now[lane("shmring_export_connections_total", R"(connection="opened")") + R"(signal="logs"})"],
              Optional(1));
  EXPECT_THAT(now[lane("shmring_export_connections_total", R"(connection="reused")") + R"(signal="logs"})"],
              Optional(10));
  EXPECT_THAT(now[lane("shmring_exports_in_flight") + R"(signal="logs"})"], Optional(0));
  EXPECT_GT(now[lane("shmring_last_success_timestamp_seconds") + R"(signal="logs"})"].value_or(0), 1.7e9);
  EXPECT_THAT(now[R"(shmring_ring_records_total{fate="accepted",signal="logs"})"], Optional(100));
  EXPECT_THAT(now[R"(shmring_ring_written_records_total{signal="logs"})"], Optional(100));
  EXPECT_THAT(now["shmring_lease_held"], Optional(1));
  EXPECT_GT(now["shmring_ring_fill_high_water_ratio"].value_or(0), 0);
  EXPECT_TRUE(shows(url, "shmring_ticks_total", 3));
  EXPECT_TRUE(shows(url, R"(shmring_wakeups_total{cause="tick"})", 3));
  EXPECT_GE(scrape(url)["shmring_tick_lateness_seconds_count"].value_or(0), 3);
  EXPECT_EQ(flusher.stop(), 0);
}

TEST(Metrics, ShowAnOutageWhileItLasts) {
  const Stage stage;
  Backend backend;
  std::atomic<bool> is_away{true};
  backend.script = [&](const HttpRequest&) { return HttpReply{.status = is_away ? 503 : 200}; };
  const std::string spool = stage.ring.folder() / "spool";
  FlusherProcess flusher = stage.start(
      backend.arguments(metered({"--batch-records", "10", "--spool", spool, "--spool-min-free", "0"})));
  const std::string url = metrics_url(flusher);
  EXPECT_TRUE(eventually([&] { return http_get(url + "/readyz").status == 200; }))
      << "nothing had to be exported yet";
  stage.emit(0, 200);
  const std::string lane = R"({destination="otlp",signal="logs"})";
  ASSERT_TRUE(shows(url, "shmring_destination_away" + lane, 1));
  ASSERT_TRUE(shows(url, "shmring_spool_batches", 1));
  EXPECT_TRUE(shows(url, "shmring_spool_bytes", 1));
  EXPECT_TRUE(shows(url, "shmring_spool_oldest_batch_age_seconds", 1e-6));
  EXPECT_TRUE(shows(url, R"(shmring_ring_records_total{fate="spooled",signal="logs"})", 200));
  EXPECT_EQ(http_get(url + "/readyz").status, 503);
  EXPECT_EQ(http_get(url + "/healthz").status, 200);
  is_away = false;
  EXPECT_TRUE(
      shows(url, R"(shmring_exported_records_total{destination="otlp",fate="accepted",signal="logs"})", 200));
  EXPECT_EQ(http_get(url + "/readyz").status, 200);
  EXPECT_TRUE(eventually([&] { return scrape(url)["shmring_spool_batches"] == 0.0; }));
  EXPECT_EQ(flusher.stop(), 0);
}

TEST(Metrics, NameTheProgramsWhoseRecordsWereDropped) {
  const Stage stage({.blocks = 16});
  Backend backend;
  backend.script = [&](const HttpRequest&) { return backend.hold(); };
  FlusherProcess flusher = stage.start(backend.arguments(metered({"--timeout", "5m"})));
  const std::string url = metrics_url(flusher);
  ASSERT_TRUE(shows(url, "shmring_ticks_total", 1));
  Logger logger = stage.ring.open().logger("test");
  int dropped = 0;
  ASSERT_TRUE(eventually([&] {
    if (!logger.emit(Severity::kInfo, std::string(500, 'x'))) ++dropped;
    return dropped == 20;
  }));
  const Scrape now = scrape(url);
  EXPECT_THAT(now[R"(shmring_ring_dropped_records_total{cause="ring_full",signal="logs"})"], Optional(20));
  EXPECT_THAT(now[R"(shmring_program_dropped_records_total{cause="ring_full",program="flusher_tests"})"],
              Optional(20));
  EXPECT_GT(now["shmring_ring_fill_ratio"].value_or(0), 0.9);
  EXPECT_GE(now[R"(shmring_ring_pending_records{signal="logs"})"].value_or(0), 1);
  EXPECT_GT(now["shmring_ring_oldest_record_age_seconds"].value_or(0), 0);
}

TEST(Metrics, OfAStandbySayThatItIsOne) {
  const Stage stage;
  FlusherProcess holder = stage.start(metered({}));
  ASSERT_TRUE(holder.says("event=started"));
  FlusherProcess standby(SHMRING_FLUSHER, stage.arguments(metered({})), stage.ring.folder() / "standby.log");
  const std::string url = metrics_url(standby);
  ASSERT_TRUE(standby.says("event=standing_by"));
  EXPECT_THAT(scrape(url)["shmring_lease_held"], Optional(0));
  EXPECT_EQ(http_get(url + "/healthz").status, 200);
  EXPECT_EQ(http_get(url + "/readyz").status, 503);
  holder.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return http_get(url + "/readyz").status == 200; }));
  EXPECT_THAT(scrape(url)["shmring_lease_held"], Optional(1));
}

TEST(Metrics, APortThatIsTakenIsAnErrorThatSaysSo) {
  const Stage stage;
  const HttpServer taken([](const HttpRequest&) { return HttpReply{}; });
  FlusherProcess flusher = stage.start({"--metrics-listen", "127.0.0.1:" + std::to_string(taken.port())});
  EXPECT_EQ(flusher.wait(), 3);
  EXPECT_THAT(flusher.log_text(), HasSubstr("Address already in use; give this flusher a port of its own"));
}

/// A connection to 127.0.0.1, on which a test says what it likes.
class RawClient {
 public:
  explicit RawClient(const std::string& url) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1))));
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      testing::give_up("connect");
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(fd_); }

  void say(const std::string& text) const {
    static_cast<void>(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL));
  }
  /// Until the other side closes.
  std::string hear() const {
    std::string out;
    char chunk[4096];
    for (ssize_t count = 0; (count = ::recv(fd_, chunk, sizeof chunk, 0)) > 0;)
      out.append(chunk, static_cast<std::size_t>(count));
    return out;
  }

 private:
  int fd_;
};

TEST(Metrics, ClientsThatBehaveBadlyHoldUpNobody) {
  const Stage stage;
  FlusherProcess flusher = stage.start(metered({}));
  const std::string url = metrics_url(flusher);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(std::make_unique<RawClient>(url));
  EXPECT_EQ(http_get(url + "/metrics").status, 200);
  const RawClient chatty(url);
  chatty.say("GET /" + std::string(20'000, 'x'));
  EXPECT_EQ(chatty.hear(), "");
  const auto answer = [&](const std::string& request) {
    const RawClient client(url);
    client.say(request + "\r\n\r\n");
    return client.hear();
  };
  EXPECT_THAT(answer("garbage"), HasSubstr("HTTP/1.1 400"));
  EXPECT_THAT(answer("POST /metrics HTTP/1.1"), HasSubstr("HTTP/1.1 405"));
  EXPECT_THAT(answer("GET /nothing HTTP/1.1"), HasSubstr("HTTP/1.1 404"));
  EXPECT_THAT(answer("GET /healthz?x=1 HTTP/1.0"), HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(answer("HEAD /metrics HTTP/1.1"), ::testing::EndsWith("\r\n\r\n"));
  stage.emit(0, 10);
  EXPECT_TRUE(stage.reaches(Outcome::kAccepted, 10));
  EXPECT_EQ(flusher.stop(), 0);
}

}  // namespace
}  // namespace shmring::flusher
