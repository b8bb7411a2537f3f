// SPDX-License-Identifier: Apache-2.0
// One pass for what nearly every record is: few attributes, no value inside another, nothing to cut. It is written into what is left of
// the block, and given up where that is not enough or the record is not of this kind: then log_encoder.hpp and span_encoder.hpp take
// their two passes. The bytes are the same. Nothing here allocates, locks, throws or calls the kernel: all async-signal-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shmring/attribute.hpp"
#include "shmring/ids.hpp"
#include "shmring/limits.hpp"
#include "shmring/site_key.hpp"
#include "shmring/value_encoder.hpp"
#include "shmring/wire.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring::wire {

inline constexpr std::size_t kPlainAttributes = 64;

/// Bytes that a plain attribute takes at most beside its key and its text or bytes, and eight that may be written to behind it: four tags
/// and four lengths of at most five bytes; or three of each and a varint.
inline constexpr std::size_t kPlainOverhead = 40;

/// One scalar, text or bytes, and not cut by the limit.
constexpr bool is_plain(const AttributeValue& value, std::uint32_t value_length) noexcept {
  constexpr auto bit = [](ValueKind kind) { return 1U << static_cast<unsigned>(kind); };
  constexpr unsigned kPlain = bit(ValueKind::kEmpty) | bit(ValueKind::kString) | bit(ValueKind::kBool) |
                              bit(ValueKind::kInt) | bit(ValueKind::kDouble) | bit(ValueKind::kBytes);
  return (kPlain >> static_cast<unsigned>(value.kind()) & 1U) != 0 && value.size() <= value_length;
}

std::byte* write_long_varint(std::byte* out, std::uint64_t value) noexcept;

/// A varint, by one store of eight bytes. REQUIRES: room for ten. Returns the end of it.
[[gnu::always_inline]] inline std::byte* write_varint(std::byte* out, std::uint64_t value) noexcept {
  if (value >> 56U != 0) [[unlikely]]
    return write_long_varint(out, value);
  // Seven bits to each byte: halves, quarters, eighths are moved apart.
  const auto bytes = static_cast<unsigned>(std::bit_width(value) * 9 + 64) / 64U;
  value = (value & 0x00FFFFFFF0000000U) << 4U | (value & 0x000000000FFFFFFFU);
  value = (value & 0x0FFFC0000FFFC000U) << 2U | (value & 0x00003FFF00003FFFU);
  value = (value & 0x3F803F803F803F80U) << 1U | (value & 0x007F007F007F007FU);
  value |= 0x8080808080808080U & ((std::uint64_t{1} << 8U * (bytes - 1)) - 1);
  __builtin_memcpy(out, &value, sizeof(value));
  return out + bytes;
}

/// Four bytes at once. All of them are tags and lengths below 128.
[[gnu::always_inline]] inline std::byte* write_four(std::byte* out, std::uint32_t first, std::size_t second,
                                                    std::uint32_t third, std::size_t fourth) noexcept {
  const std::uint32_t word = first | static_cast<std::uint32_t>(second) << 8U | third << 16U |
                             static_cast<std::uint32_t>(fourth) << 24U;
  __builtin_memcpy(out, &word, sizeof(word));
  return out + sizeof(word);
}

/// The rarer plain ones: lengths of two bytes and more, doubles, bytes, nothing. nullptr: not plain. Out of line, so that the others keep
/// their registers.
std::byte* write_rare_value(std::byte* out, std::uint32_t field, const AttributeValue& value,
                            std::uint32_t value_length) noexcept;
std::byte* write_rare_attribute(std::byte* out, std::uint32_t field, const Attribute& attribute,
                                std::uint32_t value_length) noexcept;

/// An AnyValue message as field `field` (below 16). nullptr: not plain. REQUIRES: room for kPlainOverhead and the text.
[[gnu::always_inline]] inline std::byte* write_plain_value(std::byte* out, std::uint32_t field,
                                                           const AttributeValue& value,
                                                           std::uint32_t value_length) noexcept {
  constexpr std::uint32_t kOneByteText = 125;
  const std::uint32_t head = tag(field, Type::kLength);
  if (value.kind() == ValueKind::kString) [[likely]] {
    const std::string_view text = value.string();
    if (text.size() <= kOneByteText && text.size() <= value_length) [[likely]] {
      out = write_four(out, head, 2 + text.size(), tag(any_value::kString, Type::kLength), text.size());
      copy(out, text.data(), text.size());
      return out + text.size();
    }
  } else if (value.kind() == ValueKind::kInt) {
    std::byte* const number = out + 3;
    std::byte* const end = write_varint(number, value.unsigned_integer());
    out[0] = static_cast<std::byte>(head);
    out[1] = static_cast<std::byte>(end - number + 1);
    out[2] = static_cast<std::byte>(tag(any_value::kInt, Type::kVarint));
    return end;
  }
  const AttributeValue copied = value;  // the other one needs no address, and can stay in registers
  return write_rare_value(out, field, copied, value_length);
}

/// A KeyValue message as field `field` (below 16). nullptr: not plain. REQUIRES: as write_plain_value(), and room for the key.
[[gnu::always_inline]] inline std::byte* write_plain_attribute(std::byte* out, std::uint32_t field,
                                                               const Attribute& attribute,
                                                               std::uint32_t value_length) noexcept {
  constexpr std::size_t kOneByteLengths = 105;  // of key and text: no length takes a second byte
  const std::string_view key = attribute.key;
  if (key.size() + attribute.value.size() > kOneByteLengths) [[unlikely]]
    return write_rare_attribute(out, field, attribute, value_length);
  copy(out + 4, key.data(), key.size());
  std::byte* const end =
      write_plain_value(out + 4 + key.size(), key_value::kValue, attribute.value, value_length);
  if (end == nullptr) [[unlikely]]
    return nullptr;
  write_four(out, tag(field, Type::kLength), static_cast<std::size_t>(end - out) - 2,
             tag(key_value::kKey, Type::kLength), key.size());
  return end;
}

/// The beginning of an attribute with a constant key; its length is written later.
template <std::uint32_t Field, SiteKey Key>
inline constexpr auto kAttributeHead = [] {
  std::array<std::byte, 4 + Key.size()> head{};
  head[0] = static_cast<std::byte>(tag(Field, Type::kLength));
  ByteSink sink(head.data() + 2);
  put_text(sink, key_value::kKey, Key.view());
  return head;
}();

/// As write_plain_attribute(), with a key of a site. `out` nullptr: nothing is written. REQUIRES: room for the key, kPlainOverhead and the
/// value's size().
template <std::uint32_t Field, SiteKey Key>
[[gnu::always_inline]] inline std::byte* write_site_attribute(std::byte* out, const AttributeValue& value,
                                                              std::uint32_t value_length) noexcept {
  constexpr std::size_t kOneByteLengths = 105;
  if (out == nullptr) [[unlikely]]
    return nullptr;
  if (Key.size() + value.size() > kOneByteLengths) [[unlikely]]
    return write_rare_attribute(out, Field, {Key.view(), value}, value_length);
  constexpr const auto& kHead = kAttributeHead<Field, Key>;
  __builtin_memcpy(out, kHead.data(), kHead.size());
  std::byte* const end = write_plain_value(out + kHead.size(), key_value::kValue, value, value_length);
  if (end == nullptr) [[unlikely]]
    return nullptr;
  out[1] = static_cast<std::byte>(end - out - 2);
  return end;
}

/// Room that write_site_attributes() may need.
template <SiteKey... Keys>
[[gnu::always_inline]] inline std::size_t site_bound(const SiteValues<Keys...>& values) noexcept {
  std::size_t bound = (std::size_t{0} + ... + (Keys.is_constant() ? 0 : kPlainOverhead + Keys.size()));
  for (const AttributeValue& value : values) bound += value.size();
  return bound;
}

/// All attributes of a site but the constant ones, which are in its head. nullptr: not plain.
template <std::uint32_t Field, SiteKey... Keys>
[[gnu::always_inline]] inline std::byte* write_site_attributes(
    std::byte* out, const SiteValues<Keys...>& values, [[maybe_unused]] std::uint32_t value_length) noexcept {
  [[maybe_unused]] auto value = values.begin();
  ((out = Keys.is_constant() ? out : write_site_attribute<Field, Keys>(out, *value++, value_length)), ...);
  return out;
}

/// Whether the list holds this key before `index`.
bool is_repeated(Attributes list, std::size_t index) noexcept;

/// As many KeyValue messages as there are attributes. nullptr: they do not fit, or take the long way: too many, not plain, without a key,
/// a key twice.
[[gnu::always_inline]] inline std::byte* write_plain_attributes(std::byte* out, const std::byte* end,
                                                                std::uint32_t field, Attributes list,
                                                                const AttributeLimits& limits) noexcept {
  if (list.size() > kPlainAttributes || list.size() > limits.count) [[unlikely]]
    return nullptr;
  std::uint64_t seen = 0;  // a bit for what a key looks like; two that share one are compared
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string_view key = list[i].key;
    if (key.empty() ||
        static_cast<std::size_t>(end - out) < kPlainOverhead + key.size() + list[i].value.size()) [[unlikely]]
      return nullptr;
    const std::size_t look =
        key.size() + 7 * static_cast<unsigned char>(key.front()) + 3 * static_cast<unsigned char>(key.back());
    const std::uint64_t bit = std::uint64_t{1} << (look & 63U);
    if ((seen & bit) != 0 && is_repeated(list, i)) [[unlikely]]
      return nullptr;
    seen |= bit;
    out = write_plain_attribute(out, field, list[i], limits.value_length);
    if (out == nullptr) [[unlikely]]
      return nullptr;
  }
  return out;
}

}  // namespace shmring::wire

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
