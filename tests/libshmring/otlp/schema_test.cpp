// SPDX-License-Identifier: Apache-2.0
// The tables are right if libprotobuf's descriptors, made from the .proto files, say the same in every row.
#include "libshmring/otlp/schema.hpp"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;

// Links in the descriptors of all messages.
const Descriptor* descriptor_of(MessageType type) {
  for (const Signal signal : testing::kSignals) testing::empty_request(signal)->GetDescriptor();
  return DescriptorPool::generated_pool()->FindMessageTypeByName(std::string{schema_of(type).full_name});
}

FieldDescriptor::Type protobuf_type(Kind kind) {
  switch (kind) {
    case Kind::kUint32:
      return FieldDescriptor::TYPE_UINT32;
    case Kind::kEnum:
      return FieldDescriptor::TYPE_ENUM;
    case Kind::kBool:
      return FieldDescriptor::TYPE_BOOL;
    case Kind::kInt64:
      return FieldDescriptor::TYPE_INT64;
    case Kind::kUint64:
      return FieldDescriptor::TYPE_UINT64;
    case Kind::kSint32:
      return FieldDescriptor::TYPE_SINT32;
    case Kind::kFixed32:
      return FieldDescriptor::TYPE_FIXED32;
    case Kind::kFixed64:
      return FieldDescriptor::TYPE_FIXED64;
    case Kind::kSfixed64:
      return FieldDescriptor::TYPE_SFIXED64;
    case Kind::kDouble:
      return FieldDescriptor::TYPE_DOUBLE;
    case Kind::kString:
      return FieldDescriptor::TYPE_STRING;
    case Kind::kTraceId:
    case Kind::kSpanId:
    case Kind::kBytes:
      return FieldDescriptor::TYPE_BYTES;
    case Kind::kMessage:
      break;
  }
  return FieldDescriptor::TYPE_MESSAGE;
}

Kind id_kind(const FieldDescriptor& field) {
  if (field.name() == "trace_id") return Kind::kTraceId;
  if (field.name() == "span_id" || field.name() == "parent_span_id") return Kind::kSpanId;
  return Kind::kBytes;
}

Label label_of(const FieldDescriptor& field) {
  if (field.is_repeated()) return Label::kRepeated;
  if (field.real_containing_oneof() != nullptr) return Label::kOneof;
  if (field.has_presence()) return Label::kOptional;
  const bool is_span = field.containing_type()->full_name() == "opentelemetry.proto.trace.v1.Span";
  const bool is_own_id = field.name() == "trace_id" || field.name() == "span_id";
  return is_span && is_own_id ? Label::kRequired : Label::kSingular;
}

TEST(Schema, SaysOfEveryFieldWhatTheDescriptorsSay) {
  for (std::size_t i = 0; i < kMessageTypeCount; ++i) {
    const MessageSchema& schema = schema_of(static_cast<MessageType>(i));
    const Descriptor* const descriptor = descriptor_of(static_cast<MessageType>(i));
    ASSERT_NE(descriptor, nullptr) << schema.full_name;
    ASSERT_EQ(schema.fields.size(), static_cast<std::size_t>(descriptor->field_count())) << schema.full_name;
    for (int k = 0; k < descriptor->field_count(); ++k) {
      const FieldDescriptor& expected = *descriptor->field(k);
      SCOPED_TRACE(expected.full_name());
      const Field& field = schema.fields[static_cast<std::size_t>(k)];
      EXPECT_EQ(field.number, expected.number());
      EXPECT_EQ(field.json_name, expected.json_name());
      EXPECT_EQ(field.label, label_of(expected));
      EXPECT_EQ(protobuf_type(field.kind), expected.type());
      if (expected.type() == FieldDescriptor::TYPE_BYTES) {
        EXPECT_EQ(field.kind, id_kind(expected));
      }
      if (expected.type() != FieldDescriptor::TYPE_MESSAGE) continue;
      EXPECT_EQ(schema_of(field.message).full_name, expected.message_type()->full_name());
    }
  }
}

TEST(Schema, HasNoMessageWithTwoOneofs) {  // the JSON printer relies on it
  for (std::size_t i = 0; i < kMessageTypeCount; ++i) {
    EXPECT_LE(descriptor_of(static_cast<MessageType>(i))->real_oneof_decl_count(), 1);
  }
}

TEST(Schema, FindsFieldsByNumber) {
  const MessageSchema& span = schema_of(MessageType::kSpan);
  for (std::uint32_t number = 1; number <= 16; ++number) {
    ASSERT_TRUE(span.knows(number));
    EXPECT_EQ(span.fields[span.by_number[number]].number, number);
  }
  EXPECT_FALSE(span.knows(0));
  EXPECT_FALSE(span.knows(17));
  EXPECT_FALSE(schema_of(MessageType::kLogRecord).knows(4));
}

}  // namespace
}  // namespace shmring::otlp
