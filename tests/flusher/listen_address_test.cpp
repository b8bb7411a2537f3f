// SPDX-License-Identifier: Apache-2.0
#include "flusher/listen_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace shmring::flusher {
namespace {

TEST(ListenAddress, IsAPortOfThisHostOrANumericAddressWithOne) {
  const auto check = [](const char* text, const char* host, unsigned port) {
    const auto parsed = parse_listen_address(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  };
  check("9464", "127.0.0.1", 9464);
  check("0.0.0.0:9464", "0.0.0.0", 9464);
  check("[::1]:80", "::1", 80);
  check("127.0.0.1:0", "127.0.0.1", 0);
  for (const char* bad : {"", ":", ":80", "localhost:80", "::1:80", "[127.0.0.1]:80", "1.2.3.4",
                          "1.2.3.4:", "65536", "1.2.3.4:http", "[]:80"}) {
    EXPECT_FALSE(parse_listen_address(bad)) << bad;
  }
}

TEST(ListenAddress, TellsThePortThatItGot) {
  const auto first = listen_on("0");
  ASSERT_TRUE(first);
  EXPECT_THAT(first->address, ::testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+"));
  const auto second = listen_on(first->address);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              ::testing::HasSubstr(first->address + " for metrics: Address already in use"));
  ::close(first->fd);
}

}  // namespace
}  // namespace shmring::flusher
