// SPDX-License-Identifier: Apache-2.0
#include "libshmring/otlp/repair.hpp"

#include <gtest/gtest.h>

#include "libshmring/otlp/validate.hpp"
#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using testing::as_text;
using testing::exact_copy;
using testing::field;
using testing::OtlpGenerator;
using testing::varint_field;

Verdict validate_log(const std::string& payload, std::vector<std::byte>& repaired) {
  return validate(Signal::kLogs, exact_copy(payload), repaired);
}

TEST(Repair, PutsAReplacementCharacterForWhatIsNotUtf8) {
  std::vector<std::byte> repaired;
  const Verdict verdict = validate_log(field(3,
                                             "IN\xff"
                                             "FO"),
                                       repaired);
  EXPECT_EQ(verdict.outcome, Outcome::kRepaired);
  EXPECT_EQ(as_text(verdict.payload), field(3,
                                            "IN\xEF\xBF\xBD"
                                            "FO"));
}

TEST(Repair, CorrectsTheLengthsOfAllMessagesAround) {
  std::vector<std::byte> repaired;
  const auto record = [](const std::string& text) {  // 60 bad bytes become 180: the lengths grow by a byte
    return field(6, field(1, "key") + field(2, field(6, field(1, field(1, "k") + field(2, field(1, text))))));
  };
  std::string replaced;
  for (int i = 0; i < 60; ++i) replaced += "\xEF\xBF\xBD";
  const Verdict verdict = validate_log(record(std::string(60, '\xff')), repaired);
  ASSERT_EQ(verdict.outcome, Outcome::kRepaired);
  EXPECT_EQ(as_text(verdict.payload), record(replaced));
  OtlpGenerator::LogRecord parsed;
  EXPECT_TRUE(parsed.ParseFromArray(verdict.payload.data(), static_cast<int>(verdict.payload.size())));
}

TEST(Repair, LeavesBytesAndUnknownFieldsAlone) {
  std::vector<std::byte> repaired;
  const std::string kept = field(5, field(7, "\xff\xfe")) + field(77, "\xff") + varint_field(99, 300);
  const Verdict verdict = validate_log(kept + field(3, "\xff"), repaired);
  EXPECT_EQ(as_text(verdict.payload), kept + field(3, "\xEF\xBF\xBD"));
}

TEST(Repair, ReusesTheBufferFromRecordToRecord) {
  std::vector<std::byte> repaired;
  validate_log(field(3, std::string(100, '\xff')), repaired);
  const auto* const data = repaired.data();
  const Verdict verdict = validate_log(field(3, "\xff"), repaired);
  EXPECT_EQ(verdict.payload.data(), data);
  EXPECT_EQ(as_text(verdict.payload), field(3, "\xEF\xBF\xBD"));
}

TEST(Repair, DoesNotRepairWhatIsInvalidBesides) {
  std::vector<std::byte> repaired;
  const Verdict verdict = validate_log(field(3, "\xff") + varint_field(3, 1), repaired);
  EXPECT_EQ(verdict.outcome, Outcome::kInvalid);
  EXPECT_EQ(verdict.reason, Reason::kWireType);
}

}  // namespace
}  // namespace shmring::otlp
