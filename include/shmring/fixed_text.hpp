// SPDX-License-Identifier: Apache-2.0
// Text as a template argument: what a call site says every time, known to the compiler.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace shmring {

/// A string literal as a template argument. LogSite<Severity::kInfo, "order placed", "order.id">.
template <std::size_t Size>
struct FixedText {
  char text[Size]{};

  consteval FixedText(const char (&literal)[Size]) noexcept { std::copy_n(literal, Size, text); }
  static constexpr std::size_t size() noexcept { return Size - 1; }
  constexpr std::string_view view() const noexcept { return {text, size()}; }
};

namespace wire {

/// Whether these are keys as a record may have them: not empty, each once.
template <FixedText... Keys>
consteval bool are_keys() noexcept {
  constexpr std::array<std::string_view, sizeof...(Keys)> kKeys{Keys.view()...};
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    if (kKeys[i].empty()) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (kKeys[i] == kKeys[j]) return false;
    }
  }
  return true;
}

}  // namespace wire
}  // namespace shmring
