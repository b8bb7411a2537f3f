// SPDX-License-Identifier: Apache-2.0
// The reasons in words.
#include "libshmring/otlp/reason.hpp"

namespace shmring::otlp {

const char* to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::kNone:
      return "valid";
    case Reason::kTruncated:
      return "field ends after its message";
    case Reason::kVarint:
      return "varint longer than 64 bits";
    case Reason::kLength:
      return "length of 2 GiB or more";
    case Reason::kFieldNumber:
      return "field number out of range";
    case Reason::kGroup:
      return "group or reserved wire type";
    case Reason::kWireType:
      return "wire type is not the field's";
    case Reason::kPackedLength:
      return "packed list ends inside an element";
    case Reason::kIdLength:
      return "trace or span id of the wrong length";
    case Reason::kZeroId:
      return "span with an empty or all-zero id";
    case Reason::kMissingId:
      return "span without trace id or span id";
    case Reason::kTooDeep:
      return "values nested too deep";
    case Reason::kTooLarge:
      return "payload too large";
    case Reason::kOutOfMemory:
      return "no memory to repair the text";
  }
  return "unknown";
}

}  // namespace shmring::otlp
