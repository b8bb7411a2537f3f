// SPDX-License-Identifier: Apache-2.0
#include "flusher/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shmring::flusher {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(Endpoint, ABaseGetsTheSignalsPath) {
  EXPECT_EQ(*url_below("http://localhost:4318", Signal::kLogs), "http://localhost:4318/v1/logs");
  EXPECT_EQ(*url_below("http://localhost:4318/", Signal::kTraces), "http://localhost:4318/v1/traces");
  EXPECT_EQ(*url_below("https://host/prefix", Signal::kMetrics), "https://host/prefix/v1/metrics");
  EXPECT_EQ(*url_below("https://host/prefix/", Signal::kMetrics), "https://host/prefix/v1/metrics");
}

TEST(Endpoint, OneOfASignalIsUsedAsItIs) {
  EXPECT_EQ(*url_as_given("http://host:1/my/path"), "http://host:1/my/path");
  EXPECT_EQ(*url_as_given("http://host:1"), "http://host:1/");
}

TEST(Endpoint, OfGrpcOnlyHostAndPortCount) {
  const std::string path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const auto url = [](const char* endpoint, Insecure insecure = Insecure::kNo) {
    return *grpc_url(endpoint, Signal::kTraces, insecure);
  };
  EXPECT_EQ(url("http://host:4317"), "http://host:4317" + path);
  EXPECT_EQ(url("https://host/some/path?x=1#y"), "https://host" + path);
  EXPECT_EQ(url("host:4317"), "https://host:4317" + path);
  EXPECT_EQ(url("[::1]:4317"), "https://[::1]:4317" + path);
  EXPECT_EQ(url("host:4317", Insecure::kYes), "http://host:4317" + path);
  EXPECT_EQ(url("https://host:4317", Insecure::kYes), "https://host:4317" + path);
  EXPECT_FALSE(grpc_url("ftp://host", Signal::kTraces, Insecure::kNo));
}

TEST(Endpoint, WhatIsNoHttpUrlIsRefused) {
  for (const char* text :
       {"", "localhost:4318", "ftp://host", "http://", "grpc://host:4317", "http://host:99999999"}) {
    EXPECT_FALSE(url_below(text, Signal::kLogs)) << text;
    EXPECT_FALSE(url_as_given(text)) << text;
  }
}

TEST(Endpoint, SecretsAreNotShown) {
  EXPECT_EQ(without_secrets("https://me:hunter2@host/v1/logs?key=s3cret"), "https://host/v1/logs");
  EXPECT_THAT(url_as_given("gopher://me:hunter2@host").error().message, Not(HasSubstr("hunter2")));
  EXPECT_THAT(url_as_given("me:hunter2@ho st").error().message, Not(HasSubstr("hunter2")));
}

TEST(Headers, AreAListOfPercentEncodedPairs) {
  EXPECT_THAT(*parse_headers("api-key=a%20b, x = y ,,empty=,same=1=2"),
              ElementsAre(Pair("api-key", "a b"), Pair("x", "y"), Pair("empty", ""), Pair("same", "1=2")));
}

TEST(Headers, WhatWouldBreakTheRequestIsRefusedWithoutRepeatingIt) {
  for (const char* text :
       {"noequals", "=value", "a b=c", "k=%zz", "k=%4", "k=s3cret%0d%0aInjected: x", "k=%00"}) {
    const auto headers = parse_headers(text);
    ASSERT_FALSE(headers) << text;
    EXPECT_THAT(headers.error().message, Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace shmring::flusher
