// SPDX-License-Identifier: Apache-2.0
// What each OTLP protocol makes of a batch: the body of a POST, and the headers that say what it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flusher/batch.hpp"
#include "flusher/config.hpp"

namespace shmring::flusher {

struct OtlpRequest {
  std::string own_body = {};              // empty: the batch's bytes go as they are
  std::string prefix = {};                // goes before the body
  std::vector<std::string> headers = {};  // complete lines

  std::string_view body(const Batch& batch) const {
    return own_body.empty() ? std::string_view(batch.request) : own_body;
  }
};

/// Compressed where the target asks for that; uncompressed all the same where memory is too short for it.
OtlpRequest make_request(const Batch& batch, const OtlpTarget& target);

}  // namespace shmring::flusher
