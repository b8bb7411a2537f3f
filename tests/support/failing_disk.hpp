// SPDX-License-Identifier: Apache-2.0
// SQLite on a disk that fails as told: the ordinary VFS, with its reads, writes and syncs behind a switch.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace shmring::testing {

class FailingDisk {
 public:
  enum Operation : unsigned { kRead = 1, kWrite = 2, kSync = 4 };

  /// What fails, from which such operation on (counted from 0), how often, and what SQLite is told.
  struct Fault {
    unsigned operations = kWrite;
    std::uint64_t after = 0;
    std::uint64_t times = UINT64_MAX;
    int code = SQLITE_IOERR_WRITE;
    std::string file = {};  // only there; empty: anywhere
    std::int64_t from = 0;  // only there in it
    std::int64_t to = INT64_MAX;
  };

  /// Of this process; from the first call on every database that is opened lies on it.
  static FailingDisk& disk() {
    static FailingDisk only;
    return only;
  }

  void fail(const Fault& fault) {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    seen_ = 0;
    failed_ = 0;
  }
  void mend() { fail({.operations = 0}); }
  /// Since fail().
  std::uint64_t failed() const noexcept { return failed_; }
  std::uint64_t seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  FailingDisk() : ordinary_(sqlite3_vfs_find(nullptr)), vfs_(*ordinary_) {
    mend();
    vfs_.zName = "shmring-failing";
    vfs_.pNext = nullptr;
    vfs_.xOpen = &FailingDisk::open;
    if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) std::abort();
  }

  /// SQLITE_OK: this one is done.
  int look(Operation operation, sqlite3_file* file, std::int64_t at = 0) {
    const std::lock_guard lock(mutex_);
    if (!fault_.file.empty() && names_[file] != fault_.file) return SQLITE_OK;
    if ((fault_.operations & operation) == 0 || at < fault_.from || at >= fault_.to) return SQLITE_OK;
    const std::uint64_t number = seen_++;
    if (number < fault_.after || failed_ >= fault_.times) return SQLITE_OK;
    ++failed_;
    return fault_.code;
  }

  static int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
    const int code = disk().ordinary_->xOpen(disk().ordinary_, name, file, flags, out);
    if (code == SQLITE_OK) file->pMethods = disk().wrapped(file, name);
    return code;
  }
  /// The same file, by a table of functions in which ours come first.
  const sqlite3_io_methods* wrapped(sqlite3_file* file, const char* name) {
    const std::lock_guard lock(mutex_);
    const sqlite3_io_methods* const methods = file->pMethods;
    names_[file] = name == nullptr ? "" : name;
    ordinary_methods_ =
        methods;  // one table for all that is locked in one way; others differ in their locks only
    sqlite3_io_methods& own = tables_.emplace(methods, *methods).first->second;
    own.xRead = &FailingDisk::read;
    own.xWrite = &FailingDisk::write;
    own.xSync = &FailingDisk::sync;
    return &own;
  }

  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    const int code = disk().look(kRead, file, at);
    return code != SQLITE_OK ? code : disk().ordinary_methods_->xRead(file, to, size, at);
  }
  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    const int code = disk().look(kWrite, file, at);
    return code != SQLITE_OK ? code : disk().ordinary_methods_->xWrite(file, from, size, at);
  }
  static int sync(sqlite3_file* file, int flags) {
    const int code = disk().look(kSync, file);
    return code != SQLITE_OK ? code : disk().ordinary_methods_->xSync(file, flags);
  }

  std::mutex mutex_;
  sqlite3_vfs* ordinary_;
  sqlite3_vfs vfs_;
  std::map<const sqlite3_io_methods*, sqlite3_io_methods> tables_;
  std::map<sqlite3_file*, std::string> names_;  // an address is given again only to another that is opened
  const sqlite3_io_methods* ordinary_methods_ = nullptr;
  Fault fault_;
  std::uint64_t seen_ = 0;
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace shmring::testing
