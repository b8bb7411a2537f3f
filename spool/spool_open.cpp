// SPDX-License-Identifier: Apache-2.0
// The spool's folder, lock and schema.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "spool/spool_file.hpp"

namespace shmring::spool {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches(
  id INTEGER PRIMARY KEY AUTOINCREMENT, ring BLOB NOT NULL, signal INTEGER NOT NULL, records INTEGER NOT NULL,
  counted INTEGER NOT NULL, rejected INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, lost TEXT NOT NULL DEFAULT '',
  at_ns INTEGER NOT NULL, destinations TEXT NOT NULL, checksum INTEGER NOT NULL, request BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS waiting(
  destination TEXT NOT NULL, signal INTEGER NOT NULL, batch INTEGER NOT NULL,
  PRIMARY KEY(destination, signal, batch)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_by_batch ON waiting(batch);
CREATE TABLE IF NOT EXISTS handed(
  batch INTEGER NOT NULL, ring BLOB NOT NULL, signal INTEGER NOT NULL, block INTEGER NOT NULL,
  generation INTEGER NOT NULL, begin INTEGER NOT NULL, "end" INTEGER NOT NULL, begin_count INTEGER NOT NULL,
  end_count INTEGER NOT NULL, valid INTEGER NOT NULL, invalid INTEGER NOT NULL, corrupt INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS totals(
  ring BLOB NOT NULL, signal INTEGER NOT NULL, taken INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0, dead_lettered INTEGER NOT NULL DEFAULT 0,
  spool_evicted INTEGER NOT NULL DEFAULT 0, corrupt INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(ring, signal)) WITHOUT ROWID;
)";

// auto_vacuum has to come before the first table. The cache is small: the flusher's memory has a limit. Debian's SQLite
// overwrites with zeros what is deleted, which wrote every request once more when it had been delivered.
constexpr const char* kPragmas =
    "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
    "cache_size=-2048;"
    "PRAGMA journal_size_limit=16777216; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
    "PRAGMA secure_delete=FAST;";

Error system_error(const char* what, const std::filesystem::path& path) {
  return {ErrorCode::kSystem, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno))};
}

Result<void> make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    Error error = system_error("make the spool's folder", folder);
    error.message += "; make the folder above it, or give --spool another one";
    return error;
  }
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return system_error("look at", folder);
  if (!S_ISDIR(status.st_mode))
    return Error{ErrorCode::kInvalidArgument, folder.string() + " is no folder; give --spool another one"};
  if (status.st_uid != ::geteuid()) {
    return Error{ErrorCode::kPermission,
                 folder.string() +
                     " belongs to another user; a spool holds records: give --spool a folder of this user"};
  }
  return {};
}

/// Held until the process ends: one flusher writes.
Result<int> take_lock(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_error("open", path);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return Error{ErrorCode::kBusy,
               fmt::format("another flusher uses the spool {}; give each ring's flusher a folder of "
                           "its own with --spool",
                           folder.string())};
}

}  // namespace

SpoolFile::SpoolFile(std::filesystem::path folder, int lock, const SpoolLimits& limits, const RingId& ring)
    : folder_(std::move(folder)), lock_(lock), limits_(limits), ring_(ring) {}

SpoolFile::~SpoolFile() {
  database_.reset();
  ::close(lock_);
}

Result<std::unique_ptr<SpoolFile>> SpoolFile::open(const std::filesystem::path& folder,
                                                   const SpoolLimits& limits, const RingId& ring,
                                                   const Taken& taken) {
  if (auto made = make_folder(folder); !made) return made.error();
  auto lock = take_lock(folder);
  if (!lock) return lock.error();
  std::unique_ptr<SpoolFile> spool(new SpoolFile(folder, *lock, limits, ring));
  spool->taken_ = taken;
  std::error_code ignored;
  if (std::filesystem::exists(spool->rebuilt(), ignored)) {  // whoever rescued it was killed at the end
    if (auto finished = spool->finish_rescue(); !finished) return finished.error();
  }
  auto opened = spool->open_database(spool->file());
  if (opened) opened = spool->look_at_books();
  if (!opened && opened.error().code == ErrorCode::kDamaged) opened = spool->rescue();
  if (!opened) return opened.error();
  return spool;
}

Result<void> SpoolFile::open_database(const std::filesystem::path& path) {
  // SQLite gives its log files the mode of the database.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_error("open", path);
  ::close(fd);
  auto database = Database::open(path, Mode::kReadWrite);
  if (!database) return database.error();
  database_.emplace(std::move(*database));
  if (auto done = database_->execute(kPragmas); !done) return done;
  if (auto done = database_->execute(kSchema); !done) return done;
  auto clock = database_->prepare("SELECT value FROM meta WHERE key='clock'");
  if (!clock) return clock.error();
  const auto saved = clock->step();
  if (!saved) return saved.error();
  clock_ = SpoolClock::restore(*saved ? clock->text(0) : "");
  empty_log();
  return {};
}

/// Somebody has removed the file, or the folder, under us: all of it is still there for us, and is written under its name again.
Result<void> SpoolFile::write_anew() {
  if (auto made = make_folder(folder_); !made) return made;
  if (const auto lock = take_lock(folder_)) {  // else the old one still stands in the folder
    ::close(lock_);
    lock_ = *lock;
  }
  const std::filesystem::path building = file().string() + ".building";
  std::error_code ignored;
  std::filesystem::remove(building, ignored);
  const int fd = ::open(building.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_error("make", building);
  const auto copied = copy_to(building);
  const bool is_synced = ::fsync(fd) == 0;
  ::close(fd);
  if (!copied) return copied;
  if (!is_synced) return system_error("sync", building);
  database_.reset();
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(file().string() + suffix, ignored);
  if (::rename(building.c_str(), file().c_str()) != 0) return system_error("rename", building);
  is_written_anew_ = true;
  return open_database(file());
}

Result<void> SpoolFile::copy_to(const std::filesystem::path& path) {
  auto copy = database_->prepare("VACUUM INTO ?");
  if (!copy) return copy.error();
  return copy->bind(std::string_view(path.native())).run();
}

Result<bool> SpoolFile::begin_session() {
  auto begun = database_->prepare("INSERT OR IGNORE INTO meta(key, value) VALUES('in session', 'yes')");
  if (!begun) return begun.error();
  if (auto done = begun->run(); !done) return done.error();
  return database_->changes() == 0;
}

Result<void> SpoolFile::end_session() {
  return database_->execute("DELETE FROM meta WHERE key = 'in session'");
}

/// S1 of every ring: a sum that is wrong is damage that no reading showed.
Result<void> SpoolFile::look_at_books() {
  auto books = database_->prepare(
      "SELECT count(*) FROM (SELECT taken - accepted - rejected - dead_lettered - spool_evicted - corrupt AS "
      "left, "
      "(SELECT coalesce(sum(counted), 0) FROM batches b WHERE b.ring = t.ring AND b.signal = t.signal) AS "
      "there "
      "FROM totals t) WHERE left <> there");
  if (!books) return books.error();
  const auto row = books->step();
  if (!row) return row.error();
  if (books->integer(0) > 0)
    return Error{ErrorCode::kDamaged, file().string() + " does not hold what its totals promise"};
  return {};
}

}  // namespace shmring::spool
