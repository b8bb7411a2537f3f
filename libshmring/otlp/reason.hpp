// SPDX-License-Identifier: Apache-2.0
// Why a payload is not OTLP: the causes that a bad record is counted and dead-lettered under.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shmring::otlp {

enum class Reason : std::uint8_t {
  kNone,          // nothing is wrong
  kTruncated,     // a field ends after the message that holds it
  kVarint,        // a varint of more than 10 bytes, or of more than 64 bits
  kLength,        // a length that no protobuf parser takes (5 bytes and 2 GiB are the end)
  kFieldNumber,   // field number 0, or a tag of more than 32 bits
  kGroup,         // a group: a wire type that proto3 has never had; also the two wire types that mean nothing
  kWireType,      // a known field in a wire type that is not its own
  kPackedLength,  // a packed list that ends inside an element
  kIdLength,      // a trace id that is not 16 bytes (nor empty), a span id that is not 8
  kZeroId,        // a span whose trace id or span id is empty or all zero
  kMissingId,     // a span without trace id or span id
  kTooDeep,       // values nested deeper than every parser takes
  kTooLarge,      // more bytes than any receiver takes
  kOutOfMemory,   // no memory left to repair the text in
};

inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::kOutOfMemory) + 1;

// A few words for a log line, in lower case.
const char* to_string(Reason reason) noexcept;

}  // namespace shmring::otlp
