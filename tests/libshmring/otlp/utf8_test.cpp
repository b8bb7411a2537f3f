// SPDX-License-Identifier: Apache-2.0
#include "libshmring/otlp/utf8.hpp"

#include <gtest/gtest.h>

#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using testing::as_bytes;
using testing::exact_copy;

std::string encode(char32_t code_point) {
  const auto rest = [code_point](int shift) {
    return static_cast<char>(0x80 | (code_point >> shift & 0x3f));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xc0 | code_point >> 6), rest(0)};
  if (code_point < 0x10000) return {static_cast<char>(0xe0 | code_point >> 12), rest(6), rest(0)};
  return {static_cast<char>(0xf0 | code_point >> 18), rest(12), rest(6), rest(0)};
}

TEST(Utf8, KnowsEveryCodePointAndNoSurrogate) {
  for (char32_t code_point = 0; code_point < 0x120000; ++code_point) {
    const std::string text = encode(code_point);
    const bool is_scalar_value = code_point < 0xd800 || (code_point >= 0xe000 && code_point < 0x110000);
    ASSERT_EQ(is_utf8(as_bytes(text)), is_scalar_value) << std::hex << static_cast<std::uint32_t>(code_point);
    if (!is_scalar_value) continue;
    const Utf8Step step = next_utf8(as_bytes(text));
    ASSERT_EQ(step.code_point, code_point);
    ASSERT_EQ(step.size, text.size());
  }
}

TEST(Utf8, RefusesOverlongForms) {
  for (const char* text :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf"}) {
    EXPECT_FALSE(is_utf8(as_bytes(text)));
  }
}

TEST(Utf8, FindsOneBadByteAnywhereInTextOfAnyLength) {
  for (std::size_t size = 1; size < 70; ++size) {
    std::string text(size, 'a');
    EXPECT_TRUE(is_utf8(exact_copy(text)));
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = '\x80';
      EXPECT_FALSE(is_utf8(exact_copy(text))) << size << ' ' << i;
      text[i] = 'a';
    }
  }
  EXPECT_TRUE(is_utf8({}));
}

TEST(Utf8, FindsTheCutSequenceAtTheEnd) {
  EXPECT_TRUE(is_utf8(exact_copy("twelve bytes \xe2\x82\xac")));
  EXPECT_FALSE(is_utf8(exact_copy("twelve bytes \xe2\x82")));
  EXPECT_FALSE(is_utf8(exact_copy("twelve bytes \xe2")));
}

TEST(Utf8, CountsOneReplacementPerSequenceThatCouldHaveBeen) {
  EXPECT_EQ(repaired_size(as_bytes("a\xe2\x82z")), 1U + 3U + 1U);  // a cut euro sign is one
  EXPECT_EQ(repaired_size(as_bytes("\xed\xa0\x80")), 3U * 3U);     // a surrogate could never have been: three
  EXPECT_EQ(repaired_size(as_bytes("\xf0\x9f\xa6\xf0\x9f")), 2U * 3U);
  EXPECT_EQ(repaired_size(as_bytes("\xff\xfe")), 2U * 3U);
}

}  // namespace
}  // namespace shmring::otlp
