// SPDX-License-Identifier: Apache-2.0
// Text as a template argument: what a call site says every time, known to the compiler.
#pragma once

#include <algorithm>
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

}  // namespace shmring
