// SPDX-License-Identifier: Apache-2.0
#include "flusher/request_parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using testing::bodies_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LogsRequest;

/// Resource "a" with scopes "x" (records 0, 1) and "y" (2, 3, 4), resource "b" with scope "x" (5).
LogsRequest six_records() {
  LogsRequest request;
  int number = 0;
  const auto add_scope = [&](auto& resource, const char* name, int records) {
    auto* const scope = resource.add_scope_logs();
    scope->mutable_scope()->set_name(name);
    scope->set_schema_url(std::string("scope schema ") + name);
    for (int i = 0; i < records; ++i)
      scope->add_log_records()->mutable_body()->set_string_value(std::to_string(number++));
  };
  const auto add_resource = [&](const char* service) -> auto& {
    auto* const resource = request.add_resource_logs();
    auto* const attribute = resource->mutable_resource()->add_attributes();
    attribute->set_key("service.name");
    attribute->mutable_value()->set_string_value(service);
    resource->set_schema_url(std::string("resource schema ") + service);
    return *resource;
  };
  auto& a = add_resource("a");
  add_scope(a, "x", 2);
  add_scope(a, "y", 3);
  add_scope(add_resource("b"), "x", 1);
  return request;
}

TEST(RequestParts, AllTogetherAreTheRequestAgainToTheByte) {
  const std::string request = six_records().SerializeAsString();
  const auto parts = RequestParts::of(request);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->records(), 6U);
  EXPECT_EQ(parts->encode(0, 6), request);
}

TEST(RequestParts, EachPartHoldsItsRecordsInTheirEnvelopes) {
  const std::string request = six_records().SerializeAsString();
  const auto parts = RequestParts::of(request);
  for (std::size_t begin = 0; begin <= 6; ++begin) {
    for (std::size_t end = begin; end <= 6; ++end) {
      const std::vector<std::string> bodies = bodies_of(parts->encode(begin, end));
      ASSERT_EQ(bodies.size(), end - begin);
      for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(bodies[i], std::to_string(begin + i));
    }
  }
  LogsRequest part;
  ASSERT_TRUE(part.ParseFromString(parts->encode(4, 6)));
  ASSERT_EQ(part.resource_logs_size(), 2);
  LogsRequest expected = six_records();
  auto* const first = expected.mutable_resource_logs(0);
  first->mutable_scope_logs()->DeleteSubrange(0, 1);
  first->mutable_scope_logs(0)->mutable_log_records()->DeleteSubrange(0, 2);
  EXPECT_EQ(part.SerializeAsString(), expected.SerializeAsString());
}

TEST(RequestParts, KeepARecordsBytesAsTheyAre) {
  // An unknown field, and a string of invalid UTF-8, which no parser would write again like that.
  const std::string record = "\x2a\x03\x0a\x01\xff\xfa\x7f\x01?";
  std::string request;
  const auto framed = [](const std::string& bytes, char tag) {
    return std::string(1, tag) + static_cast<char>(bytes.size()) + bytes;
  };
  for (int i = 0; i < 2; ++i) request += framed(framed(framed(record, 0x12), 0x12), 0x0a);
  const auto parts = RequestParts::of(request);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->encode(1, 2), framed(framed(framed(record, 0x12), 0x12), 0x0a));
}

TEST(RequestParts, OfAnEmptyRequestThereAreNone) {
  const auto parts = RequestParts::of("");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->records(), 0U);
  EXPECT_THAT(parts->encode(0, 0), IsEmpty());
}

TEST(RequestParts, OfWhatIsNoRequestThereAreNone) {
  EXPECT_FALSE(RequestParts::of("payload"));
  EXPECT_FALSE(RequestParts::of("\x0a\xff"));
  EXPECT_FALSE(RequestParts::of("\x08\x01"));
  const std::string whole = six_records().SerializeAsString();
  EXPECT_FALSE(RequestParts::of(std::string_view(whole).substr(0, whole.size() - 1)));
}

}  // namespace
}  // namespace shmring::flusher
