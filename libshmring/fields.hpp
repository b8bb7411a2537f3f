// SPDX-License-Identifier: Apache-2.0
// Encoded fields as strings, where memory may be taken: at set-up.
#pragma once

#include <cstddef>
#include <string>

#include "shmring/wire.hpp"

namespace shmring {

/// Bytes that `put` gives to a sink.
template <typename Put>
std::size_t size_of_fields(const Put& put) {
  wire::SizeSink size;
  put(size);
  return size.size();
}

/// Appends them.
template <typename Put>
void append_fields(std::string& out, const Put& put) {
  const std::size_t begin = out.size();
  out.resize(begin + size_of_fields(put));
  wire::ByteSink sink(reinterpret_cast<std::byte*>(out.data()) + begin);
  put(sink);
}

}  // namespace shmring
