// SPDX-License-Identifier: Apache-2.0
// Text for a terminal: nothing from a ring reaches it unescaped, and columns stand below each other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace shmring::tools {

/// The text with every control character (C0, DEL, C1) and every byte that is not UTF-8 shown as \n, \t, \xNN: what a
/// producer writes must not move the reader's cursor or colour his screen. A backslash is doubled.
std::string escaped(std::string_view text);

/// escaped(), and in double quotes where spaces, quotes, '=' or nothing at all would make it unclear where it ends.
std::string in_quotes(std::string_view text);

/// "[######--------------]" for a fraction from 0 to 1; something is never shown as nothing.
std::string bar(double fraction, std::size_t width);

enum class Align { kLeft, kRight };

/// Rows of cells, printed in columns two spaces apart. Widths are counted in characters, not in bytes.
class Table {
 public:
  /// One alignment for each column; rows may be shorter, not longer.
  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string str() const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace shmring::tools
