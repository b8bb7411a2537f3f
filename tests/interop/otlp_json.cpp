// SPDX-License-Identifier: Apache-2.0
// Ids of OTLP JSON, from hexadecimal to base64.

#include "tests/interop/otlp_json.hpp"

#include <cstdint>
#include <string_view>

namespace shmring::interop {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64_of_hex(const std::string& hex) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : hex) {
    const std::size_t digit = kHex.find(c);
    if (digit == std::string_view::npos) testing::give_up("no id in lower-case hexadecimal: " + hex);
    bits = bits << 4U | static_cast<std::uint32_t>(digit);
    for (held += 4; held >= 6; held -= 6) out += kBase64[bits >> (held - 6) & 63U];
  }
  if (held > 0) out += kBase64[bits << (6 - held) & 63U];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

}  // namespace

void recode_ids(nlohmann::json& value) {
  if (value.is_array()) {
    for (auto& element : value) recode_ids(element);
  } else if (value.is_object()) {
    for (auto& [name, member] : value.items()) {
      const bool is_id = name == "traceId" || name == "spanId" || name == "parentSpanId";
      if (is_id && member.is_string()) {
        member = base64_of_hex(member.get<std::string>());
      } else {
        recode_ids(member);
      }
    }
  }
}

}  // namespace shmring::interop
