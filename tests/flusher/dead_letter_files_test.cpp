// SPDX-License-Identifier: Apache-2.0
#include "flusher/dead_letter_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/flusher/fakes.hpp"
#include "tests/support/collector.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/promise.hpp"

namespace {

enum class Failing { kNothing, kSyncOfFiles, kSyncOfFolders };
std::atomic<Failing> failing{Failing::kNothing};

int synced(long call, int fd, Failing by) {
  if (failing != by) return static_cast<int>(::syscall(call, fd));
  errno = EIO;
  return -1;
}

}  // namespace

// What this program's own code calls, instead of the C library's.
extern "C" int fdatasync(int fd) { return synced(SYS_fdatasync, fd, Failing::kSyncOfFiles); }
extern "C" int fsync(int fd) { return synced(SYS_fsync, fd, Failing::kSyncOfFolders); }

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;
using testing::value_or_abort;

std::string request_of(const std::string& body) {
  testing::LogsRequest request;
  request.add_resource_logs()->add_scope_logs()->add_log_records()->mutable_body()->set_string_value(body);
  return request.SerializeAsString();
}

struct Store {
  testing::ScratchFolder folder;
  Log log{LogLevel::kError, [](std::string_view) {}};
  std::filesystem::path path() const { return folder.path() / "dead"; }
  std::unique_ptr<DeadLetterFiles> open(const DeadLetterLimits& limits = {}) {
    return value_or_abort(DeadLetterFiles::open(path(), limits, log));
  }
  std::vector<std::filesystem::path> files() const { return dead_letters_in(path()); }
};

DeadLetter letter(const std::string& request) {
  return {.signal = Signal::kLogs,
          .request = request,
          .records = 1,
          .destination = "otlp",
          .reason = "HTTP status 400: \"no\" \xff"};
}

TEST(DeadLetterFiles, PeopleCanReadThemAndTheyComeBackAsTheyWere) {
  Store store;
  const std::string request = request_of("last words");
  ASSERT_TRUE(store.open()->keep(letter(request)));
  ASSERT_EQ(store.files().size(), 1U);
  std::ifstream file(store.files()[0]);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, HasSubstr("\"last words\""));
  EXPECT_THAT(text, HasSubstr("HTTP status 400"));
  const StoredLetter read = value_or_abort(read_dead_letter(store.files()[0]));
  EXPECT_EQ(read.request, request);
  EXPECT_EQ(read.destination, "otlp");
  EXPECT_EQ(read.records, 1U);
  struct stat status {};
  ASSERT_EQ(::stat(store.files()[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST(DeadLetterFiles, WhatIsNotOnTheDiskIsNotKept) {
  Store store;
  const auto files = store.open();
  for (const Failing by : {Failing::kSyncOfFiles, Failing::kSyncOfFolders}) {
    failing = by;
    EXPECT_FALSE(files->keep(letter(request_of("unsynced"))));
    failing = Failing::kNothing;
    EXPECT_TRUE(std::filesystem::is_empty(store.path()));
  }
  EXPECT_TRUE(files->keep(letter(request_of("synced"))));
  EXPECT_EQ(store.files().size(), 1U);
}

TEST(DeadLetterFiles, TheOldestGoWhenThereIsNoRoom) {
  Store store;
  const auto files = store.open({.bytes = 20'000});
  for (int n = 0; n < 10; ++n)
    ASSERT_TRUE(files->keep(letter(request_of(std::to_string(n) + std::string(2000, 'x')))));
  const auto left = store.files();
  ASSERT_FALSE(left.empty());
  EXPECT_LT(left.size(), 10U);
  EXPECT_EQ(files->dropped_records(), 10 - left.size());
  EXPECT_THAT(value_or_abort(read_dead_letter(left.back())).request, HasSubstr("9xxx"));
  EXPECT_FALSE(files->keep(letter(request_of(std::string(50'000, 'x'))))) << "larger than the whole store";
}

TEST(DeadLetterFiles, OldOnesGo) {
  Store store;
  {
    std::filesystem::create_directory(store.path());
    std::ofstream(store.path() / "0000000000001-00000001-7-logs.json") << "{}";
  }
  const auto files = store.open();
  ASSERT_TRUE(files->keep(letter(request_of("new"))));
  files->tick();
  EXPECT_EQ(store.files().size(), 1U);
  EXPECT_EQ(files->dropped_records(), 7U);
}

TEST(DeadLetterFiles, AFolderThatCannotBeMadeIsAnErrorThatSaysWhatToDo) {
  Store store;
  const auto opened = DeadLetterFiles::open(store.folder.path() / "no" / "where", {}, store.log);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("--dead-letter"));
}

TEST(DeadLetterFiles, WhatIsNoLetterIsRefused) {
  Store store;
  for (const char* text : {"", "[]", "{}", "{\"signal\":\"logs\"}"}) {
    const std::filesystem::path path = store.folder.path() / "x.json";
    std::ofstream(path) << text;
    EXPECT_FALSE(read_dead_letter(path)) << text;
  }
}

/// What no server would take is kept for people, told apart by its reason, and neither sent again nor in the way of others.
TEST(DeadLettersOfTheFlusher, HoldRecordsThatAreNoOtlpUntilTheyAreTooOld) {
  testing::Promise promise({.blocks = 64});
  testing::Collector collector;
  testing::HttpServer server([&](const testing::HttpRequest& request) { return collector.answer(request); });
  const std::filesystem::path dead = promise.scratch().folder() / "dead";
  const std::filesystem::path log = promise.scratch().folder() / "log";
  const std::vector<std::string> arguments{
      "--ring",     promise.scratch().path(), "--exporter", "otlp", "--endpoint",
      server.url(), "--dead-letter",          dead.string()};
  const auto run = [&](const std::string& mode) {
    std::vector<std::string> all = arguments;
    all.push_back(mode);
    return testing::FlusherProcess(SHMRING_FLUSHER, all, log).wait();
  };
  const std::string garbage = "\xff\xff\xff";
  const Ring ring = promise.scratch().open();
  for (int n = 0; n < 3; ++n) {
    Slot slot = ring.writer().try_reserve(RecordKind::kLog, garbage.size());
    ASSERT_TRUE(slot);
    std::memcpy(slot.payload().data(), garbage.data(), garbage.size());
    ASSERT_TRUE(std::move(slot).commit());
  }
  ASSERT_EQ(testing::emit_many(ring.logger("test"), promise.obligations(), 20), 20U);
  EXPECT_EQ(run("--once"), 1) << "not everything was accepted";
  EXPECT_EQ(testing::outcome(promise.accounting(), Outcome::kInvalid), 3U);
  EXPECT_EQ(testing::outcome(promise.accounting(), Outcome::kAccepted), 20U);
  testing::expect_closed(promise.file());
  ASSERT_EQ(dead_letters_in(dead).size(), 1U);
  const StoredLetter letter = value_or_abort(read_dead_letter(dead_letters_in(dead)[0]));
  EXPECT_EQ(letter.records, 3U);
  EXPECT_EQ(letter.destination, kNoDestination);
  EXPECT_THAT(letter.reason, HasSubstr("(3)"));
  EXPECT_THAT(letter.request, HasSubstr(garbage));
  EXPECT_EQ(run("--replay-dead-letters"), 0) << "there is nothing that could be sent";
  EXPECT_EQ(dead_letters_in(dead).size(), 1U);

  std::vector<std::string> running = arguments;
  running.insert(running.end(), {"--dead-letter-age", "2s", "--interval", "10ms"});
  testing::FlusherProcess flusher(SHMRING_FLUSHER, running, log);
  Slot slot = ring.writer().try_reserve(RecordKind::kLog, garbage.size());
  std::memcpy(slot.payload().data(), garbage.data(), garbage.size());
  ASSERT_TRUE(std::move(slot).commit());
  ASSERT_TRUE(
      testing::eventually([&] { return testing::outcome(promise.accounting(), Outcome::kInvalid) == 4; }));
  EXPECT_TRUE(testing::eventually([&] { return dead_letters_in(dead).empty(); })) << "while it runs";
  EXPECT_EQ(flusher.stop(), 0) << flusher.log_text();
  EXPECT_THAT(flusher.log_text(), HasSubstr("too old"));
}

TEST(ReplayOfDeadLetters, SendsWhatWasRefusedAndRemovesWhatIsTaken) {
  testing::Promise promise({.blocks = 64});
  testing::Collector collector;
  std::atomic<bool> is_refusing{true};
  testing::HttpServer server([&](const testing::HttpRequest& request) {
    return is_refusing ? testing::HttpReply{.status = 401} : collector.answer(request);
  });
  const std::filesystem::path dead = promise.scratch().folder() / "dead";
  const std::vector<std::string> arguments{
      "--ring",     promise.scratch().path(), "--exporter", "otlp", "--endpoint",
      server.url(), "--dead-letter",          dead.string()};
  const auto run = [&](const std::string& mode) {
    std::vector<std::string> all = arguments;
    all.push_back(mode);
    return testing::FlusherProcess(SHMRING_FLUSHER, all, promise.scratch().folder() / "log").wait();
  };
  ASSERT_EQ(testing::emit_many(promise.scratch().open().logger("test"), promise.obligations(), 20), 20U);
  EXPECT_EQ(run("--once"), 1);
  EXPECT_EQ(testing::outcome(promise.accounting(), Outcome::kDeadLettered), 20U);
  EXPECT_EQ(dead_letters_in(dead).size(), 1U);
  EXPECT_EQ(run("--replay-dead-letters"), 1) << "it is refused again, and stays";
  EXPECT_EQ(dead_letters_in(dead).size(), 1U);
  is_refusing = false;
  EXPECT_EQ(run("--replay-dead-letters"), 0);
  EXPECT_TRUE(dead_letters_in(dead).empty());
  collector.with_deliveries([&](testing::Deliveries& d) { EXPECT_EQ(d.lost(promise.obligations()), 0U); });
}

}  // namespace
}  // namespace shmring::flusher
