// SPDX-License-Identifier: Apache-2.0
// Compresses a request body.

#include "flusher/gzip.hpp"

#include <zlib.h>

namespace shmring::flusher {

std::optional<std::string> gzip(std::string_view bytes) {
  // The fastest level: telemetry repeats itself so much that the others gain little for several times the work.
  constexpr int kLevel = Z_BEST_SPEED;
  constexpr int kGzipWindow = 15 + 16;  // zlib's way to say "with gzip's header"
  constexpr int kMemory = 8;            // zlib's default
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's old signature; it only reads
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  return out;
}

}  // namespace shmring::flusher
