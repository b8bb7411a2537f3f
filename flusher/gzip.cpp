// SPDX-License-Identifier: Apache-2.0
// Compresses a request body, and unpacks an answer.

#include "flusher/gzip.hpp"

#include <zlib.h>

#include <algorithm>

namespace shmring::flusher {
namespace {

Bytef* bytes_of(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's old signature; it only reads
}

}  // namespace

std::optional<std::string> gzip(std::string_view bytes) {
  // The fastest level: telemetry repeats itself so much that the others gain little for several times the work.
  constexpr int kLevel = Z_BEST_SPEED;
  constexpr int kGzipWindow = 15 + 16;  // zlib's way to say "with gzip's header"
  constexpr int kMemory = 8;            // zlib's default
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = bytes_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  return out;
}

std::optional<std::string> unpacked(std::string_view bytes, std::size_t most) {
  constexpr int kEitherWindow = 15 + 32;  // zlib's way to say "with gzip's header or zlib's"
  constexpr std::size_t kStep = 4096;     // an answer of a few bytes, which most are, takes no more
  z_stream stream{};
  if (inflateInit2(&stream, kEitherWindow) != Z_OK) return std::nullopt;
  stream.next_in = bytes_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int status = Z_OK;
  while (status == Z_OK && stream.avail_out == 0 && out.size() <= most) {
    out.resize(std::min(out.size() + kStep, most + 1));  // the byte too many shows that there are more
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    status = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  const bool is_whole = status == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!is_whole || out.size() > most) return std::nullopt;
  return out;
}

}  // namespace shmring::flusher
