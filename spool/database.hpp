// SPDX-License-Identifier: Apache-2.0
// SQLite with our kind of errors, and nothing more. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "shmring/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace shmring::spool {

using Bytes = std::span<const std::byte>;

enum class Mode : std::uint8_t { kReadWrite, kReadOnly };

/// A prepared statement; values are bound in order and live until the next step. An error of binding shows in step().
class Statement {
 public:
  Statement& bind(std::int64_t value);
  Statement& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
  Statement& bind(std::uint32_t value) { return bind(static_cast<std::int64_t>(value)); }
  Statement& bind(std::string_view text);
  Statement& bind(Bytes bytes);

  /// True: there is a row.
  Result<bool> step();
  /// For what gives no rows: step, and ready for new values.
  Result<void> run();
  void reset();

  std::int64_t integer(int column) const;
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string text(int column) const;
  std::string bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_ = 1;
  int failure_ = 0;
};

class Database {
 public:
  static Result<Database> open(const std::filesystem::path& path, Mode mode);

  /// Several statements without values.
  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  /// Its file bears its name no more: somebody has removed or replaced it, or its log. What is written goes nowhere then.
  bool is_removed() const;
  /// The last error was a page that the disk did not give.
  bool is_page_unreadable() const;
  std::int64_t last_row() const;
  std::int64_t changes() const;        // by the last statement
  std::int64_t total_changes() const;  // by all of them

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  Database(std::unique_ptr<sqlite3, Close> handle) : handle_(std::move(handle)) {}

  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace shmring::spool
