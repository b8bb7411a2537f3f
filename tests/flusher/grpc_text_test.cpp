// SPDX-License-Identifier: Apache-2.0
#include "flusher/grpc_text.hpp"

#include <gtest/gtest.h>

namespace shmring::flusher {
namespace {

using namespace std::string_literals;

TEST(GrpcText, AMessageGoesBehindAFlagAndItsLength) {
  EXPECT_EQ(grpc_frame_header(IsCompressed::kNo, 0x010203), "\0\0\1\2\3"s);
  EXPECT_EQ(grpc_frame_header(IsCompressed::kYes, 7), "\1\0\0\0\7"s);
}

TEST(GrpcText, ABodyIsOneMessageCompressedOrNot) {
  const std::string body_of_one = "\0\0\0\0\3abc"s;  // the frame's message lies in it
  const auto plain = one_frame(body_of_one);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->message, "abc");
  EXPECT_EQ(plain->compressed, IsCompressed::kNo);
  EXPECT_EQ(one_frame("\0\0\0\0\0"s)->message, "");
  EXPECT_EQ(one_frame("\1\0\0\0\3abc"s)->compressed, IsCompressed::kYes);
  for (const std::string& body :
       {""s, "\0\0\0\0"s, "\0\0\0\0\4abc"s, "\0\0\0\0\2abc"s, "\2\0\0\0\3abc"s, "\0\xff\xff\xff\xff"s})
    EXPECT_FALSE(one_frame(body)) << body.size();
}

TEST(GrpcText, ATimeoutHasAtMostEightDigits) {
  EXPECT_EQ(grpc_timeout(std::chrono::seconds(10)), "10000m");
  EXPECT_EQ(grpc_timeout(std::chrono::microseconds(1)), "1m");
  EXPECT_EQ(grpc_timeout(std::chrono::hours(100)), "360000S");
  EXPECT_EQ(grpc_timeout(std::chrono::hours(1'000'000)), "99999999S");
}

TEST(GrpcText, WordsArePercentEncoded) {
  EXPECT_EQ(grpc_message_decoded("100%25 caf%C3%A9%0a"), "100% caf\xc3\xa9\n");
  EXPECT_EQ(grpc_message_decoded("%"), "%");
  EXPECT_EQ(grpc_message_decoded("a%4"), "a%4");
  EXPECT_EQ(grpc_message_decoded("%zz%4z"), "%zz%4z");
}

TEST(GrpcText, Base64ComesWithAndWithoutPadding) {
  EXPECT_EQ(base64_decoded(""), "");
  EXPECT_EQ(base64_decoded("TQ"), "M");
  EXPECT_EQ(base64_decoded("TQ=="), "M");
  EXPECT_EQ(base64_decoded("TWE="), "Ma");
  EXPECT_EQ(base64_decoded("TWFu"), "Man");
  EXPECT_EQ(base64_decoded("+/+/"), "\xfb\xff\xbf");
  EXPECT_EQ(base64_decoded("T"), std::nullopt);
  EXPECT_EQ(base64_decoded("TW Fu"), std::nullopt);
}

}  // namespace
}  // namespace shmring::flusher
