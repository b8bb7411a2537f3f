// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: networks that refuse, swallow, lose and delay, and names that nobody knows.
#include <sys/mount.h>

#include <fstream>

#include "tests/faults/export_stage.hpp"
#include "tests/faults/lossy_link.hpp"
#include "tests/support/fault_proxy.hpp"

namespace shmring::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr const char* kNotPermittedHere = "skipped: needs root, for a network namespace and /dev/net/tun";

class FaultExportNetwork : public ExportStage {
 protected:
  bool may_have_links() const { return ::geteuid() == 0 && ::access("/dev/net/tun", R_OK | W_OK) == 0; }

  /// A flusher that sends over a link of which `fault` is a part, and then no more.
  template <typename Fault, typename HasHappened>
  void over_a_link(const std::vector<std::string>& arguments, Fault&& fault, HasHappened&& has_happened) {
    LossyLink link;
    HttpServer server(taking(), {.host = LossyLink::kNear});
    const std::string url = "http://" + std::string(LossyLink::kFar) + ":" + std::to_string(server.port());
    fault(link);
    emit(200);
    start(url, arguments);
    ASSERT_TRUE(eventually([&] { return has_happened(link); })) << flusher_->log_text();
    link.lose(0);
    link.delay(milliseconds(0));
    expect_kept({.most_duplicates = 1'000'000});
  }
};

TEST_F(FaultExportNetwork, ARefusedConnectionLosesNothing) {
  std::uint16_t port = 0;
  { port = HttpServer(taking()).port(); }
  emit(200);
  start("http://127.0.0.1:" + std::to_string(port));
  ASSERT_TRUE(flusher_->says("export_delayed"));
  HttpServer server(taking(), {.port = port});
  expect_kept();
  EXPECT_EQ(promise_.accounting().total.duplicates_possible, 0U);
}

TEST_F(FaultExportNetwork, ABlackholeLosesNothing) {
  if (!may_have_links()) GTEST_SKIP() << kNotPermittedHere;
  const bool is_permitted = in_network_namespace([this] {
    over_a_link(
        {"--timeout", "200ms"}, [](LossyLink& link) { link.lose(100); },
        [this](LossyLink& link) {
          return link.lost() > 10 && flusher_->log_text().find("export_delayed") != std::string::npos;
        });
  });
  if (!is_permitted) GTEST_SKIP() << kNotPermittedHere;
}

TEST_F(FaultExportNetwork, LossOfThirtyPercentOfThePacketsLosesNoRecord) {
  if (!may_have_links()) GTEST_SKIP() << kNotPermittedHere;
  const bool is_permitted = in_network_namespace([this] {
    over_a_link(
        {}, [](LossyLink& link) { link.lose(30); },
        [this](LossyLink& link) { return link.lost() > 5 && is_settled(); });
  });
  if (!is_permitted) GTEST_SKIP() << kNotPermittedHere;
}

TEST_F(FaultExportNetwork, DelayOfHalfASecondLosesNothing) {
  if (!may_have_links()) GTEST_SKIP() << kNotPermittedHere;
  const bool is_permitted = in_network_namespace([this] {
    over_a_link(
        {}, [](LossyLink& link) { link.delay(milliseconds(500)); },
        [this](LossyLink& link) { return link.carried() > 5 && is_settled(); });
  });
  if (!is_permitted) GTEST_SKIP() << kNotPermittedHere;
}

TEST_F(FaultExportNetwork, ANameThatNobodyKnowsLosesNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << kNotPermittedHere;
  const std::string hosts = promise_.scratch().folder() / "hosts";
  std::ofstream(hosts) << "127.0.0.1 localhost\n";
  const auto body = [&] {
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr), 0);
    ASSERT_TRUE(bring_up("lo"));
    HttpServer server(taking());
    emit(200);
    start("http://collector.example:" + std::to_string(server.port()));
    ASSERT_TRUE(flusher_->says("collector.example")) << flusher_->log_text();
    ASSERT_TRUE(flusher_->says("export_delayed"));
    EXPECT_EQ(server.connections(), 0U);
    std::ofstream(hosts, std::ios::app) << "127.0.0.1 collector.example\n";
    expect_kept();
  };
  if (!in_network_namespace(body, CLONE_NEWNET | CLONE_NEWNS)) GTEST_SKIP() << kNotPermittedHere;
}

/// The rest needs no privilege: what a proxy can do to the bytes between.
class FaultExportProxy : public ExportStage {
 protected:
  HttpServer server_{taking()};
  FaultProxy proxy_{server_.port()};
};

TEST_F(FaultExportProxy, ThatLosesThirtyPercentOfTheConnectionsLosesNoRecord) {
  // One request for each connection: those that are let live must not carry all the rest.
  HttpServer server(taking([](const HttpRequest&) {
    return HttpReply{.headers = {{"Connection", "close"}}, .then = HttpReply::Then::kClose};
  }));
  FaultProxy proxy(server.port());
  proxy.set({.percent_lost = 30});
  start(proxy.url());
  for (int i = 0; i < 1000 && proxy.cut() < 3; ++i) {
    emit(200);
    ASSERT_TRUE(eventually([&] { return is_settled(); }));
  }
  ASSERT_GE(proxy.cut(), 3U);
  proxy.set({});
  expect_kept({.most_duplicates = proxy.cut() * kBatch});
}

TEST_F(FaultExportProxy, ThatCutsEachConnectionLosesNothing) {
  for (const std::uint64_t after : {1U, 100U, 5000U}) {
    proxy_.set({.cut_after = after});
    emit(200);
    const unsigned before = proxy_.cut();
    start(proxy_.url());
    ASSERT_TRUE(eventually([&] { return proxy_.cut() > before + 3; }));
    proxy_.set({});
    ASSERT_TRUE(eventually([&] { return is_settled(); })) << flusher_->log_text();
    EXPECT_EQ(flusher_->stop(), 0);
  }
  start(proxy_.url());
  expect_kept({.most_duplicates = 1'000'000});
}

TEST_F(FaultExportProxy, ThatIsSlowLosesNothing) {
  proxy_.set({.delay = milliseconds(20), .bytes_per_second = 100'000});
  emit(200);
  start(proxy_.url());
  expect_kept();
}

TEST_F(FaultExportProxy, ThatSwallowsEverythingLosesNothingAndEndsWithItsTimeout) {
  proxy_.set({.swallows = true});
  emit(200);
  start(proxy_.url(), {"--timeout", "200ms"});
  ASSERT_TRUE(flusher_->says("export_delayed"));
  ASSERT_GT(proxy_.swallowed_bytes(), 0U);
  proxy_.set({});
  expect_kept();
}

/// Without a spool: what the ring cannot hold is dropped where it comes in, and counted.
TEST_F(FaultExportProxy, AnOutageLongerThanTheRingLosesTheNewestAndCountsThem) {
  proxy_.set({.cut_after = 1});
  start(proxy_.url());
  const Logger logger = promise_.scratch().open().logger("test");
  std::uint64_t refused = 0;
  ASSERT_TRUE(eventually([&] {
    refused += emit_one(logger, promise_.obligations()) ? 0 : 1;
    return refused >= 1000;
  }));
  EXPECT_EQ(promise_.accounting().total.dropped_total(), refused);
  EXPECT_EQ(dropped(promise_.accounting(), DropCause::kRingFull), refused);
  EXPECT_TRUE(promise_.obligations().is_obligation(0));
  proxy_.set({});
  expect_kept({.most_duplicates = 1'000'000});
}

}  // namespace
}  // namespace shmring::testing
