// SPDX-License-Identifier: Apache-2.0
#include "libshmring/otlp/request.hpp"

#include <gtest/gtest.h>

#include "libshmring/otlp/json.hpp"
#include "shmring/layout.hpp"
#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using testing::as_bytes;
using testing::field;
using testing::kSignals;
using testing::LogsRequest;
using testing::OtlpGenerator;
using testing::varint_field;
using namespace std::string_literals;

std::string finish(RequestBuilder& builder) {
  std::string request;
  builder.finish(request);
  return request;
}

RequestBuilder::Group group_of(RequestBuilder& builder, const std::string& resource,
                               const std::string& scope) {
  return builder.group(as_bytes(resource), as_bytes(scope));
}

TEST(RequestBuilder, PutsHeadersAroundOnePayload) {
  RequestBuilder builder;
  builder.add(builder.group(as_bytes("R"), as_bytes("S"), "scope-url", "resource-url"), as_bytes("payload"));
  const std::string scope = field(1, "S") + field(2, "payload") + field(3, "scope-url");
  EXPECT_EQ(finish(builder), field(1, field(1, "R") + field(2, scope) + field(3, "resource-url")));
}

// As a ring has them: the URL in front, in a field of our own.
std::string context_record(const std::string& schema_url, const std::string& message) {
  return field(kSchemaUrlField, schema_url) + message;
}

TEST(RingContext, IsTakenApartAtItsFirstFieldOnly) {
  const auto parts = [](const std::string& record) {
    const std::vector<std::byte> copy = testing::exact_copy(record);
    const Context context = split_context(copy);
    return std::pair(std::string(testing::as_text(context.message)), std::string(context.schema_url));
  };
  using Parts = std::pair<std::string, std::string>;
  const std::string name = field(1, "name");
  EXPECT_EQ(parts(""), Parts("", ""));
  EXPECT_EQ(parts(name), Parts(name, ""));
  EXPECT_EQ(parts(context_record("url", name)), Parts(name, "url"));
  EXPECT_EQ(parts(context_record("url", "")), Parts("", "url"));
  EXPECT_EQ(parts(context_record("", name)), Parts(name, ""));
  EXPECT_EQ(parts(context_record("url", context_record("second", name))),
            Parts(context_record("second", name), "url"));
  EXPECT_EQ(parts(name + context_record("behind", "")), Parts(name + context_record("behind", ""), ""));
  EXPECT_EQ(parts(varint_field(kSchemaUrlField, 1) + name),
            Parts(varint_field(kSchemaUrlField, 1) + name, ""));
  for (const char* cut :
       {"\xCA", "\xCA\xA3", "\xCA\xA3\x09", "\xCA\xA3\x09\x02", "\xCA\xA3\x09\x02u", "\xCA\xA3\x09\xFF\xFF"})
    EXPECT_EQ(parts(cut), Parts(cut, ""));
}

TEST(RingContext, ReachesTheRequestAsOtlpHasIt) {
  const std::string resource_url = "https://opentelemetry.io/schemas/1.30.0";
  OtlpGenerator random{24};
  auto resource = random.resource();
  resource.add_attributes()->set_key("k");
  auto scope = random.scope();
  scope.set_name("scope");
  scope.add_attributes()->set_key("s");
  const std::string resource_record = context_record(resource_url, resource.SerializeAsString());
  const std::string scope_record = context_record("scope:url", scope.SerializeAsString());
  for (const Signal signal : kSignals) {
    std::vector<std::byte> repaired[2];
    RequestBuilder builder;
    builder.add(builder.group(
                    checked_context(MessageType::kResource, as_bytes(resource_record), repaired[0]),
                    checked_context(MessageType::kInstrumentationScope, as_bytes(scope_record), repaired[1])),
                as_bytes(testing::random_record(signal, random)));
    const std::string request = finish(builder);
    std::string text;
    append_request_json(signal, as_bytes(request), text);
    EXPECT_NE(text.find("],\"schemaUrl\":\"scope:url\"}],\"schemaUrl\":\"" + resource_url + "\"}]}"),
              std::string::npos)
        << text;
    if (signal != Signal::kLogs) continue;
    LogsRequest parsed;
    ASSERT_TRUE(parsed.ParseFromString(request));
    const auto& of_resource = parsed.resource_logs(0);
    EXPECT_EQ(of_resource.schema_url(), resource_url);
    EXPECT_EQ(of_resource.resource().SerializeAsString(), resource.SerializeAsString());
    EXPECT_EQ(of_resource.scope_logs(0).schema_url(), "scope:url");
    EXPECT_EQ(of_resource.scope_logs(0).scope().SerializeAsString(), scope.SerializeAsString());
  }
}

TEST(RingContext, OfHostileBytesSpoilsNoRequest) {
  std::vector<std::byte> repaired;
  const auto checked = [&](const std::string& record) {
    return checked_context(MessageType::kInstrumentationScope, as_bytes(record), repaired);
  };
  const std::string name = field(1, "name");
  // A text that is no UTF-8, as a URL, makes parsers refuse the whole request.
  EXPECT_EQ(checked(context_record("\xFF\xFE", name)).schema_url, "");
  EXPECT_EQ(testing::as_text(checked(context_record("\xFF\xFE", name)).message), name);
  // A message that is none takes its URL with it.
  EXPECT_EQ(checked(context_record("url", "\xFF\xFF")).schema_url, "");
  EXPECT_TRUE(checked(context_record("url", "\xFF\xFF")).message.empty());
  // What is mended keeps it.
  const std::string odd = context_record("url", field(1, "na\xFFme"));
  const Context mended = checked(odd);
  EXPECT_EQ(mended.schema_url, "url");
  EXPECT_EQ(testing::as_text(mended.message), field(1, "na\xEF\xBF\xBDme"));
  EXPECT_TRUE(checked("\xCA\xA3\x09\xFF\xFF").message.empty());
}

TEST(RequestBuilder, LeavesOutWhatIsEmpty) {
  RequestBuilder builder;
  builder.add(builder.group(Bytes{}, Bytes{}), {});
  EXPECT_EQ(finish(builder), field(1, field(2, field(2, ""))));
}

TEST(RequestBuilder, KeepsThePayloadsByteForByte) {
  OtlpGenerator random{21};
  RequestBuilder builder;
  const auto group = group_of(builder, "R", "S");
  std::string records;
  for (int i = 0; i < 50; ++i) {
    const std::string payload = random.bytes(random.below(400));
    builder.add(group, as_bytes(payload));
    records += field(2, payload);
  }
  EXPECT_EQ(finish(builder), field(1, field(1, "R") + field(2, field(1, "S") + records)));
}

TEST(RequestBuilder, FindsAGroupAgainByItsBytes) {
  RequestBuilder builder;
  const auto group = group_of(builder, "R", "S");
  EXPECT_EQ(group_of(builder, "R"s, "S"s), group);
  EXPECT_NE(group_of(builder, "R", "T"), group);
  EXPECT_NE(group_of(builder, "Q", "S"), group);
  EXPECT_NE(builder.group(as_bytes("R"), as_bytes("S"), "url"), group);
  EXPECT_NE(builder.group(as_bytes("R"), as_bytes("S"), "", "url"), group);
  EXPECT_NE(group_of(builder, "RS", ""), group_of(builder, "R", "S"));
}

TEST(RequestBuilder, LeavesOutGroupsWithoutRecords) {
  RequestBuilder builder;
  group_of(builder, "R", "empty");
  group_of(builder, "empty", "S");
  EXPECT_EQ(builder.encoded_size(), 0U);
  EXPECT_TRUE(builder.is_empty());
  builder.add(group_of(builder, "R", "S"), as_bytes("payload"));
  EXPECT_EQ(finish(builder), field(1, field(1, "R") + field(2, field(1, "S") + field(2, "payload"))));
}

TEST(RequestBuilder, StartsAnewAfterFinish) {
  RequestBuilder builder;
  builder.add(group_of(builder, "R", "S"), as_bytes("first"));
  std::string out = "kept";
  builder.finish(out);
  EXPECT_EQ(out.substr(0, 4), "kept");
  EXPECT_TRUE(builder.is_empty());
  EXPECT_EQ(builder.encoded_size(), 0U);
  builder.add(group_of(builder, "R", "S"), as_bytes("second"));
  EXPECT_EQ(finish(builder), field(1, field(1, "R") + field(2, field(1, "S") + field(2, "second"))));
}

TEST(RequestBuilder, IsEmptyWhenNothingWasAdded) {
  RequestBuilder builder;
  EXPECT_EQ(finish(builder), "");
}

// Sizes cross 128 and 16384, where the lengths of lengths change, in every message on the way.
TEST(RequestBuilder, KnowsTheSizeOfTheRequestAtAnyTime) {
  OtlpGenerator random{22};
  std::vector<std::pair<std::uint64_t, std::string>> added;
  const auto request_of_added = [&added](RequestBuilder& builder) {
    for (const auto& [number, payload] : added) {
      builder.add(group_of(builder, std::to_string(number % 3), std::to_string(number)), as_bytes(payload));
    }
    return finish(builder);
  };
  RequestBuilder builder;
  RequestBuilder reference;
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t number = random.below(7);
    const std::string payload(random.one_in(10) ? random.below(9000) : random.below(130), 'x');
    added.emplace_back(number, payload);
    const auto group = group_of(builder, std::to_string(number % 3), std::to_string(number));
    const std::size_t announced = builder.size_with(group, payload.size());
    ASSERT_TRUE(builder.has_room_for(group, payload.size(), announced));
    ASSERT_FALSE(builder.has_room_for(group, payload.size(), announced - 1));
    ASSERT_TRUE(builder.has_room_for(group, payload.size(), announced + 1000));
    builder.add(group, as_bytes(payload));
    ASSERT_EQ(builder.encoded_size(), announced);
    if (i % 10 != 0) continue;
    ASSERT_EQ(builder.encoded_size(), request_of_added(reference).size()) << i;
  }
  EXPECT_EQ(builder.record_count(), added.size());
  const std::size_t size = builder.encoded_size();
  EXPECT_EQ(finish(builder).size(), size);
}

// Each signal's fields under the names that they have there.
template <typename Request>
struct Shape;

template <>
struct Shape<LogsRequest> {
  static auto* add_resource(LogsRequest& request) { return request.add_resource_logs(); }
  static auto* add_scope(auto& resource) { return resource.add_scope_logs(); }
  static auto* add_record(auto& scope) { return scope.add_log_records(); }
  static constexpr Signal kSignal = Signal::kLogs;
};

template <>
struct Shape<testing::TracesRequest> {
  static auto* add_resource(testing::TracesRequest& request) { return request.add_resource_spans(); }
  static auto* add_scope(auto& resource) { return resource.add_scope_spans(); }
  static auto* add_record(auto& scope) { return scope.add_spans(); }
  static constexpr Signal kSignal = Signal::kTraces;
};

template <>
struct Shape<testing::MetricsRequest> {
  static auto* add_resource(testing::MetricsRequest& request) { return request.add_resource_metrics(); }
  static auto* add_scope(auto& resource) { return resource.add_scope_metrics(); }
  static auto* add_record(auto& scope) { return scope.add_metrics(); }
  static constexpr Signal kSignal = Signal::kMetrics;
};

template <typename Request>
class SplicedRequest : public ::testing::Test {};
using Requests = ::testing::Types<LogsRequest, testing::TracesRequest, testing::MetricsRequest>;
TYPED_TEST_SUITE(SplicedRequest, Requests);

// The expected message is built by libprotobuf group by group; the builder gets the same records shuffled over groups.
TYPED_TEST(SplicedRequest, IsTheMessageThatLibprotobufWouldHaveBuilt) {
  OtlpGenerator random{23};
  for (int round = 0; round < 20; ++round) {
    TypeParam expected;
    RequestBuilder builder;
    struct Target {
      RequestBuilder::Group group;
      decltype(Shape<TypeParam>::add_scope(*Shape<TypeParam>::add_resource(expected))) scope;
    };
    std::vector<Target> targets;
    for (auto resources = 1 + random.below(3); resources > 0; --resources) {
      auto* const resource = Shape<TypeParam>::add_resource(expected);
      do *resource->mutable_resource() = random.resource();
      while (resource->resource().attributes().empty());
      for (auto scopes = 1 + random.below(3); scopes > 0; --scopes) {
        auto* const scope = Shape<TypeParam>::add_scope(*resource);
        *scope->mutable_scope() = random.scope();
        scope->mutable_scope()->set_name("scope " + std::to_string(scopes));
        scope->set_schema_url("url");
        const std::string resource_bytes = resource->resource().SerializeAsString();
        const std::string scope_bytes = scope->scope().SerializeAsString();
        targets.push_back({builder.group(as_bytes(resource_bytes), as_bytes(scope_bytes), "url"), scope});
      }
    }
    for (std::size_t i = 0; i < 40; ++i) {
      const Target& target = i < targets.size() ? targets[i] : targets[random.below(targets.size())];
      const std::string payload = testing::random_record(Shape<TypeParam>::kSignal, random);
      ASSERT_TRUE(Shape<TypeParam>::add_record(*target.scope)->ParseFromString(payload));
      builder.add(target.group, as_bytes(payload));
    }
    TypeParam spliced;
    ASSERT_TRUE(spliced.ParseFromString(finish(builder)));
    ASSERT_EQ(spliced.SerializeAsString(), expected.SerializeAsString()) << round;
  }
}

}  // namespace
}  // namespace shmring::otlp
