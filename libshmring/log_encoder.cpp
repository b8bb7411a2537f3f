// SPDX-License-Identifier: Apache-2.0
// LogRecord without a ring: for those who have a buffer of their own.

#include "shmring/log_encoder.hpp"

namespace shmring {
namespace {

template <typename Sink>
void put(Sink& sink, const LogRecord& record, const AttributeLimits& limits) noexcept {
  wire::SelectionBuffer buffer;
  const auto attributes = wire::can_take_all(record.attributes, limits.count)
                              ? wire::take_all(record.attributes)
                              : wire::select_attributes(record.attributes, limits.count, buffer);
  wire::put_log(sink, record, attributes, limits.value_length);
}

}  // namespace

std::size_t encoded_size(const LogRecord& record, const AttributeLimits& limits) noexcept {
  wire::SizeSink sink;
  put(sink, record, limits);
  return sink.size();
}

std::byte* encode(std::byte* out, const LogRecord& record, const AttributeLimits& limits) noexcept {
  wire::ByteSink sink(out);
  put(sink, record, limits);
  return sink.position();
}

}  // namespace shmring
