// SPDX-License-Identifier: Apache-2.0
#include "libshmring/resource.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "opentelemetry/proto/resource/v1/resource.pb.h"
#include "scoped_environment.hpp"
#include "shmring/version.hpp"

namespace shmring::test {
namespace {

using AttributeMap = std::map<std::string, std::string>;

AttributeMap attributes_of(const std::string& encoded) {
  opentelemetry::proto::resource::v1::Resource resource;
  EXPECT_TRUE(resource.ParseFromString(encoded));
  AttributeMap attributes;
  for (const auto& attribute : resource.attributes()) {
    const bool is_first = attributes.emplace(attribute.key(), attribute.value().string_value()).second;
    EXPECT_TRUE(is_first) << attribute.key() << " is there twice";
  }
  return attributes;
}

AttributeMap fixed(const ResourceOptions& options = {}) {
  const auto resource = encode_fixed_resource(options);
  EXPECT_TRUE(resource);
  return attributes_of(resource->encoded);
}

class Resource : public WithEnvironment {
 protected:
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").filename();
};

TEST_F(Resource, SaysWhoWritesWithoutBeingTold) {
  std::array<char, 256> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  const AttributeMap expected{{"service.name", "unknown_service:" + program},
                              {"process.executable.name", program},
                              {"host.name", host.data()},
                              {"telemetry.sdk.name", "shmring"},
                              {"telemetry.sdk.language", "cpp"},
                              {"telemetry.sdk.version", kVersion}};
  EXPECT_EQ(fixed(), expected);
}

TEST_F(Resource, TakesTheServiceNameFromWhoeverIsNearest) {
  set("OTEL_RESOURCE_ATTRIBUTES", "service.name=list");
  EXPECT_EQ(fixed().at("service.name"), "list");
  set("OTEL_SERVICE_NAME", "variable");
  EXPECT_EQ(fixed().at("service.name"), "variable");
  EXPECT_EQ(fixed({.attributes = {{"service.name", "option list"}}}).at("service.name"), "option list");
  EXPECT_EQ(
      fixed({.service_name = "option", .attributes = {{"service.name", "option list"}}}).at("service.name"),
      "option");
}

TEST_F(Resource, TakesTheEnvironmentOverTheDetectedAndTheOptionsOverTheEnvironment) {
  set("OTEL_RESOURCE_ATTRIBUTES", "host.name=elsewhere,deployment.environment.name=test");
  const auto attributes = fixed({.attributes = {{"deployment.environment.name", "production"}}});
  EXPECT_EQ(attributes.at("host.name"), "elsewhere");
  EXPECT_EQ(attributes.at("deployment.environment.name"), "production");
}

TEST_F(Resource, DecodesTheList) {
  set("OTEL_RESOURCE_ATTRIBUTES", " a = 1 ,b%20c=x%2Cy%3Dz,d=,e=f=g,u=%C3%A4,");
  const auto attributes = fixed();
  EXPECT_EQ(attributes.at("a"), "1");
  EXPECT_EQ(attributes.at("b c"), "x,y=z");
  EXPECT_EQ(attributes.at("d"), "");
  EXPECT_EQ(attributes.at("e"), "f=g");
  EXPECT_EQ(attributes.at("u"), "\u00e4");
}

TEST_F(Resource, IgnoresAMalformedListAsAWholeAndNotesIt) {
  for (const char* bad : {"a=1,b", "a=1,=2", "a=1,b=%", "a=1,b=%2", "a=1,b=%zz", "a=1,%4=x"}) {
    set("OTEL_RESOURCE_ATTRIBUTES", bad);
    const auto resource = encode_fixed_resource({});
    ASSERT_TRUE(resource);
    EXPECT_FALSE(attributes_of(resource->encoded).contains("a")) << bad;
    EXPECT_THAT(resource->ignored, testing::ElementsAre(testing::HasSubstr(bad)));
  }
}

TEST_F(Resource, KeepsTheKindOfEachValueAndACopyOfIt) {
  ResourceOptions options;
  {
    const std::string text = "a text that is gone when the ring is opened";
    const std::vector<std::string> list = {"a", "b"};
    options.attributes = {
        {"text", text}, {"number", -4}, {"truth", true}, {"list", list}, {"map", Attributes{{"k", 0.5}}}};
    options.attributes.set("number", 4);
  }
  const auto encoded = encode_fixed_resource(options);
  ASSERT_TRUE(encoded);
  opentelemetry::proto::resource::v1::Resource resource;
  ASSERT_TRUE(resource.ParseFromString(encoded->encoded));
  std::map<std::string, opentelemetry::proto::common::v1::AnyValue> values;
  for (const auto& each : resource.attributes()) values[each.key()] = each.value();
  EXPECT_EQ(values.at("text").string_value(), "a text that is gone when the ring is opened");
  EXPECT_EQ(values.at("number").int_value(), 4);
  EXPECT_TRUE(values.at("truth").bool_value());
  ASSERT_EQ(values.at("list").array_value().values_size(), 2);
  EXPECT_EQ(values.at("list").array_value().values(1).string_value(), "b");
  ASSERT_EQ(values.at("map").kvlist_value().values_size(), 1);
  EXPECT_EQ(values.at("map").kvlist_value().values(0).value().double_value(), 0.5);
}

TEST_F(Resource, BeginsWithTheSchemaUrlWhichNoParserMinds) {
  const auto plain = encode_fixed_resource({});
  const auto encoded = encode_fixed_resource({.schema_url = "u:"});
  ASSERT_TRUE(plain && encoded);
  EXPECT_EQ(encoded->encoded, "\xCA\xA3\x09\x02u:" + plain->encoded);  // field 19001
  EXPECT_EQ(attributes_of(encoded->encoded), attributes_of(plain->encoded));
}

TEST_F(Resource, RefusesAnOptionWithoutAKey) {
  const auto resource = encode_fixed_resource({.attributes = {{"", "value"}}});
  ASSERT_FALSE(resource);
  EXPECT_EQ(resource.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Resource, KeepsTheInstanceIdThatTheUserGaveAndNeverAPid) {
  set("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=mine,process.pid=7");
  const auto resource = encode_fixed_resource({.attributes = {{"process.pid", "8"}}});
  ASSERT_TRUE(resource);
  EXPECT_TRUE(resource->has_instance_id);
  EXPECT_EQ(attributes_of(resource->encoded).at("service.instance.id"), "mine");
  EXPECT_FALSE(attributes_of(resource->encoded).contains("process.pid"));
  ::unsetenv("OTEL_RESOURCE_ATTRIBUTES");
  EXPECT_FALSE(encode_fixed_resource({})->has_instance_id);
}

std::string process_part(std::uint32_t pid, std::uint64_t high, std::uint64_t low, bool has_instance_id) {
  std::array<std::byte, kProcessResourceMax> bytes{};
  const auto fixed = encode_fixed_resource(
      has_instance_id ? ResourceOptions{.attributes = {{"service.instance.id", "mine"}}} : ResourceOptions{});
  const std::size_t size = encode_process_resource(bytes.data(), *fixed, pid, high, low);
  EXPECT_LE(size, kProcessResourceMax);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

TEST_F(Resource, HasAProcessPartWithPidAndInstance) {
  const std::string part = process_part(0xFFFFFFFFU, 0x0123456789ABCDEFU, 0xFEDCBA9876543210U, false);
  opentelemetry::proto::resource::v1::Resource resource;
  ASSERT_TRUE(resource.ParseFromString(part));
  ASSERT_EQ(resource.attributes_size(), 2);
  EXPECT_EQ(resource.attributes(0).key(), "process.pid");
  EXPECT_EQ(resource.attributes(0).value().int_value(), 0xFFFFFFFFLL);
  EXPECT_EQ(resource.attributes(1).key(), "service.instance.id");
  EXPECT_EQ(resource.attributes(1).value().string_value(), "01234567-89ab-4def-bedc-ba9876543210");
}

TEST_F(Resource, LeavesTheInstanceOutOfTheProcessPartWhenTheUserGaveIt) {
  const std::string part = process_part(4711, 1, 2, true);
  EXPECT_FALSE(attributes_of(part).contains("service.instance.id"));
  EXPECT_TRUE(attributes_of(part).contains("process.pid"));
}

TEST_F(Resource, IsOneMessageWhenItsPartsAreJoined) {
  const auto joined = attributes_of(encode_fixed_resource({})->encoded + process_part(1, 2, 3, false));
  EXPECT_TRUE(joined.contains("service.name"));
  EXPECT_TRUE(joined.contains("process.pid"));
}

}  // namespace
}  // namespace shmring::test
