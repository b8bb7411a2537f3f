// SPDX-License-Identifier: Apache-2.0
// Two passes over the same fields: the first notes every new length in the order in which the second needs it, since
// a length stands before the bytes that it counts.
#include "libshmring/otlp/repair.hpp"

#include "libshmring/otlp/utf8.hpp"

namespace shmring::otlp {
namespace {

// One field of a message that was inspected before.
struct FieldBytes {
  Bytes all;                     // tag, length and value
  Bytes content;                 // of a string or message
  Check check = Check::kVarint;  // kText or kMessage: it may have to be rewritten
  MessageType type{};            // of a message

  bool may_change() const noexcept { return check == Check::kText || check == Check::kMessage; }
  std::size_t tag_size() const noexcept {
    WireReader in{all};
    Tag tag;
    in.read_tag(tag);
    return static_cast<std::size_t>(in.position() - all.data());
  }
};

FieldBytes next_field(const MessageSchema& schema, WireReader& in) {
  const std::byte* const begin = in.position();
  FieldBytes field;
  Tag tag;
  in.read_tag(tag);
  if (schema.knows(tag.number) && tag.type == WireType::kLength) {
    const WireRule rule = schema.rule_of(tag.number);
    field.check = rule.check;
    field.type = static_cast<MessageType>(rule.operand);
    in.read_bytes(field.content);
  } else {
    in.skip(tag.type);
  }
  field.all = Bytes{begin, in.position()};
  return field;
}

class Repair {
 public:
  explicit Repair(std::vector<std::byte>& out) : out_(out) {}

  void run(MessageType type, Bytes payload) {
    out_.clear();
    out_.reserve(measure(type, payload));
    write(type, payload);
  }

 private:
  std::size_t measure(MessageType type, Bytes message) {
    std::size_t size = 0;
    for (WireReader in{message}; !in.at_end();) {
      const FieldBytes field = next_field(schema_of(type), in);
      if (!field.may_change()) {
        size += field.all.size();
        continue;
      }
      const std::size_t slot = sizes_.size();
      sizes_.push_back(0);
      const std::size_t content =
          field.check == Check::kText ? repaired_size(field.content) : measure(field.type, field.content);
      sizes_[slot] = content;
      size += field.tag_size() + varint_size(content) + content;
    }
    return size;
  }

  void write(MessageType type, Bytes message) {
    for (WireReader in{message}; !in.at_end();) {
      const FieldBytes field = next_field(schema_of(type), in);
      if (!field.may_change()) {
        append(field.all);
        continue;
      }
      append(field.all.first(field.tag_size()));
      append_varint(sizes_[next_size_++], out_);
      if (field.check == Check::kText) {
        write_text(field.content);
      } else {
        write(field.type, field.content);
      }
    }
  }

  void write_text(Bytes text) {
    while (!text.empty()) {
      const Utf8Step step = next_utf8(text);
      append(step.is_valid ? text.first(step.size) : std::as_bytes(std::span{kReplacement}));
      text = text.subspan(step.size);
    }
  }

  void append(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  std::vector<std::byte>& out_;
  std::vector<std::size_t> sizes_;  // of strings and messages, in the order in which they begin
  std::size_t next_size_ = 0;
};

}  // namespace

void repair_text(MessageType type, Bytes payload, std::vector<std::byte>& out) {
  Repair{out}.run(type, payload);
}

}  // namespace shmring::otlp
