// SPDX-License-Identifier: Apache-2.0
// Decides about a payload that came out of a ring: OTLP as it is, OTLP once its text is mended, or not OTLP.
//
// What passes is taken by every protobuf parser, alone or spliced into a request: one malformed record would make a
// backend refuse the whole request. Fields that OTLP does not know (yet) are walked over and kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "libshmring/otlp/reason.hpp"
#include "libshmring/otlp/schema.hpp"
#include "libshmring/otlp/wire.hpp"
#include "shmring/signal.hpp"

namespace shmring::otlp {

// A repair at most triples a payload, and 2 GiB is where protobuf ends.
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{512} << 20;

// What a walk through a payload found.
struct Finding {
  Reason reason = Reason::kNone;
  bool is_text_damaged = false;  // some string field is not UTF-8; meaningful when the reason is kNone
  std::size_t offset = 0;        // where the payload goes wrong, when the reason is not kNone
};

// Never allocates and never reads outside the payload.
Finding inspect(MessageType type, Bytes payload) noexcept;

enum class Outcome : std::uint8_t { kValid, kRepaired, kInvalid };

struct Verdict {
  Outcome outcome = Outcome::kValid;
  Reason reason = Reason::kNone;  // when invalid
  std::size_t offset = 0;         // when invalid: where
  Bytes payload;                  // valid: the bytes given; repaired: those in the buffer; invalid: none
};

// The payload of one record. `repaired` is the caller's, reused from record to record and written to only when text
// must be mended: every invalid sequence becomes a U+FFFD. REQUIRES: payload does not lie in `repaired`.
Verdict validate(Signal signal, Bytes payload, std::vector<std::byte>& repaired) noexcept;

// The same for any message: the Resource and InstrumentationScope that a block brings, or a whole request.
Verdict validate(MessageType type, Bytes payload, std::vector<std::byte>& repaired) noexcept;

}  // namespace shmring::otlp
