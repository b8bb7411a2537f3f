// SPDX-License-Identifier: Apache-2.0
// SQLite with our kind of errors.

#include "spool/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

namespace shmring::spool {
namespace {

// Another process that reads holds up a commit no longer than that.
constexpr int kBusyMs = 2000;

Error error_of(sqlite3* handle, int code, std::string_view what) {
  const char* const file = handle != nullptr ? sqlite3_db_filename(handle, "main") : nullptr;
  const int system = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  std::string message = fmt::format("cannot {} {}: {}", what, file != nullptr ? file : "the spool",
                                    handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  if (system != 0) message += fmt::format(" (errno {})", system);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {ErrorCode::kNoSpace, message + "; make room on that file system"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kDamaged, message};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kBusy, message};
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return {ErrorCode::kPermission, message + "; may this user write there?"};
    default:
      return {ErrorCode::kSystem, message};
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Statement& Statement::bind(std::int64_t value) {
  failure_ |= sqlite3_bind_int64(statement_.get(), next_++, value);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  failure_ |= sqlite3_bind_text(statement_.get(), next_++, text.data(), static_cast<int>(text.size()),
                                SQLITE_TRANSIENT);
  return *this;
}

/// No copy: requests are large. REQUIRES: the bytes live until the next step.
Statement& Statement::bind(Bytes bytes) {
  const void* const data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
  failure_ |= sqlite3_bind_blob64(statement_.get(), next_++, data, bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  sqlite3* const handle = sqlite3_db_handle(statement_.get());
  if (failure_ != SQLITE_OK) return error_of(handle, SQLITE_MISUSE, "bind a value for");
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const bool is_reading = sqlite3_stmt_readonly(statement_.get()) != 0;
  Error error = error_of(handle, sqlite3_extended_errcode(handle), is_reading ? "read" : "write to");
  reset();
  return error;
}

Result<void> Statement::run() {
  const auto stepped = step();
  if (!stepped) return stepped.error();
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  next_ = 1;
  failure_ = SQLITE_OK;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const { return bytes(column); }

std::string Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string()
                         : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

Result<Database> Database::open(const std::filesystem::path& path, Mode mode) {
  sqlite3* handle = nullptr;
  const int flags =
      (mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database{std::unique_ptr<sqlite3, Close>(handle)};
  if (code != SQLITE_OK) {
    Error error = error_of(nullptr, code, "open");
    error.message = fmt::format("cannot open {}: {}", path.string(), sqlite3_errstr(code));
    return error;
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMs);
  return database;
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(handle_.get(), code, "work on");
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return error_of(handle_.get(), code, "work on");
  return Statement(statement);
}

bool Database::is_removed() const {
  int has_moved = 0;
  sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
  const std::string log = std::string(sqlite3_db_filename(handle_.get(), "main")) + "-wal";
  std::error_code ignored;
  return has_moved != 0 || !std::filesystem::exists(log, ignored);
}

bool Database::is_page_unreadable() const {
  return sqlite3_extended_errcode(handle_.get()) == SQLITE_IOERR_READ;
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }
std::int64_t Database::total_changes() const { return sqlite3_total_changes64(handle_.get()); }

}  // namespace shmring::spool
