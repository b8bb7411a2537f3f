// SPDX-License-Identifier: Apache-2.0
// OTLP's AnyValue and KeyValue on the wire, within the attribute limits. Scalars are inline; arrays and maps
// are written by libshmring/value_encoder.cpp. Nothing here allocates, locks, throws or calls the kernel: all
// async-signal-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shmring/attribute.hpp"
#include "shmring/limits.hpp"
#include "shmring/wire.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring::wire {

// Field numbers of opentelemetry.proto.common.v1.
namespace any_value {
inline constexpr std::uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6,
                               kBytes = 7;
}
namespace key_value {
inline constexpr std::uint32_t kKey = 1, kValue = 2;
}

/// Bytes of `text` that make up its first `characters` code points (any byte that does not continue one
/// begins one).
std::size_t cut_size(std::string_view text, std::uint32_t characters) noexcept;

inline std::size_t limited_size(std::string_view text, std::uint32_t value_length) noexcept {
  if (text.size() <= value_length) [[likely]]
    return text.size();  // no text has more characters than bytes
  return cut_size(text, value_length);
}

/// Arrays, maps and integers above int64. `nesting` is the number of values around this one, itself included.
std::size_t large_value_size(const AttributeValue& value, std::uint32_t value_length,
                             unsigned nesting) noexcept;
std::byte* write_large_value(std::byte* out, const AttributeValue& value, std::uint32_t value_length,
                             unsigned nesting) noexcept;

/// Calls use(size, write): the size of the contents of an AnyValue message, and what writes them to a
/// ByteSink. So a value is looked at once for each pass over it, and what is sized is not walked again to be
/// sized: with one walk more for each level, nested values would take 2^depth walks. Values of OTLP's oneof
/// are written whatever they are: false, 0, "" are values.
template <typename Use>
[[gnu::always_inline]] inline void encode_value(const AttributeValue& value, std::uint32_t value_length,
                                                unsigned nesting, Use use) noexcept {
  switch (value.kind()) {
    case ValueKind::kEmpty:
      return use(0, [](ByteSink&) {});
    case ValueKind::kString: {
      const std::string_view text = value.string();
      const std::size_t size = limited_size(text, value_length);
      return use(1 + varint_size(size) + size,
                 [&](ByteSink& sink) { put_bytes(sink, any_value::kString, text.data(), size); });
    }
    case ValueKind::kBool:
      return use(2, [&](ByteSink& sink) { put_varint(sink, any_value::kBool, value.boolean() ? 1 : 0); });
    case ValueKind::kInt:  // negative: two's complement, ten bytes
      return use(1 + varint_size(value.unsigned_integer()),
                 [&](ByteSink& sink) { put_varint(sink, any_value::kInt, value.unsigned_integer()); });
    case ValueKind::kDouble:
      return use(9, [&](ByteSink& sink) {
        put_fixed64(sink, any_value::kDouble, std::bit_cast<std::uint64_t>(value.floating()));
      });
    case ValueKind::kBytes: {
      const auto bytes = value.bytes();
      const std::size_t size = bytes.size() < value_length ? bytes.size() : value_length;
      return use(1 + varint_size(size) + size,
                 [&](ByteSink& sink) { put_bytes(sink, any_value::kBytes, bytes.data(), size); });
    }
    default:
      return use(large_value_size(value, value_length, nesting), [&](ByteSink& sink) {
        sink = ByteSink(write_large_value(sink.position(), value, value_length, nesting));
      });
  }
}

template <typename Write>
[[gnu::always_inline]] inline void put_contents(SizeSink& sink, std::size_t size, Write&&) noexcept {
  sink.bytes(nullptr, size);
}
template <typename Write>
[[gnu::always_inline]] inline void put_contents(ByteSink& sink, std::size_t, Write&& write) noexcept {
  write(sink);
}

/// An AnyValue message as field `field`.
template <typename Sink>
[[gnu::always_inline]] inline void put_any_value(Sink& sink, std::uint32_t field, const AttributeValue& value,
                                                 std::uint32_t value_length, unsigned nesting = 1) noexcept {
  encode_value(
      value, value_length, nesting, [&](std::size_t size, auto&& write) __attribute__((always_inline)) {
        put_length(sink, field, size);
        put_contents(sink, size, write);
      });
}

/// A KeyValue message as field `field`.
template <typename Sink>
[[gnu::always_inline]] inline void put_attribute(Sink& sink, std::uint32_t field, const Attribute& attribute,
                                                 std::uint32_t value_length, unsigned nesting = 1) noexcept {
  const std::string_view key = attribute.key;
  encode_value(
      attribute.value, value_length,
      nesting, [&](std::size_t size, auto&& write) __attribute__((always_inline)) {
        put_length(sink, field, 1 + varint_size(key.size()) + key.size() + 1 + varint_size(size) + size);
        put_text(sink, key_value::kKey, key);
        put_length(sink, key_value::kValue, size);
        put_contents(sink, size, write);
      });
}

/// Which attributes of a list go into a record: those with a key, each key once, no more than the limit.
struct SelectedAttributes {
  const Attribute* list = nullptr;
  const std::uint16_t* chosen = nullptr;  // indices into list; nullptr: the first `count` as they stand
  std::uint32_t count = 0;
  std::uint32_t dropped = 0;

  const Attribute& operator[](std::uint32_t index) const noexcept {
    return chosen == nullptr ? list[index] : list[chosen[index]];
  }
};

struct SelectionBuffer {
  std::uint16_t chosen[kMaxAttributes];
};

/// True if every key is there once. For lists of any length.
bool keys_are_unique(const Attribute* list, std::size_t count) noexcept;

/// In the order of the list: a key that was chosen before replaces the earlier value, a new one past the
/// limit is dropped (specification "Common", Attribute Limits). Attributes past the 65,536th are dropped.
SelectedAttributes select_attributes(Attributes list, std::uint32_t count_limit,
                                     SelectionBuffer& buffer) noexcept;

/// True if select_attributes() would choose the list as it stands: what nearly every record is.
inline bool can_take_all(Attributes list, std::uint32_t count_limit) noexcept {
  constexpr std::size_t kPairwise = 8;  // up to here comparing each with each is cheapest
  if (list.size() > count_limit || list.size() > kMaxAttributes) return false;
  for (const Attribute& attribute : list) {
    if (attribute.key.empty()) return false;
  }
  if (list.size() > kPairwise) return keys_are_unique(list.data(), list.size());
  for (std::size_t i = 1; i < list.size(); ++i) {
    const std::string_view key = list[i].key;
    for (std::size_t j = 0; j < i; ++j) {
      const std::string_view other = list[j].key;
      if (key.size() == other.size() && key.back() == other.back() && key == other) return false;
    }
  }
  return true;
}

inline SelectedAttributes take_all(Attributes list) noexcept {
  return {list.data(), nullptr, static_cast<std::uint32_t>(list.size()), 0};
}

template <typename Sink>
[[gnu::always_inline]] inline void put_attributes(Sink& sink, std::uint32_t field,
                                                  const SelectedAttributes& attributes,
                                                  std::uint32_t value_length) noexcept {
  for (std::uint32_t i = 0; i < attributes.count; ++i)
    put_attribute(sink, field, attributes[i], value_length);
}

/// a + b, or the largest number: a count that is written into a record does not wrap.
constexpr std::uint32_t saturated_sum(std::uint32_t a, std::uint32_t b) noexcept {
  return a + b < a ? kUnlimited : a + b;
}

}  // namespace shmring::wire

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
