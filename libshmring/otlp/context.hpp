// SPDX-License-Identifier: Apache-2.0
// The resource and scope records of a ring, taken apart: the OTLP message, and the schema URL that stands in front of it (layout.hpp).
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "libshmring/otlp/schema.hpp"
#include "libshmring/otlp/wire.hpp"

namespace shmring::otlp {

struct Context {
  Bytes message;                     // a Resource or InstrumentationScope
  std::string_view schema_url = {};  // empty: none
};

// Looks at the first field only, and at nothing in it. What is no schema URL belongs to the message.
Context split_context(Bytes record) noexcept;

// The same, fit for a request: text in the message is mended, in `repaired` (see validate()); a message that is no OTLP is left out with its URL.
// So is a URL that is no UTF-8: mended, it would name another schema. REQUIRES: `type` is kResource or kInstrumentationScope.
Context checked_context(MessageType type, Bytes record, std::vector<std::byte>& repaired) noexcept;

}  // namespace shmring::otlp
