// SPDX-License-Identifier: Apache-2.0
// What each OTLP protocol makes of a batch.

#include "flusher/otlp_request.hpp"

#include <span>

#include "flusher/grpc_text.hpp"
#include "flusher/gzip.hpp"
#include "libshmring/otlp/json.hpp"

namespace shmring::flusher {
namespace {

const char* content_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttpProtobuf:
      return "Content-Type: application/x-protobuf";
    case Protocol::kHttpJson:
      return "Content-Type: application/json";
    case Protocol::kGrpc:
      return "Content-Type: application/grpc";
  }
  return "";
}

/// True: the request's body is compressed now.
bool compress(const Batch& batch, OtlpRequest& request) {
  auto compressed = gzip(request.body(batch));
  if (!compressed) return false;
  request.own_body = std::move(*compressed);
  return true;
}

/// gRPC compresses messages, not bodies, and puts a header of its own before each.
void frame(const Batch& batch, const OtlpTarget& target, IsCompressed compressed, OtlpRequest& request) {
  request.headers.emplace_back("TE: trailers");
  request.headers.emplace_back("grpc-timeout: " + grpc_timeout(target.timeout));
  if (compressed == IsCompressed::kYes) request.headers.emplace_back("grpc-encoding: gzip");
  request.prefix = grpc_frame_header(compressed, request.body(batch).size());
}

}  // namespace

OtlpRequest make_request(const Batch& batch, const OtlpTarget& target) {
  OtlpRequest out;
  out.headers.emplace_back(content_type(target.protocol));
  if (target.protocol == Protocol::kHttpJson) {
    otlp::append_request_json(batch.signal, std::as_bytes(std::span(batch.request)), out.own_body);
  }
  const bool is_compressed = target.compression == Compression::kGzip && compress(batch, out);
  if (target.protocol == Protocol::kGrpc) {
    frame(batch, target, is_compressed ? IsCompressed::kYes : IsCompressed::kNo, out);
  } else if (is_compressed) {
    out.headers.emplace_back("Content-Encoding: gzip");
  }
  return out;
}

}  // namespace shmring::flusher
