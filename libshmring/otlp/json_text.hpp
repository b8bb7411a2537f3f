// SPDX-License-Identifier: Apache-2.0
// The scalars of OTLP's JSON: each appends one JSON token.
#pragma once

#include <cstdint>
#include <string>

#include "libshmring/otlp/wire.hpp"

namespace shmring::otlp {

// A quoted string. Control characters are escaped, C1 and the Unicode line ends included, so that a line stays one
// line for every reader and a terminal can be shown it; what is not UTF-8 becomes U+FFFD.
void append_json_string(Bytes text, std::string& out);

// A quoted string of lower-case hex digits, as OTLP writes ids.
void append_json_hex(Bytes id, std::string& out);

// A quoted string of padded base64, as OTLP writes all other bytes.
void append_json_base64(Bytes bytes, std::string& out);

// The shortest number that reads back as the same double; "NaN", "Infinity" and "-Infinity" are quoted.
void append_json_double(double value, std::string& out);

void append_decimal(std::uint64_t value, std::string& out);
void append_decimal(std::int64_t value, std::string& out);

}  // namespace shmring::otlp
