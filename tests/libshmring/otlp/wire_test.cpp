// SPDX-License-Identifier: Apache-2.0
#include "libshmring/otlp/wire.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using testing::exact_copy;
using namespace std::string_literals;

Reason varint_in(const std::string& text, std::uint64_t& value) {
  const auto bytes = exact_copy(text);
  WireReader in{bytes};
  return in.read_varint(value);
}

TEST(WireReader, ReadsBackEveryVarintThatIsAppended) {
  for (unsigned shift = 0; shift < 64; ++shift) {
    for (const std::uint64_t value : {std::uint64_t{1} << shift, (std::uint64_t{1} << shift) - 1}) {
      std::string text;
      append_varint(value, text);
      EXPECT_EQ(text.size(), varint_size(value));
      std::uint64_t read = 0;
      EXPECT_EQ(varint_in(text, read), Reason::kNone);
      EXPECT_EQ(read, value);
    }
  }
}

TEST(WireReader, TakesTenBytesOfVarintAndSixtyFourBits) {
  std::uint64_t value = 0;
  EXPECT_EQ(varint_in(std::string(9, '\xff') + "\x01", value), Reason::kNone);
  EXPECT_EQ(value, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(varint_in(std::string(9, '\xff') + "\x02", value), Reason::kVarint);
  EXPECT_EQ(varint_in(std::string(10, '\x80') + "\x00"s, value), Reason::kVarint);
  EXPECT_EQ(varint_in(std::string(9, '\x80'), value), Reason::kTruncated);
  EXPECT_EQ(varint_in("", value), Reason::kTruncated);
}

TEST(WireReader, RefusesTagsBeyondThirtyTwoBitsAndFieldZero) {
  const auto tag_in = [](const std::string& text) {
    const auto bytes = exact_copy(text);
    Tag tag;
    return WireReader{bytes}.read_tag(tag);
  };
  EXPECT_EQ(tag_in("\xff\xff\xff\xff\x0f"), Reason::kNone);
  EXPECT_EQ(tag_in("\xff\xff\xff\xff\x1f"), Reason::kFieldNumber);
  EXPECT_EQ(tag_in("\x88\x80\x80\x80\x80\x00"s), Reason::kFieldNumber);
  EXPECT_EQ(tag_in("\x80\x00"s), Reason::kFieldNumber);
  EXPECT_EQ(tag_in("\x02"), Reason::kFieldNumber);
  EXPECT_EQ(tag_in("\xff\xff"), Reason::kTruncated);
  EXPECT_EQ(tag_in(""), Reason::kTruncated);
}

TEST(WireReader, RefusesALengthThatDoesNotFit) {
  const auto bytes_in = [](const std::string& text) {
    const auto bytes = exact_copy(text);
    Bytes content;
    return WireReader{bytes}.read_bytes(content);
  };
  EXPECT_EQ(bytes_in("\x02"s + "ab"), Reason::kNone);
  EXPECT_EQ(bytes_in("\x82\x00"s + "ab"), Reason::kNone);
  EXPECT_EQ(bytes_in("\x03"s + "ab"), Reason::kTruncated);
  EXPECT_EQ(bytes_in("\xff\xff\xff\xff\x07"), Reason::kTruncated);
  EXPECT_EQ(bytes_in("\xff\xff\xff\xff\x08"), Reason::kLength);
  EXPECT_EQ(bytes_in("\x81\x80\x80\x80\x80\x00"s + "a"), Reason::kLength);
}

TEST(WireReader, StaysWhereItIsWhenAnItemIsWrong) {
  const auto bytes = exact_copy("\x0a\x09 short");
  WireReader in{bytes};
  Tag tag;
  ASSERT_EQ(in.read_tag(tag), Reason::kNone);
  EXPECT_EQ(in.skip(tag.type), Reason::kTruncated);
  EXPECT_EQ(in.position(), bytes.data() + 1);
}

TEST(WireReader, RefusesGroupsAndTheWireTypesThatMeanNothing) {
  const auto bytes = exact_copy("12345678");
  for (const unsigned type : {3U, 4U, 6U, 7U}) {
    EXPECT_EQ(WireReader{bytes}.skip(static_cast<WireType>(type)), Reason::kGroup) << type;
  }
}

}  // namespace
}  // namespace shmring::otlp
