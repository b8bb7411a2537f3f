// SPDX-License-Identifier: Apache-2.0
// The validator against libprotobuf on random messages, whole and damaged: what libprotobuf writes is valid, what the
// validator lets through libprotobuf parses inside a request, and no bytes whatever make either of us fall over.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libshmring/otlp/json.hpp"
#include "libshmring/otlp/request.hpp"
#include "libshmring/otlp/validate.hpp"
#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using testing::as_bytes;
using testing::as_text;
using testing::exact_copy;
using testing::kSignals;
using testing::OtlpGenerator;
using testing::random_record;

constexpr int kRecords = 3000;

// One to three damages of the kinds that crashes, bugs and hostile hands leave.
std::string damaged(std::string record, OtlpGenerator& random) {
  for (auto count = 1 + random.below(3); count > 0 && !record.empty(); --count) {
    const auto at = static_cast<std::size_t>(random.below(record.size()));
    switch (random.below(6)) {
      case 0:
        record[at] = static_cast<char>(record[at] ^ (1 << random.below(8)));
        break;
      case 1:
        record[at] = static_cast<char>(random.bits());
        break;
      case 2:
        record.resize(at);
        break;
      case 3:
        record.insert(at, random.bytes(1 + random.below(4)));
        break;
      case 4:
        record.erase(at, 1 + random.below(4));
        break;
      default:
        record.append(record, at, 1 + random.below(40));  // a part of it once more
        break;
    }
  }
  return record;
}

void expect_parses_in_a_request(Signal signal, Bytes payload) {
  RequestBuilder builder;
  builder.add(builder.group(Bytes{}, Bytes{}), payload);
  std::string request;
  builder.finish(request);
  EXPECT_TRUE(testing::empty_request(signal)->ParseFromString(request));
}

class Random : public ::testing::TestWithParam<Signal> {
 protected:
  std::vector<std::byte> repaired_;
};

TEST_P(Random, EverythingThatLibprotobufWritesIsValid) {
  OtlpGenerator random{1};
  for (int i = 0; i < kRecords; ++i) {
    const auto record = exact_copy(random_record(GetParam(), random));
    const Verdict verdict = validate(GetParam(), record, repaired_);
    ASSERT_EQ(verdict.outcome, Outcome::kValid) << i << ": " << to_string(verdict.reason);
  }
  for (int i = 0; i < kRecords; ++i) {
    const std::string resource = random.resource().SerializeAsString();
    const std::string scope = random.scope().SerializeAsString();
    ASSERT_EQ(validate(MessageType::kResource, exact_copy(resource), repaired_).outcome, Outcome::kValid);
    ASSERT_EQ(validate(MessageType::kInstrumentationScope, exact_copy(scope), repaired_).outcome,
              Outcome::kValid);
  }
}

TEST_P(Random, WhatPassesAfterDamageIsParsedByLibprotobuf) {
  OtlpGenerator random{2};
  int passed = 0;
  int refused = 0;
  for (int i = 0; i < 10 * kRecords; ++i) {
    const auto record = exact_copy(damaged(random_record(GetParam(), random), random));
    const Verdict verdict = validate(GetParam(), record, repaired_);
    if (verdict.outcome == Outcome::kInvalid) {
      ++refused;
      ASSERT_LE(verdict.offset, record.size());
      continue;
    }
    ++passed;
    expect_parses_in_a_request(GetParam(), verdict.payload);
    if (HasFailure()) FAIL() << "record " << i;
  }
  EXPECT_GT(passed, kRecords / 10);
  EXPECT_GT(refused, kRecords);
}

TEST_P(Random, DamagedTextIsRepairedAndThenValid) {
  OtlpGenerator random{3};
  int repairs = 0;
  for (int i = 0; i < kRecords; ++i) {
    std::string record = random_record(GetParam(), random);
    for (char& byte : record) {
      if (byte >= 'a' && byte <= 'z' && random.one_in(30)) byte = static_cast<char>(0x80 | byte);
    }
    const Verdict verdict = validate(GetParam(), exact_copy(record), repaired_);
    if (verdict.outcome != Outcome::kRepaired) continue;
    ++repairs;
    const Finding again = inspect(record_type(GetParam()), exact_copy(std::string{as_text(verdict.payload)}));
    ASSERT_EQ(again.reason, Reason::kNone) << i;
    ASSERT_FALSE(again.is_text_damaged) << i;
    expect_parses_in_a_request(GetParam(), verdict.payload);
    if (HasFailure()) FAIL() << "record " << i;
  }
  EXPECT_GT(repairs, kRecords / 20);
}

TEST_P(Random, AnyBytesGiveAVerdictAndWellFormedJson) {
  OtlpGenerator random{4};
  for (int i = 0; i < 3 * kRecords; ++i) {
    const std::string garbage = random.one_in(3) ? random.bytes(random.below(100))
                                                 : damaged(random_record(GetParam(), random), random);
    const auto record = exact_copy(garbage);
    validate(GetParam(), record, repaired_);
    std::string shown;
    append_record_json(GetParam(), record, shown);
    ASSERT_TRUE(nlohmann::json::accept(shown)) << shown;
    ASSERT_EQ(shown.find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Validate, Random, ::testing::ValuesIn(kSignals),
                         [](const auto& instance) { return std::string{to_string(instance.param)}; });

}  // namespace
}  // namespace shmring::otlp
