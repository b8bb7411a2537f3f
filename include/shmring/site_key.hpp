// SPDX-License-Identifier: Apache-2.0
// The attributes of a call site: keys whose values are given at each emit, and attributes that are always the same.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "shmring/attribute.hpp"
#include "shmring/limits.hpp"
#include "shmring/value_encoder.hpp"
#include "shmring/wire.hpp"

namespace shmring {

/// A key of a call site, a string literal; or an attribute of it, from constant(). Only ever a template argument.
template <std::size_t Size, std::size_t ValueSize = 0>
struct SiteKey {
  char text[Size]{};
  char value_text[ValueSize + 1]{};
  std::int64_t number = 0;
  ValueKind kind = ValueKind::kEmpty;  // of the value; kEmpty: it is given at each emit

  consteval SiteKey(const char (&literal)[Size]) noexcept { std::copy_n(literal, Size, text); }
  consteval SiteKey(const char (&key)[Size], const char (&literal)[ValueSize + 1]) noexcept : SiteKey(key) {
    std::copy_n(literal, ValueSize + 1, value_text);
    kind = ValueKind::kString;
  }
  consteval SiteKey(const char (&key)[Size], ValueKind value_kind, std::int64_t value) noexcept
      : SiteKey(key) {
    number = value;
    kind = value_kind;
  }

  static constexpr std::size_t size() noexcept { return Size - 1; }
  constexpr std::string_view view() const noexcept { return {text, size()}; }
  constexpr bool is_constant() const noexcept { return kind != ValueKind::kEmpty; }
  static constexpr std::size_t value_size() noexcept { return ValueSize; }
  /// REQUIRES: is_constant().
  constexpr AttributeValue value() const noexcept {
    if (kind == ValueKind::kBool) return number != 0;
    if (kind == ValueKind::kInt) return number;
    return std::string_view(value_text, ValueSize);
  }
};
template <std::size_t Size>
SiteKey(const char (&)[Size]) -> SiteKey<Size, 0>;

namespace wire {
void no_integer_above_int64();  // nowhere defined, and no constant: calling it ends the compilation
}

/// An attribute that all records of a call site have: SpanSite<"query", SpanKind::kClient, constant("db.system", "postgresql"), "rows">.
/// A text, a bool, or an integer (of int64's range: checked when the program is compiled).
template <std::size_t Size, std::size_t TextSize>
consteval SiteKey<Size, TextSize - 1> constant(const char (&key)[Size],
                                               const char (&text)[TextSize]) noexcept {
  return {key, text};
}
template <std::size_t Size>
consteval SiteKey<Size, 0> constant(const char (&key)[Size], std::same_as<bool> auto value) noexcept {
  return {key, ValueKind::kBool, value ? 1 : 0};
}
template <std::size_t Size>
consteval SiteKey<Size, 0> constant(const char (&key)[Size], attribute_types::Integer auto value) {
  if (std::cmp_greater(value, std::numeric_limits<std::int64_t>::max())) wire::no_integer_above_int64();
  return {key, ValueKind::kInt, static_cast<std::int64_t>(value)};
}

namespace wire {

/// Whether these are keys as a record may have them: not empty, each once.
template <SiteKey... Keys>
consteval bool are_keys() noexcept {
  constexpr std::array<std::string_view, sizeof...(Keys)> kKeys{Keys.view()...};
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    if (kKeys[i].empty()) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (kKeys[i] == kKeys[j]) return false;
    }
  }
  return true;
}

/// How many values an emit gives.
template <SiteKey... Keys>
inline constexpr std::size_t kOpenKeys = (std::size_t{0} + ... + std::size_t{!Keys.is_constant()});

/// Those values, in the order of their keys.
template <SiteKey... Keys>
using SiteValues = std::array<AttributeValue, kOpenKeys<Keys...>>;

/// Of the constant texts; a limit below it cuts one.
template <SiteKey... Keys>
inline constexpr std::size_t kLongestConstant = std::max({std::size_t{0}, Keys.value_size()...});

/// Whether no limit touches what is encoded ahead.
template <SiteKey... Keys>
[[gnu::always_inline]] inline bool are_within(const AttributeLimits& limits) noexcept {
  if constexpr (kLongestConstant<Keys...> != 0) {
    if (kLongestConstant < Keys... >> limits.value_length) [[unlikely]]
      return false;
  }
  return sizeof...(Keys) <= limits.count;
}

/// All attributes of a record of the site in the order in which they are written: the constant ones, then those with a value of the emit.
template <SiteKey... Keys>
std::array<Attribute, sizeof...(Keys)> site_attributes(const SiteValues<Keys...>& values) noexcept {
  std::array<Attribute, sizeof...(Keys)> attributes{};
  std::size_t at = 0;
  ((Keys.is_constant() ? void(attributes[at++] = {Keys.view(), Keys.value()}) : void()), ...);
  [[maybe_unused]] auto value = values.begin();
  ((Keys.is_constant() ? void() : void(attributes[at++] = {Keys.view(), *value++})), ...);
  return attributes;
}

template <SiteKey Key, typename Sink>
constexpr void put_constant_value(Sink& sink) noexcept {
  if (Key.kind == ValueKind::kString) {
    put_text(sink, any_value::kString, {Key.value_text, Key.value_size()});
  } else {
    put_varint(sink, Key.kind == ValueKind::kBool ? any_value::kBool : any_value::kInt,
               static_cast<std::uint64_t>(Key.number));
  }
}

/// What is constant of an attribute, as field `field`: all of it or nothing.
template <SiteKey Key, typename Sink>
constexpr void put_constant(Sink& sink, std::uint32_t field) noexcept {
  if (!Key.is_constant()) return;
  SizeSink value;
  put_constant_value<Key>(value);
  SizeSink attribute;
  put_text(attribute, key_value::kKey, Key.view());
  put_length(attribute, key_value::kValue, value.size());
  put_length(sink, field, attribute.size() + value.size());
  put_text(sink, key_value::kKey, Key.view());
  put_length(sink, key_value::kValue, value.size());
  put_constant_value<Key>(sink);
}

template <SiteKey... Keys>
constexpr std::size_t constants_size([[maybe_unused]] std::uint32_t field) noexcept {
  SizeSink size;
  (put_constant<Keys>(size, field), ...);
  return size.size();
}

}  // namespace wire
}  // namespace shmring
