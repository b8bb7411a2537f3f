// SPDX-License-Identifier: Apache-2.0
// FAULTS: file truncated, unlinked, replaced, chmod'ed while mapped. An error that says so, and the flusher lives: what can
// be read is delivered, and the next ring at that path is served. The tools live, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "libshmring/page_guard.hpp"
#include "shmring/shmring.hpp"
#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::size_t times(const std::string& what, const std::string& text) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++found;
  return found;
}

/// A flusher that writes to a file, a path with a ring, and producers that come and go.
class FaultRingFile : public ::testing::Test {
 protected:
  ScratchRing ring{{.blocks = 64}};
  fs::path log = ring.folder() / "flusher.log";

  std::vector<std::string> arguments(const std::string& interval) const {
    return {"--ring",       ring.path(), "--file",      ring.folder() / "out.jsonl",
            "--interval",   interval,    "--size",      "256KiB",
            "--block-size", "4KiB",      "--log-level", "debug"};
  }
  FlusherProcess start(const std::string& interval = "10ms") const {
    return {SHMRING_FLUSHER, arguments(interval), log};
  }
  /// By a process that has ended when this returns.
  [[nodiscard]] bool emit(const std::string& body, int count = 1) const {
    return in_child([&] {
             const auto opened = Ring::open(ring.path());
             if (!opened) return 1;
             for (int n = 0; n < count; ++n) {
               if (!opened->logger("test").emit(Severity::kInfo, body)) return 2;
             }
             return 0;
           })
        .with(0);
  }
  std::size_t delivered(const std::string& body) const {
    return times("\"" + body + "\"", content(ring.folder() / "out.logs.jsonl"));
  }
  [[nodiscard]] bool arrives(const std::string& body, std::size_t count = 1) const {
    return eventually([&] { return delivered(body) >= count; });
  }
  [[nodiscard]] bool logs(const std::string& event, std::size_t count) const {
    return eventually([&] { return times("event=" + event, content(log)) >= count; });
  }
  /// What the log says of why the ring was left.
  std::string reason() const {
    std::smatch found;
    const std::string text = content(log);
    const std::regex line("event=ring_lost .*reason=\"([^\"]*)\"");
    return std::regex_search(text, found, line) ? found[1].str() : "nothing";
  }
};

TEST_F(FaultRingFile, TruncatedWhileMappedIsAnErrorAndTheFlusherServesTheNextRing) {
  FlusherProcess flusher = start();
  ASSERT_TRUE(emit("before"));
  ASSERT_TRUE(arrives("before"));
  fs::resize_file(ring.path(), 0);
  ASSERT_TRUE(flusher.says("event=waiting_for_ring"));
  EXPECT_THAT(reason(), HasSubstr("was truncated from"));
  EXPECT_THAT(reason(), HasSubstr("remove it, and restart its producers"));
  fs::remove(ring.path());
  ASSERT_TRUE(flusher.says("event=ring_created"));
  ASSERT_TRUE(eventually([&] { return emit("after"); }));
  ASSERT_TRUE(arrives("after"));
  EXPECT_EQ(flusher.stop(), 0);
  EXPECT_EQ(delivered("before"), 1U);
}

/// The file is cut short at a place and an instant that nobody has chosen: in the middle of a drain as well.
TEST_F(FaultRingFile, TruncatedWhileItIsDrainedNeverEndsTheFlusher) {
  FlusherProcess flusher = start("1ms");
  ASSERT_TRUE(flusher.says("event=started"));
  SplitMix random(7);
  constexpr std::size_t kRounds = 25;
  for (std::size_t round = 1; round <= kRounds; ++round) {
    ASSERT_TRUE(eventually([&] { return emit("round", 300); }));
    spin(random.below(100'000));
    fs::resize_file(ring.path(), random.below(fs::file_size(ring.path())));
    ASSERT_TRUE(logs("ring_lost", round)) << "round " << round;
    fs::remove(ring.path());
    ASSERT_TRUE(logs("ring_created", round)) << "round " << round;
  }
  EXPECT_EQ(flusher.stop(), 0);
}

/// Nothing but the bus error tells of it: the flusher does not look for an hour.
TEST_F(FaultRingFile, TruncatedBetweenTwoLooksIsSurvivedInTheCopy) {
  FlusherProcess flusher = start("1h");
  ASSERT_TRUE(flusher.says("event=started"));
  ASSERT_TRUE(emit("pending", 100));
  fs::resize_file(ring.path(), 0);
  EXPECT_EQ(flusher.stop(), 1);
  EXPECT_THAT(reason(), HasSubstr("was truncated from"));
}

TEST_F(FaultRingFile, TruncatedWhileMappedStillGivesWhatItHas) {
  ASSERT_TRUE(emit("pending", 500));
  const RingFile file = ring.attach();
  const PageGuard guard(file);
  const Geometry& sizes = file.geometry();
  fs::resize_file(ring.path(), sizes.blocks_offset + 2 * sizes.block_bytes + 100);
  Drainer drainer(file);
  Deliveries none;
  const std::uint64_t found = drainer.pass(none);
  EXPECT_EQ(found, 500U);
  EXPECT_TRUE(guard.has_lost_pages());
  EXPECT_GT(drainer.corrupt(), 0U) << "nothing was missing: the fault did not happen";
  EXPECT_GT(found - drainer.corrupt(), 50U) << "two blocks are there";
}

TEST_F(FaultRingFile, TruncatedWhileMappedEndsItsProducersBySigbus) {
  // Without a handler, which a library must not install, nothing else is possible: known and documented.
  const Ended ended = in_child([&] {
    const Logger logger = ring.open().logger("test");
    if (!logger.emit(Severity::kInfo, "before")) return 1;
    fs::resize_file(ring.path(), 0);
    ::signal(SIGBUS, SIG_DFL);
    return logger.emit(Severity::kInfo, "after") ? 2 : 3;
  });
  EXPECT_TRUE(ended.by(SIGBUS)) << ended.text();
}

TEST_F(FaultRingFile, TruncatedWhileMappedEndsATapWithAnError) {
  const fs::path out = ring.folder() / "tap.log";
  FlusherProcess tap(SHMRING_CLI, {"tap", ring.path()}, out);
  ASSERT_TRUE(eventually([&] { return emit("shown") && content(out).find("shown") != std::string::npos; }));
  fs::resize_file(ring.path(), 0);
  EXPECT_EQ(tap.wait(), 1);
  EXPECT_THAT(content(out), HasSubstr("was truncated from"));
}

TEST_F(FaultRingFile, TruncatedWhileMappedLeavesACommandUnderExecAlone) {
  const fs::path out = ring.folder() / "exec.log";
  const fs::path go = ring.folder() / "go";
  const std::string command =
      "echo first; until test -e " + go.string() + "; do :; done; echo second; exit 7";
  FlusherProcess exec(SHMRING_CLI, {"exec", ring.path(), "--", "/bin/sh", "-c", command}, out);
  const RingFile file = ring.attach(Access::kReadOnly);
  ASSERT_TRUE(eventually([&] { return account(file).total.written == 1; }));
  fs::resize_file(ring.path(), 0);
  std::ofstream(go) << "go";
  EXPECT_EQ(exec.wait(), 7);
  EXPECT_THAT(content(out), HasSubstr("was truncated from"));
}

TEST_F(FaultRingFile, OverwrittenWhileMappedIsAnErrorAndTheFlusherServesTheNextRing) {
  FlusherProcess flusher = start();
  ASSERT_TRUE(emit("before"));
  ASSERT_TRUE(arrives("before"));
  const auto size = fs::file_size(ring.path());
  flusher.signal(SIGSTOP);
  fs::resize_file(ring.path(), 0);
  fs::resize_file(ring.path(), size);  // as long as before, and empty
  flusher.signal(SIGCONT);
  ASSERT_TRUE(flusher.says("event=waiting_for_ring"));
  EXPECT_THAT(reason(), HasSubstr("was overwritten while in use"));
  fs::remove(ring.path());
  ASSERT_TRUE(flusher.says("event=ring_created"));
  ASSERT_TRUE(eventually([&] { return emit("after"); }));
  ASSERT_TRUE(arrives("after"));
  EXPECT_EQ(flusher.stop(), 0);
}

TEST_F(FaultRingFile, UnlinkedWhileMappedIsAnErrorAndWhatItHeldIsDelivered) {
  FlusherProcess flusher = start();
  ASSERT_TRUE(flusher.says("event=started"));
  flusher.signal(SIGSTOP);
  ASSERT_TRUE(emit("held", 10));
  fs::remove(ring.path());
  flusher.signal(SIGCONT);
  ASSERT_TRUE(arrives("held", 10));
  ASSERT_TRUE(flusher.says("event=ring_created"));
  EXPECT_THAT(reason(), HasSubstr("was removed or replaced while in use"));
  ASSERT_TRUE(eventually([&] { return emit("after"); }));
  ASSERT_TRUE(arrives("after"));
  EXPECT_EQ(flusher.stop(), 0);
  EXPECT_EQ(delivered("held"), 10U);
}

TEST_F(FaultRingFile, ReplacedWhileMappedIsAnErrorAndBothRingsAreDelivered) {
  FlusherProcess flusher = start();
  ASSERT_TRUE(flusher.says("event=started"));
  flusher.signal(SIGSTOP);
  ASSERT_TRUE(emit("of the first", 10));
  const fs::path other = ring.folder() / "other.ring";
  ASSERT_TRUE(Ring::create({.path = other, .capacity_bytes = 1 << 18, .block_bytes = 4096, .writers = 64}));
  fs::rename(other, ring.path());
  ASSERT_TRUE(emit("of the second", 10));
  flusher.signal(SIGCONT);
  ASSERT_TRUE(arrives("of the first", 10));
  ASSERT_TRUE(arrives("of the second", 10));
  EXPECT_THAT(reason(), HasSubstr("was removed or replaced while in use"));
  EXPECT_EQ(flusher.stop(), 0);
  EXPECT_EQ(delivered("of the first"), 10U);
  EXPECT_EQ(delivered("of the second"), 10U);
}

TEST_F(FaultRingFile, ReplacedByNoRingIsWaitedOutByTheFlusher) {
  FlusherProcess flusher = start();
  ASSERT_TRUE(flusher.says("event=started"));
  fs::remove(ring.path());
  fs::create_directory(ring.path());
  ASSERT_TRUE(flusher.says("event=waiting_for_ring"));
  EXPECT_THAT(flusher.log_text(), HasSubstr("is a folder, not a ring"));
  EXPECT_EQ(flusher.stop(), 1) << "told to end while there is no ring";
}

TEST_F(FaultRingFile, ChmodedWhileMappedIsAnErrorForWhoComesAndNoneForWhoIsThere) {
  FlusherProcess flusher = start();
  const Logger attached = ring.open().logger("test");
  for (const mode_t mode : {0000U, 0666U, 0200U}) {
    ASSERT_EQ(::chmod(ring.path().c_str(), mode), 0);
    const std::string body = "mode " + std::to_string(mode);
    ASSERT_TRUE(attached.emit(Severity::kInfo, body));
    ASSERT_TRUE(arrives(body));
  }
  ASSERT_EQ(::chmod(ring.path().c_str(), 0666), 0);
  const Ended newcomer = in_child([&] {
    const auto opened = RingFile::attach(ring.path());
    if (opened) return 1;
    return opened.error().code == ErrorCode::kPermission &&
                   opened.error().message.find("mode 0600") != std::string::npos
               ? 0
               : 2;
  });
  EXPECT_TRUE(newcomer.with(0)) << newcomer.text();
  ASSERT_EQ(::chmod(ring.path().c_str(), 0600), 0);
  ASSERT_TRUE(emit("again"));
  ASSERT_TRUE(arrives("again"));
  EXPECT_EQ(flusher.stop(), 0);
  EXPECT_EQ(times("event=ring_lost", content(log)), 0U);
}

TEST_F(FaultRingFile, TruncatedUnderAStandbyLetsOneOfTheTwoServeTheNextRing) {
  FlusherProcess holder = start();
  ASSERT_TRUE(holder.says("event=started"));
  FlusherProcess standby(SHMRING_FLUSHER, arguments("10ms"), ring.folder() / "standby.log");
  ASSERT_TRUE(standby.says("event=standing_by"));
  fs::resize_file(ring.path(), 100);
  ASSERT_TRUE(holder.says("event=waiting_for_ring"));
  ASSERT_TRUE(standby.says("event=waiting_for_ring"));
  fs::remove(ring.path());
  ASSERT_TRUE(eventually([&] { return emit("after"); }));
  ASSERT_TRUE(arrives("after"));
  EXPECT_EQ(holder.stop(), 0);
  ASSERT_TRUE(emit("later"));
  ASSERT_TRUE(arrives("later"));
  EXPECT_EQ(standby.stop(), 0);
  EXPECT_EQ(delivered("after"), 1U);
}

}  // namespace
}  // namespace shmring::testing
