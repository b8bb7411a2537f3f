// SPDX-License-Identifier: Apache-2.0
// What C says, as the C++ interface has it. Nothing is copied but the descriptions of attributes and arrays.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <span>
#include <string_view>

#include "shmring/attribute.hpp"
#include "shmring/ids.hpp"
#include "shmring/limits.hpp"
#include "shmring/shmring.h"
#include "shmring/span_encoder.hpp"
#include "shmring/traceparent.hpp"

namespace shmring::c {

inline std::string_view text_of(const char* data, std::size_t size) noexcept {
  if (data == nullptr) return {};
  return {data, size == SHMRING_TERMINATED ? std::strlen(data) : size};
}
inline std::string_view text_of(const shmring_text& text) noexcept { return text_of(text.data, text.size); }

/// Numbers of a later interface say nothing.
inline ContextOrigin origin_of(std::uint32_t origin) noexcept {
  return origin <= SHMRING_ORIGIN_REMOTE ? static_cast<ContextOrigin>(origin) : ContextOrigin::kUnknown;
}
TraceContext context_of(const shmring_trace_context& context) noexcept;
SpanContext context_of(const shmring_span_context& context);
shmring_trace_context c_context(const TraceContext& context) noexcept;

/// Converts what one call was given, and keeps the result as long as it lives: on the stack what nearly every record needs, the rest in
/// memory. Throws std::bad_alloc.
class Converter {
 public:
  Converter() = default;
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  /// Values in values deeper than any record has them become empty ones.
  AttributeValue value(const shmring_value& value, unsigned nesting = 1);
  Attributes attributes(const shmring_attributes& attributes, unsigned nesting = 1);
  std::span<const SpanEvent> events(const shmring_event* events, std::size_t count);
  std::span<const SpanLink> links(const shmring_link* links, std::size_t count);

 private:
  static constexpr std::size_t kOnTheStack = 64 * sizeof(Attribute) + 64;

  template <typename T>
  T* array(std::size_t count) {
    return std::pmr::polymorphic_allocator<T>(&memory_).allocate(count);
  }

  alignas(std::max_align_t) std::array<std::byte, kOnTheStack> stack_;
  std::pmr::monotonic_buffer_resource memory_{stack_.data(), stack_.size()};
};

/// Reads a struct that begins with its size: as much as the program knows of it. False: more than this library knows, and not zero;
/// or no size at all.
template <typename Sized>
bool read(const Sized* given, Sized& sized) noexcept {
  sized = {};
  if (given == nullptr) return false;
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  if (size < sizeof(size)) return false;
  std::memcpy(&sized, given, size < sizeof(Sized) ? size : sizeof(Sized));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof(Sized); i < size; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

}  // namespace shmring::c
