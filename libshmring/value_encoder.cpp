// SPDX-License-Identifier: Apache-2.0
// The rarer half of the value encoder: arrays, maps, cut strings, and lists of attributes with doubles or
// past the limit.

#include "shmring/value_encoder.hpp"

#include <charconv>
#include <concepts>

#include "shmring/plain_encoder.hpp"

namespace shmring::wire {
namespace {

// A set of keys that may say yes to a key it has not seen, and never no to one it has.
class KeyFilter {
 public:
  bool was_seen_maybe(std::string_view key) noexcept {
    std::uint64_t hash = key.size();
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    const std::size_t part = key.size() < sizeof(head) ? key.size() : sizeof(head);
    copy(reinterpret_cast<std::byte*>(&head), key.data(), part);
    copy(reinterpret_cast<std::byte*>(&tail), key.data() + key.size() - part, part);
    hash = (hash ^ head) * 0x9E3779B97F4A7C15U;
    hash = (hash ^ (hash >> 29U) ^ tail) * 0xBF58476D1CE4E5B9U;
    const std::uint64_t bit = hash >> 54U;  // the upper ten bits
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    const bool seen = (bits_[bit / 64] & mask) != 0;
    bits_[bit / 64] |= mask;
    return seen;
  }

 private:
  std::uint64_t bits_[16] = {};
};

bool later_entry_has_key(std::span<const Attribute> map, std::size_t index) noexcept {
  for (std::size_t later = index + 1; later < map.size(); ++later) {
    if (map[later].key == map[index].key) return true;
  }
  return false;
}

// The entries of a KeyValueList, or the elements of an ArrayValue: both messages have one repeated field,
// number 1. Keys of a map are unique as those of attributes are; empty ones are allowed here.
template <typename Sink>
void put_elements(Sink& sink, const AttributeValue& value, std::uint32_t value_length,
                  unsigned nesting) noexcept {
  constexpr std::uint32_t kElements = 1;
  if (value.kind() == ValueKind::kMap) {
    const std::span<const Attribute> map = value.map();
    const bool is_plain = keys_are_unique(map.data(), map.size());
    for (std::size_t i = 0; i < map.size(); ++i) {
      if (is_plain || !later_entry_has_key(map, i))
        put_attribute(sink, kElements, map[i], value_length, nesting + 1);
    }
    return;
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    put_any_value(sink, kElements, value.element(i), value_length, nesting + 1);
  }
}

template <typename Sink>
void put_large(Sink& sink, const AttributeValue& value, std::uint32_t value_length,
               unsigned nesting) noexcept {
  if (value.kind() == ValueKind::kUnsigned) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof(digits), value.unsigned_integer()).ptr;
    return put_bytes(sink, any_value::kString, digits, static_cast<std::size_t>(end - digits));
  }
  // An empty value; bounds our stack as well. Also for an empty container: in an event it would be one message too deep for readers.
  if (nesting >= kMaxValueNesting) return;
  SizeSink size;
  put_elements(size, value, value_length, nesting);
  put_length(sink, value.kind() == ValueKind::kMap ? any_value::kMap : any_value::kArray, size.size());
  if constexpr (std::same_as<Sink, SizeSink>) {
    sink.bytes(nullptr, size.size());  // not walked twice: see put_sized_value()
  } else {
    put_elements(sink, value, value_length, nesting);
  }
}

}  // namespace

std::size_t cut_size(std::string_view text, std::uint32_t characters) noexcept {
  std::size_t left = characters;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (begins && left-- == 0) return i;
  }
  return text.size();
}

std::size_t large_value_size(const AttributeValue& value, std::uint32_t value_length,
                             unsigned nesting) noexcept {
  SizeSink sink;
  put_large(sink, value, value_length, nesting);
  return sink.size();
}

std::byte* write_large_value(std::byte* out, const AttributeValue& value, std::uint32_t value_length,
                             unsigned nesting) noexcept {
  ByteSink sink(out);
  put_large(sink, value, value_length, nesting);
  return sink.position();
}

bool keys_are_unique(const Attribute* list, std::size_t count) noexcept {
  KeyFilter seen;
  for (std::size_t i = 0; i < count; ++i) {
    if (!seen.was_seen_maybe(list[i].key)) continue;
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (list[earlier].key == list[i].key) return false;
    }
  }
  return true;
}

SelectedAttributes select_attributes(Attributes list, std::uint32_t count_limit,
                                     SelectionBuffer& buffer) noexcept {
  constexpr std::size_t kIndexable = 1U << 16U;
  const std::uint32_t limit = count_limit < kMaxAttributes ? count_limit : kMaxAttributes;
  const std::size_t size = list.size() < kIndexable ? list.size() : kIndexable;
  SelectedAttributes selected{list.data(), buffer.chosen, 0,
                              AttributeValue(list).size() - static_cast<std::uint32_t>(size)};
  KeyFilter seen;
  for (std::size_t i = 0; i < size; ++i) {
    const std::string_view key = list[i].key;
    if (key.empty()) {
      ++selected.dropped;
      continue;
    }
    std::uint32_t place = selected.count;
    if (seen.was_seen_maybe(key)) {
      place = 0;
      while (place < selected.count && list[buffer.chosen[place]].key != key) ++place;
    }
    if (place == selected.count) {
      if (selected.count == limit) {
        ++selected.dropped;
        continue;
      }
      ++selected.count;
    }
    buffer.chosen[place] = static_cast<std::uint16_t>(i);
  }
  return selected;
}

std::byte* write_long_varint(std::byte* out, std::uint64_t value) noexcept {
  ByteSink sink(out);
  sink.varint(value);
  return sink.position();
}

[[gnu::hot]] std::byte* write_rare_value(std::byte* out, std::uint32_t field, const AttributeValue& value,
                                         std::uint32_t value_length) noexcept {
  if (!is_plain(value, value_length)) return nullptr;
  ByteSink sink(out);
  put_any_value(sink, field, value, value_length);
  return sink.position();
}

std::byte* write_rare_attribute(std::byte* out, std::uint32_t field, const Attribute& attribute,
                                std::uint32_t value_length) noexcept {
  if (!is_plain(attribute.value, value_length)) return nullptr;
  ByteSink sink(out);
  put_attribute(sink, field, attribute, value_length);
  return sink.position();
}

bool is_repeated(Attributes list, std::size_t index) noexcept {
  for (std::size_t earlier = 0; earlier < index; ++earlier) {
    if (list[earlier].key == list[index].key) return true;
  }
  return false;
}

}  // namespace shmring::wire
