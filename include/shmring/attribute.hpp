// SPDX-License-Identifier: Apache-2.0
// Attributes as a program writes them down: {{"order.id", 4711}, {"customer", name}}. Nothing here owns or
// copies what it names; everything is meant to live as long as the call that it is an argument of.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace shmring {

struct Attribute;
class AttributeValue;

/// What an AttributeValue holds. The kinds after kMap are arrays of one C++ type, read where they lie.
enum class ValueKind : std::uint8_t {
  kEmpty,   // no value: OTLP's AnyValue with nothing in it
  kString,  // passed on as it is: invalid UTF-8 is the flusher's to repair
  kBool,
  kInt,       // 64 bits, signed
  kUnsigned,  // above the range of kInt: written as a string of decimal digits
  kDouble,
  kBytes,
  kArray,  // of AttributeValue
  kMap,    // of Attribute
  kInts32,
  kInts64,
  kDoubles,
  kBools,
  kStrings,      // std::string
  kStringViews,  // std::string_view
};

namespace attribute_types {

template <typename T>
concept Integer = std::integral<T> && sizeof(T) <= 8 && !std::same_as<T, bool> && !std::same_as<T, char> &&
                  !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
                  !std::same_as<T, char32_t>;

template <typename T>
concept Text = std::convertible_to<const T&, std::string_view> && !std::convertible_to<const T&, const char*>;

template <typename T>
concept Bytes = std::convertible_to<const T&, std::span<const std::byte>>;

template <typename T>
constexpr ValueKind array_kind() noexcept {
  if constexpr (std::same_as<T, AttributeValue>) return ValueKind::kArray;
  if constexpr (std::same_as<T, Attribute>) return ValueKind::kMap;
  if constexpr (std::signed_integral<T> && sizeof(T) == 4 && Integer<T>) return ValueKind::kInts32;
  if constexpr (std::signed_integral<T> && sizeof(T) == 8 && Integer<T>) return ValueKind::kInts64;
  if constexpr (std::same_as<T, double>) return ValueKind::kDoubles;
  if constexpr (std::same_as<T, bool>) return ValueKind::kBools;
  if constexpr (std::same_as<T, std::string>) return ValueKind::kStrings;
  if constexpr (std::same_as<T, std::string_view>) return ValueKind::kStringViews;
  return ValueKind::kEmpty;
}

template <typename T>
using Element = std::remove_cvref_t<decltype(*std::data(std::declval<const T&>()))>;

template <typename T>
concept Contiguous = requires(const T& array) {
  { std::size(array) } -> std::convertible_to<std::size_t>;
  std::data(array);
};

/// Contiguous elements of a type that array_kind() knows: std::vector, std::array, std::span, a C array.
template <typename T>
concept Array = !Text<T> && !Bytes<T> && Contiguous<T> && array_kind<Element<T>>() != ValueKind::kEmpty;

}  // namespace attribute_types

/// OTLP's AnyValue without ownership: 16 bytes, to be passed by value. Converts implicitly from
///
///   bool                                              never from a pointer or an integer
///   every integer type but the character types        above int64 a string of decimal digits (specification
///                                                     "Mapping arbitrary data to OTLP AnyValue")
///   float, double, long double                        NaN and infinities included
///   const char*, std::string, std::string_view        nullptr: empty value
///   what converts to std::span<const std::byte>       bytes
///   vector, array, span, C array                      of int, long, long long, double, bool, std::string,
///                                                     std::string_view, AttributeValue, Attribute (a map)
///   Values{...}, Attributes{...}                      arrays and maps written in place, nested as one likes
///
/// Strings, bytes and arrays longer than 2^32 - 1 are taken to have that length: no ring takes them.
/// All functions are pure: thread-safe and async-signal-safe.
class AttributeValue {
 public:
  constexpr AttributeValue() noexcept : int_(0) {}

  template <std::same_as<bool> T>
  constexpr AttributeValue(T value) noexcept : int_(value ? 1 : 0), kind_(ValueKind::kBool) {}

  template <attribute_types::Integer T>
  constexpr AttributeValue(T value) noexcept
      : int_(static_cast<std::int64_t>(value)), kind_(ValueKind::kInt) {
    if constexpr (std::unsigned_integral<T>) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        kind_ = ValueKind::kUnsigned;
    }
  }

  template <std::floating_point T>
  constexpr AttributeValue(T value) noexcept
      : double_(static_cast<double>(value)), kind_(ValueKind::kDouble) {}

  constexpr AttributeValue(const char* text) noexcept : AttributeValue() {
    if (text != nullptr) *this = AttributeValue(std::string_view(text));
  }

  template <attribute_types::Text T>
  constexpr AttributeValue(const T& value) noexcept : data_(nullptr), kind_(ValueKind::kString) {
    const std::string_view text = value;
    data_ = text.data();
    size_ = saturated(text.size());
  }

  template <attribute_types::Bytes T>
  constexpr AttributeValue(const T& value) noexcept : data_(nullptr), kind_(ValueKind::kBytes) {
    const std::span<const std::byte> bytes = value;
    data_ = bytes.data();
    size_ = saturated(bytes.size());
  }

  template <attribute_types::Array T>
  constexpr AttributeValue(const T& array) noexcept
      : data_(std::data(array)),
        size_(saturated(std::size(array))),
        kind_(attribute_types::array_kind<attribute_types::Element<T>>()) {}

  constexpr ValueKind kind() const noexcept { return kind_; }
  constexpr bool is_empty() const noexcept { return kind_ == ValueKind::kEmpty; }

  /// REQUIRES for each of these: a kind that its name says.
  constexpr std::string_view string() const noexcept { return {static_cast<const char*>(data_), size_}; }
  constexpr bool boolean() const noexcept { return int_ != 0; }
  constexpr std::int64_t integer() const noexcept { return int_; }
  constexpr std::uint64_t unsigned_integer() const noexcept { return static_cast<std::uint64_t>(int_); }
  constexpr double floating() const noexcept { return double_; }
  std::span<const std::byte> bytes() const noexcept { return {static_cast<const std::byte*>(data_), size_}; }
  inline std::span<const Attribute> map() const noexcept;

  /// Elements of an array of any kind, entries of a map, bytes of a string or of bytes.
  constexpr std::uint32_t size() const noexcept { return size_; }
  /// REQUIRES: an array of any kind; index < size().
  inline AttributeValue element(std::uint32_t index) const noexcept;

 private:
  static constexpr std::uint32_t saturated(std::size_t size) noexcept {
    constexpr std::size_t kMax = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(size < kMax ? size : kMax);
  }
  template <typename T>
  T load(std::uint32_t index) const noexcept {
    T value;  // by memcpy: the array may be of another type of the same size, long long for long
    std::memcpy(&value, static_cast<const char*>(data_) + std::size_t{index} * sizeof(T), sizeof(T));
    return value;
  }

  union {
    const void* data_;
    std::int64_t int_;
    double double_;
  };
  std::uint32_t size_ = 0;
  ValueKind kind_ = ValueKind::kEmpty;
};
static_assert(sizeof(AttributeValue) == 16);

/// A key and its value. The key has to be non-empty; an attribute without one is dropped and counted in the
/// record's dropped_attributes_count (specification "Common", Attribute). Of two attributes with the same key
/// the later wins.
struct Attribute {
  std::string_view key;
  AttributeValue value = {};
};

inline std::span<const Attribute> AttributeValue::map() const noexcept {
  return {static_cast<const Attribute*>(data_), size_};
}

inline AttributeValue AttributeValue::element(std::uint32_t index) const noexcept {
  switch (kind_) {
    case ValueKind::kArray:
      return static_cast<const AttributeValue*>(data_)[index];
    case ValueKind::kInts32:
      return load<std::int32_t>(index);
    case ValueKind::kInts64:
      return load<std::int64_t>(index);
    case ValueKind::kDoubles:
      return load<double>(index);
    case ValueKind::kBools:
      return static_cast<const bool*>(data_)[index];
    case ValueKind::kStrings:
      return static_cast<const std::string*>(data_)[index];
    case ValueKind::kStringViews:
      return static_cast<const std::string_view*>(data_)[index];
    default:
      return {};
  }
}

// g++ warns that what a list constructor keeps can dangle. It is said below, and keeping it is what these
// types are for.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime"
#endif

/// A list of attributes, and the way to write a map as a value: {"user", Attributes{{"id", 7}, {"name",
/// name}}}.
///
/// A list in braces lives until the end of the full expression that it is written in: use it as an argument.
/// A variable of this type may only name attributes that live elsewhere (a vector, an array).
class Attributes {
 public:
  constexpr Attributes() noexcept = default;
  constexpr Attributes(std::initializer_list<Attribute> list) noexcept
      : data_(list.begin()), size_(list.size()) {}
  template <attribute_types::Array T>
  requires std::same_as<attribute_types::Element<T>, Attribute>
  constexpr Attributes(const T& array) noexcept : data_(std::data(array)), size_(std::size(array)) {}

  constexpr const Attribute* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr const Attribute* begin() const noexcept { return data_; }
  constexpr const Attribute* end() const noexcept { return data_ + size_; }
  constexpr const Attribute& operator[](std::size_t index) const noexcept { return data_[index]; }

 private:
  const Attribute* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The way to write an array as a value: {"tags", Values{"new", 3, true}}. Lives as long as Attributes in
/// braces do.
class Values {
 public:
  constexpr Values(std::initializer_list<AttributeValue> list) noexcept
      : data_(list.begin()), size_(list.size()) {}

  constexpr const AttributeValue* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }

 private:
  const AttributeValue* data_;
  std::size_t size_;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace shmring
