// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of bytes into lines, with bounded memory.
#include "tools/line_splitter.hpp"

#include <algorithm>

namespace shmring::tools {
namespace {

/// Where to cut a text of more than `limit` bytes: at most 3 bytes before the limit, at a character's first byte.
std::size_t cut_before(std::string_view text, std::size_t limit) {
  for (std::size_t cut = limit; cut > limit - 4; --cut) {
    if ((static_cast<unsigned char>(text[cut]) & 0xC0U) != 0x80U) return cut;
  }
  return limit;  // no UTF-8 at all
}

}  // namespace

void LineSplitter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    // A piece at a time, so that a line without an end never takes more than two of them.
    const std::string_view part = bytes.substr(0, max_bytes_);
    const std::size_t newline = part.find('\n');
    line_ += part.substr(0, newline);
    if (newline == std::string_view::npos) {
      give_full_pieces();
      bytes.remove_prefix(part.size());
    } else {
      give_line();
      bytes.remove_prefix(newline + 1);
    }
  }
}

void LineSplitter::finish() {
  if (!line_.empty()) give_line();
}

void LineSplitter::give_full_pieces() {
  // One byte more than a piece has to be there: it tells whether a character ends at the limit.
  while (line_.size() > max_bytes_) {
    const std::size_t cut = cut_before(line_, max_bytes_);
    sink_(std::string_view(line_).substr(0, cut));
    line_.erase(0, cut);
    continues_piece_ = true;
  }
}

void LineSplitter::give_line() {
  if (line_.ends_with('\r')) line_.pop_back();
  give_full_pieces();
  // An end that falls together with a piece's end is no empty line of its own.
  if (!line_.empty() || !continues_piece_) sink_(line_);
  line_.clear();
  continues_piece_ = false;
}

}  // namespace shmring::tools
