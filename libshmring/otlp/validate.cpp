// SPDX-License-Identifier: Apache-2.0
// The walk: one pass over the wire, driven by the rules of the schema tables.
#include "libshmring/otlp/validate.hpp"

#include <algorithm>
#include <new>

#include "libshmring/otlp/repair.hpp"
#include "libshmring/otlp/utf8.hpp"

namespace shmring::otlp {
namespace {

class Walk {
 public:
  // `depth` counts this message; `values` counts the AnyValues around it, itself included. Both bound the recursion.
  Reason message(MessageType type, Bytes bytes, unsigned depth, unsigned values) noexcept {
    if (depth > kMaxMessageDepth || values > kMaxValueDepth) return fail(Reason::kTooDeep, bytes.data());
    const MessageSchema& schema = schema_of(type);
    WireReader in{bytes};
    std::uint32_t seen_ids = 0;
    while (!in.at_end()) {
      const std::byte* const begin = in.position();
      Tag tag;
      Reason reason = in.read_tag(tag);
      if (reason != Reason::kNone) [[unlikely]]
        return fail(reason, begin);
      const WireRule rule = schema.rule_of(tag.number);
      if (rule.wire == tag.type) [[likely]] {
        if (rule.check == Check::kRequiredId) seen_ids |= 1U << tag.number;
        reason = value(rule, in, depth, values);
      } else {
        reason = foreign_value(rule, tag.type, in);
      }
      if (reason != Reason::kNone) [[unlikely]]
        return fail(reason, begin);
    }
    return seen_ids == schema.required ? Reason::kNone : fail(Reason::kMissingId, bytes.data());
  }

  bool is_text_damaged() const noexcept { return is_text_damaged_; }

  const std::byte* failed_at() const noexcept { return failed_at_; }

 private:
  // Each case reads for itself: the compiler then makes one jump of a field, not one to read and one to check.
  Reason value(WireRule rule, WireReader& in, unsigned depth, unsigned values) noexcept {
    std::uint64_t number = 0;
    std::uint32_t fixed32 = 0;
    Bytes bytes;
    Reason reason = Reason::kNone;
    switch (rule.check) {
      case Check::kVarint:
        return in.read_varint(number);
      case Check::kFixed64:
        return in.read_fixed(number);
      case Check::kFixed32:
        return in.read_fixed(fixed32);
      case Check::kBytes:
        return in.read_bytes(bytes);
      case Check::kText:
        reason = in.read_bytes(bytes);
        if (reason == Reason::kNone && !is_utf8(bytes)) is_text_damaged_ = true;
        return reason;
      case Check::kMessage: {
        reason = in.read_bytes(bytes);
        if (reason != Reason::kNone) return reason;
        const auto type = static_cast<MessageType>(rule.operand);
        return message(type, bytes, depth + 1, values + (type == MessageType::kAnyValue ? 1 : 0));
      }
      case Check::kId:
        reason = in.read_bytes(bytes);
        if (reason != Reason::kNone) return reason;
        return bytes.empty() || bytes.size() == rule.operand ? Reason::kNone : Reason::kIdLength;
      case Check::kRequiredId:
        reason = in.read_bytes(bytes);
        return reason == Reason::kNone ? required_id(bytes, rule.operand) : reason;
      case Check::kPacked:
        reason = in.read_bytes(bytes);
        return reason == Reason::kNone ? packed(rule.element, bytes) : reason;
    }
    return reason;
  }

  // Unknown fields are kept, and a repeated scalar may also come one by one. A known field in any other wire type is
  // refused, though parsers pass over it: whoever wrote it meant something that would not arrive.
  static Reason foreign_value(WireRule rule, WireType type, WireReader& in) noexcept {
    const Reason reason = in.skip(type);
    if (reason != Reason::kNone || rule.wire == kNoWireType) return reason;
    return rule.check == Check::kPacked && type == rule.element ? Reason::kNone : Reason::kWireType;
  }

  static Reason packed(WireType element, Bytes list) noexcept {
    if (element == WireType::kFixed64) return list.size() % 8 == 0 ? Reason::kNone : Reason::kPackedLength;
    if (element == WireType::kFixed32) return list.size() % 4 == 0 ? Reason::kNone : Reason::kPackedLength;
    WireReader in{list};
    while (!in.at_end()) {
      std::uint64_t value = 0;
      const Reason reason = in.read_varint(value);
      if (reason == Reason::kTruncated) return Reason::kPackedLength;
      if (reason != Reason::kNone) return reason;
    }
    return Reason::kNone;
  }

  static Reason required_id(Bytes id, std::size_t length) noexcept {
    if (id.size() != length && !id.empty()) return Reason::kIdLength;
    const bool is_zero =
        std::all_of(id.begin(), id.end(), [](std::byte byte) { return byte == std::byte{0}; });
    return is_zero ? Reason::kZeroId : Reason::kNone;
  }

  // The innermost message that fails knows best where.
  Reason fail(Reason reason, const std::byte* at) noexcept {
    if (failed_at_ == nullptr) failed_at_ = at;
    return reason;
  }

  bool is_text_damaged_ = false;
  const std::byte* failed_at_ = nullptr;
};

}  // namespace

Finding inspect(MessageType type, Bytes payload) noexcept {
  if (payload.size() > kMaxPayloadBytes) return {Reason::kTooLarge, false, 0};
  Walk walk;
  const Reason reason = walk.message(type, payload, depth_in_request(type), 0);
  if (reason == Reason::kNone) return {reason, walk.is_text_damaged(), 0};
  // An empty message has no bytes to point at.
  const std::size_t offset =
      walk.failed_at() ? static_cast<std::size_t>(walk.failed_at() - payload.data()) : 0;
  return {reason, false, offset};
}

Verdict validate(Signal signal, Bytes payload, std::vector<std::byte>& repaired) noexcept {
  return validate(record_type(signal), payload, repaired);
}

Verdict validate(MessageType type, Bytes payload, std::vector<std::byte>& repaired) noexcept {
  const Finding finding = inspect(type, payload);
  if (finding.reason != Reason::kNone) return {Outcome::kInvalid, finding.reason, finding.offset, {}};
  if (!finding.is_text_damaged) [[likely]]
    return {Outcome::kValid, Reason::kNone, 0, payload};
  try {
    repair_text(type, payload, repaired);
  } catch (const std::bad_alloc&) {
    return {Outcome::kInvalid, Reason::kOutOfMemory, 0, {}};
  }
  return {Outcome::kRepaired, Reason::kNone, 0, repaired};
}

}  // namespace shmring::otlp
