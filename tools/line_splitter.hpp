// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of bytes into lines, with bounded memory.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace shmring::tools {

/// Gives each line to a sink, without its newline and without a carriage return before that. A line of more than
/// `max_bytes` comes in pieces, cut between UTF-8 characters where there is one to cut behind.
class LineSplitter {
 public:
  using Sink = std::function<void(std::string_view line)>;

  /// REQUIRES: max_bytes >= 4.
  LineSplitter(std::size_t max_bytes, Sink sink) : max_bytes_(max_bytes), sink_(std::move(sink)) {}

  void feed(std::string_view bytes);
  /// The stream has ended: a last line without a newline is a line too.
  void finish();

 private:
  void give_full_pieces();
  void give_line();

  std::size_t max_bytes_;
  Sink sink_;
  std::string line_;              // what has come of the current line
  bool continues_piece_ = false;  // pieces of the current line were given already
};

}  // namespace shmring::tools
