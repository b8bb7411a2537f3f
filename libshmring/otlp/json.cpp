// SPDX-License-Identifier: Apache-2.0
// Prints a message in two steps: one pass over the wire notes where each field is, then the schema's fields are
// printed in order. Protobuf lets fields come in any order and more than once; JSON does not.
#include "libshmring/otlp/json.hpp"

#include <array>
#include <bit>
#include <vector>

#include "libshmring/otlp/json_text.hpp"

namespace shmring::otlp {
namespace {

// Where the occurrences of one field lie. Of a field that holds one scalar only the last is kept.
struct Place {
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
  std::uint32_t count = 0;
};

using Places = std::array<Place, kMaxFieldNumber + 1>;

bool is_packed(const Field& field, WireType type) noexcept {
  return field.label == Label::kRepeated && type == WireType::kLength &&
         wire_type(field.kind) != WireType::kLength;
}

const Field* find_field(const MessageSchema& schema, Tag tag) noexcept {
  if (!schema.knows(tag.number)) return nullptr;
  const Field& field = schema.fields[schema.by_number[tag.number]];
  return tag.type == wire_type(field.kind) || is_packed(field, tag.type) ? &field : nullptr;
}

void note(const Field& field, const std::byte* begin, const std::byte* end, Places& places,
          std::uint32_t& chosen) noexcept {
  if (field.label == Label::kOneof && field.number != chosen) {
    places[chosen] = {};  // number 0 is nobody's
    chosen = field.number;
  }
  Place& place = places[field.number];
  const bool keeps_all = field.label == Label::kRepeated || field.kind == Kind::kMessage;
  if (place.count == 0 || !keeps_all) place.begin = begin;
  place.end = end;
  ++place.count;
}

Places find_places(const MessageSchema& schema, Bytes message) noexcept {
  Places places;
  std::uint32_t chosen = 0;  // the case of the oneof that counts so far; no message of OTLP has two oneofs
  for (WireReader in{message}; !in.at_end();) {
    const std::byte* const begin = in.position();
    Tag tag;
    if (in.read_tag(tag) != Reason::kNone || in.skip(tag.type) != Reason::kNone) break;
    if (const Field* field = find_field(schema, tag)) note(*field, begin, in.position(), places, chosen);
  }
  return places;
}

// The bytes of a scalar as one 64-bit pattern. REQUIRES: the value was skipped over before.
std::uint64_t read_scalar(WireType type, WireReader& in) noexcept {
  std::uint64_t value = 0;
  std::uint32_t fixed32 = 0;
  switch (type) {
    case WireType::kVarint:
      if (in.read_varint(value) != Reason::kNone) return 0;
      return value;
    case WireType::kFixed64:
      if (in.read_fixed(value) != Reason::kNone) return 0;
      return value;
    default:
      if (in.read_fixed(fixed32) != Reason::kNone) return 0;
      return fixed32;
  }
}

std::int32_t unzigzag(std::uint32_t value) noexcept {
  return static_cast<std::int32_t>(value >> 1 ^ (~(value & 1) + 1));
}

void append_quoted(auto value, std::string& out) {
  out += '"';
  append_decimal(value, out);
  out += '"';
}

void append_scalar(Kind kind, std::uint64_t value, std::string& out) {
  switch (kind) {
    case Kind::kBool:
      out += value != 0 ? "true" : "false";
      return;
    case Kind::kEnum:
      append_decimal(std::int64_t{static_cast<std::int32_t>(value)}, out);
      return;
    case Kind::kSint32:
      append_decimal(std::int64_t{unzigzag(static_cast<std::uint32_t>(value))}, out);
      return;
    case Kind::kInt64:
    case Kind::kSfixed64:
      append_quoted(static_cast<std::int64_t>(value), out);
      return;
    case Kind::kUint64:
    case Kind::kFixed64:
      append_quoted(value, out);
      return;
    case Kind::kDouble:
      append_json_double(std::bit_cast<double>(value), out);
      return;
    default:
      append_decimal(value & 0xffffffff, out);  // kUint32, kFixed32
  }
}

class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  void message(MessageType type, Bytes bytes, unsigned depth) {
    out_ += '{';
    if (depth <= kMaxMessageDepth) fields(schema_of(type), bytes, depth);
    out_ += '}';
  }

 private:
  void fields(const MessageSchema& schema, Bytes bytes, unsigned depth) {
    const Places places = find_places(schema, bytes);
    bool is_first = true;
    for (const Field& field : schema.fields) {
      const Place& place = places[field.number];
      if (place.count == 0) continue;
      const std::size_t before = out_.size();
      if (!is_first) out_ += ',';
      out_ += '"';
      out_ += field.json_name;
      out_ += "\":";
      const bool is_printed = field.label == Label::kRepeated ? list(schema, field, place, depth)
                                                              : single(schema, field, place, depth);
      if (is_printed) {
        is_first = false;
      } else {
        out_.resize(before);
      }
    }
  }

  // Both return false where protobuf's JSON has nothing: for a default value without presence, for an empty list.
  bool single(const MessageSchema& schema, const Field& field, const Place& place, unsigned depth) {
    if (field.kind == Kind::kMessage && place.count > 1) {
      message(field.message, Bytes{merge(schema, field, place)}, depth + 1);
      return true;
    }
    WireReader in{Bytes{place.begin, place.end}};
    Tag tag;
    in.read_tag(tag);
    const bool is_set = element(field, in, depth);
    return is_set || field.label == Label::kOptional || field.label == Label::kOneof;
  }

  bool list(const MessageSchema& schema, const Field& field, const Place& place, unsigned depth) {
    const std::size_t before = out_.size();
    for_each(schema, field, place, [&](WireReader& in, WireType type) {
      if (!is_packed(field, type)) {
        next_element(before, field, in, depth);
        return;
      }
      Bytes packed;
      in.read_bytes(packed);
      for (WireReader elements{packed}; !elements.at_end();) {
        WireReader probe = elements;
        if (probe.skip(wire_type(field.kind)) != Reason::kNone) break;
        next_element(before, field, elements, depth);
      }
    });
    if (out_.size() == before) return false;
    out_ += ']';
    return true;
  }

  void next_element(std::size_t list_begin, const Field& field, WireReader& in, unsigned depth) {
    out_ += out_.size() == list_begin ? '[' : ',';
    element(field, in, depth);
  }

  // True if the value is not its type's default.
  bool element(const Field& field, WireReader& in, unsigned depth) {
    if (wire_type(field.kind) != WireType::kLength) {
      const std::uint64_t value = read_scalar(wire_type(field.kind), in);
      append_scalar(field.kind, value, out_);
      return value != 0;
    }
    Bytes bytes;
    in.read_bytes(bytes);
    switch (field.kind) {
      case Kind::kString:
        append_json_string(bytes, out_);
        break;
      case Kind::kTraceId:
      case Kind::kSpanId:
        append_json_hex(bytes, out_);
        break;
      case Kind::kMessage:
        message(field.message, bytes, depth + 1);
        break;
      default:
        append_json_base64(bytes, out_);
        break;
    }
    return !bytes.empty();
  }

  // Every occurrence of the field in its place, with the reader behind the tag.
  template <typename Visit>
  static void for_each(const MessageSchema& schema, const Field& field, const Place& place, Visit visit) {
    for (WireReader in{Bytes{place.begin, place.end}}; !in.at_end();) {
      Tag tag;
      in.read_tag(tag);
      if (find_field(schema, tag) == &field) {
        WireReader value = in;
        visit(value, tag.type);
      }
      in.skip(tag.type);
    }
  }

  // Concatenation is what merging means on the wire.
  static std::vector<std::byte> merge(const MessageSchema& schema, const Field& field, const Place& place) {
    std::vector<std::byte> merged;
    for_each(schema, field, place, [&merged](WireReader& in, WireType) {
      Bytes bytes;
      in.read_bytes(bytes);
      merged.insert(merged.end(), bytes.begin(), bytes.end());
    });
    return merged;
  }

  std::string& out_;
};

}  // namespace

void append_json(MessageType type, Bytes message, std::string& out) {
  Printer{out}.message(type, message, depth_in_request(type));
}

}  // namespace shmring::otlp
