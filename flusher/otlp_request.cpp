// SPDX-License-Identifier: Apache-2.0
// What each OTLP protocol makes of a batch.

#include "flusher/otlp_request.hpp"

#include <span>

#include "flusher/gzip.hpp"
#include "libshmring/otlp/json.hpp"

namespace shmring::flusher {

OtlpRequest make_request(const Batch& batch, const OtlpTarget& target) {
  OtlpRequest out;
  if (target.protocol == Protocol::kHttpJson) {
    otlp::append_request_json(batch.signal, std::as_bytes(std::span(batch.request)), out.own_body);
    out.headers.emplace_back("Content-Type: application/json");
  } else {
    out.headers.emplace_back("Content-Type: application/x-protobuf");
  }
  if (target.compression == Compression::kGzip) {
    if (auto compressed = gzip(out.body(batch))) {
      out.own_body = std::move(*compressed);
      out.headers.emplace_back("Content-Encoding: gzip");
    }
  }
  return out;
}

}  // namespace shmring::flusher
