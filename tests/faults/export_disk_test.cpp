// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: what becomes of the spool's disk. Nothing is lost while the ring has room, and nobody deletes anything by hand.
#include <sys/mount.h>

#include <fstream>

#include "spool/joint_accounting.hpp"
#include "tests/faults/export_stage.hpp"
#include "tests/faults/lossy_link.hpp"

namespace shmring::testing {
namespace {

constexpr const char* kNeedsRoot = "skipped: needs root, for a small file system of its own";

class FaultExportDisk : public ExportStage {
 protected:
  std::filesystem::path spool() const { return promise_.scratch().folder() / "spool"; }
  std::filesystem::path database() const { return spool() / spool::SpoolFile::kFileName; }
  void start_with_spool() { start(server_.url(), {"--spool", spool(), "--spool-min-free", "0"}); }
  Accounting joint() const { return spool::account_with_spools(promise_.file()).accounting; }
  std::uint64_t in_spool() const {
    return spool::account_with_spools(promise_.file())
        .pending_in_spool[static_cast<std::size_t>(Signal::kLogs)];
  }
  bool is_spooled() { return is_settled() && in_spool() > 0; }

  /// With the spool's folder on a file system of that many bytes, in a mount namespace of the test's own.
  template <typename Body>
  void on_disk_of(const char* options, Body&& body) {
    std::filesystem::create_directory(spool());
    const auto mounted = [&] {
      ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
      ASSERT_EQ(::mount("none", spool().c_str(), "tmpfs", 0, options), 0);
      body();
      flusher_.reset();
    };
    if (::geteuid() != 0 || !in_network_namespace(mounted, CLONE_NEWNS)) GTEST_SKIP() << kNeedsRoot;
  }
  /// A file of somebody else that leaves no room.
  void fill_disk() {
    std::ofstream file(spool() / "others");
    const std::string page(4096, 'x');
    while (file.write(page.data(), 4096).flush()) {
    }
  }
  void empty_disk() { std::filesystem::remove(spool() / "others"); }
  void emit_until_refused() {
    for (int i = 0; i < 40 && !is_refused(); ++i) {
      emit(500);  // more than a window holds
      ASSERT_TRUE(eventually([&] { return is_settled() || is_refused(); })) << flusher_->log_text();
    }
    ASSERT_TRUE(is_refused()) << flusher_->log_text();
  }
  bool is_refused() const { return flusher_->log_text().find("spool_refuses") != std::string::npos; }
  void kill() {
    flusher_->signal(SIGKILL);
    ASSERT_EQ(flusher_->wait(), 128 + SIGKILL);
  }

  /// REQUIRES: the faults are gone, and the flusher runs.
  void expect_all_kept(std::uint64_t most_duplicates = 0) {
    is_away_ = false;
    emit(1);
    EXPECT_TRUE(eventually([&] { return lost() == 0 && is_settled() && in_spool() == 0; }))
        << lost() << " lost\n"
        << flusher_->log_text();
    EXPECT_EQ(flusher_->stop(), 0) << flusher_->log_text();
    const Accounting books = joint();
    EXPECT_EQ(books.closing, Closing::kCloses);
    EXPECT_EQ(books.total.written, promise_.obligations().count());
    EXPECT_EQ(outcome(books, Outcome::kAccepted), books.total.written);
    arrivals_.with_deliveries([&](Deliveries& d) {
      EXPECT_EQ(d.lost(promise_.obligations()), 0U);
      EXPECT_EQ(d.mangled() + d.invented(promise_.obligations()), 0U);
      EXPECT_LE(d.duplicates(), most_duplicates);
    });
    EXPECT_FALSE(std::filesystem::exists(spool() / "others")) << "the fault is still there";
  }

  std::atomic<bool> is_away_{true};
  HttpServer server_{
      taking([this](const HttpRequest&) { return HttpReply{.status = is_away_ ? 503 : 200}; })};
};

TEST_F(FaultExportDisk, FullOfTheSpoolItselfItDrainsWhenTheBackendIsBack) {
  on_disk_of("size=2m", [&] {
    start_with_spool();
    emit_until_refused();
    EXPECT_GT(in_spool(), 0U);
    kill();
    start_with_spool();
    expect_all_kept(1'000'000);
  });
}

TEST_F(FaultExportDisk, FilledByOthersItRefusesUntilTheyMakeRoom) {
  on_disk_of("size=8m", [&] {
    start_with_spool();
    emit(1000);
    ASSERT_TRUE(eventually([&] { return is_spooled(); }));
    fill_disk();
    emit_until_refused();
    empty_disk();
    ASSERT_TRUE(eventually([&] { return is_spooled(); })) << flusher_->log_text();
    expect_all_kept();
  });
}

TEST_F(FaultExportDisk, FilledByOthersWhileTheFlusherIsKilledItIsWaitedFor) {
  on_disk_of("size=8m", [&] {
    start_with_spool();
    emit(1000);
    ASSERT_TRUE(eventually([&] { return is_spooled(); }));
    kill();
    fill_disk();
    emit(500);
    start_with_spool();
    is_away_ = false;
    ASSERT_TRUE(eventually([&] { return server_.requests() > 0; }));
    empty_disk();
    expect_all_kept(1'000'000);
  });
}

TEST_F(FaultExportDisk, ReadOnlyAtTheStartIsAnErrorAndIsWaitedFor) {
  on_disk_of("size=8m", [&] {
    ASSERT_EQ(::mount("none", spool().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=8m"), 0);
    emit(500);
    start_with_spool();
    ASSERT_TRUE(flusher_->says("Read-only file system")) << flusher_->log_text();
    EXPECT_EQ(promise_.accounting().total.pending, 500U);
    ASSERT_EQ(::mount("none", spool().c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    ASSERT_TRUE(eventually([&] { return is_spooled(); })) << flusher_->log_text();
    expect_all_kept();
  });
}

/// Its files are removed under the flusher's hands: what it had is written again, and what it takes next is found by a successor.
class FaultExportDiskRemoved : public FaultExportDisk, public ::testing::WithParamInterface<const char*> {};

TEST_P(FaultExportDiskRemoved, WhileInUseIsWrittenAnewAndNothingIsLost) {
  start_with_spool();
  emit(1000);
  ASSERT_TRUE(eventually([&] { return is_spooled(); })) << flusher_->log_text();
  ASSERT_GT(std::filesystem::remove_all(spool() / GetParam()), 0U);
  emit(1000);
  ASSERT_TRUE(flusher_->says("spool_was_removed")) << flusher_->log_text();
  ASSERT_TRUE(eventually([&] { return is_settled() && in_spool() == 2000; })) << flusher_->log_text();
  kill();
  start_with_spool();
  expect_all_kept(1'000'000);
}

INSTANTIATE_TEST_SUITE_P(Of, FaultExportDiskRemoved,
                         ::testing::Values("spool.sqlite", "spool.sqlite-wal", ""), [](const auto& each) {
                           const std::string file = each.param;
                           return std::string(file.empty()                      ? "TheFolder"
                                              : file.find("-wal") < file.size() ? "TheLog"
                                                                                : "TheFile");
                         });

}  // namespace
}  // namespace shmring::testing
