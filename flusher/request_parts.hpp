// SPDX-License-Identifier: Apache-2.0
// An encoded export request, to be cut between its records: each part is a request of its own, with the envelopes
// (resource, scope, schema URLs) that its records had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libshmring/otlp/request.hpp"

namespace shmring::flusher {

class RequestParts {
 public:
  /// nullopt: it is no export request. REQUIRES: the bytes outlive the result.
  static std::optional<RequestParts> of(std::string_view request);

  std::size_t records() const noexcept { return records_.size(); }

  /// Records begin to end - 1, in their order. REQUIRES: begin <= end <= records().
  std::string encode(std::size_t begin, std::size_t end) const;

 private:
  struct Envelope {
    otlp::Bytes resource;
    otlp::Bytes scope;
    std::string_view scope_schema_url;
    std::string_view resource_schema_url;
  };
  struct Record {
    otlp::Bytes payload;
    std::uint32_t envelope;  // index
  };

  bool read_resource(otlp::Bytes bytes);
  bool read_scope(otlp::Bytes bytes, Envelope envelope);

  std::vector<Envelope> envelopes_;
  std::vector<Record> records_;
};

}  // namespace shmring::flusher
