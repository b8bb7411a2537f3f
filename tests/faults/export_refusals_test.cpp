// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: requests that a server refuses because of what is in them, and records that no server takes.
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>

#include <cstring>

#include "tests/faults/export_stage.hpp"

namespace shmring::testing {
namespace {

using ::testing::HasSubstr;
using LogsRequest = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;

bool holds(const std::string& request, std::uint32_t id) {
  for (const otlp::Bytes payload : payloads_of(request)) {
    if (id_of(payload) == id) return true;
  }
  return false;
}

class FaultExportRefusal : public ExportStage {
 protected:
  /// A record of any bytes.
  void emit_bytes(const std::string& bytes) {
    const Ring ring = promise_.scratch().open();
    Slot slot = ring.writer().try_reserve(RecordKind::kLog, bytes.size());
    ASSERT_TRUE(slot);
    std::memcpy(slot.payload().data(), bytes.data(), bytes.size());
    ASSERT_TRUE(std::move(slot).commit());
  }
  void emit_large() {
    const std::uint32_t id = promise_.obligations().issue();
    const Logger logger = promise_.scratch().open().logger("test");
    ASSERT_TRUE(with_record(
        id, [&](const LogRecord& record) { return logger.emit(record); }, Large::kYes));
    promise_.obligations().oblige(id);
  }
};

TEST_F(FaultExportRefusal, OfABatchBecauseOfOneRecordCostsThatRecord) {
  constexpr std::uint32_t kBad = 137;
  std::atomic<unsigned> refusals{0};
  HttpServer server(taking([&](const HttpRequest& request) {
    if (!holds(request.body, kBad)) return HttpReply{};
    ++refusals;
    return HttpReply{.status = 400, .body = "I do not like it"};
  }));
  emit(500);
  start(server.url());
  expect_kept({.lost = 1, .refused = 1});
  EXPECT_GT(refusals, 1U);
  EXPECT_LE(refusals, 4U * 6U);  // log2(50) is a little less than 6
  EXPECT_FALSE(arrivals_.with_deliveries([](Deliveries& d) { return d.arrived(kBad); }));
  EXPECT_THAT(flusher_->log_text(), HasSubstr("I do not like it"));
}

TEST_F(FaultExportRefusal, WithoutBisectingCostsTheBatchAndIsNotRepeated) {
  std::atomic<unsigned> refusals{0};
  HttpServer server(taking([&](const HttpRequest& request) {
    if (!holds(request.body, 137)) return HttpReply{};
    ++refusals;
    return HttpReply{.status = 400};
  }));
  emit(500);
  start(server.url(), {"--no-bisect"});
  expect_kept({.lost = kBatch, .refused = kBatch});
  EXPECT_EQ(refusals, 1U);
}

TEST_F(FaultExportRefusal, OfEverythingCostsThreeRequestsForABatch) {
  std::atomic<unsigned> requests{0};
  std::atomic<bool> is_over{false};
  HttpServer server(taking([&](const HttpRequest&) {
    if (is_over) return HttpReply{};
    ++requests;
    return HttpReply{.status = 400};
  }));
  emit(500);
  start(server.url());
  ASSERT_TRUE(eventually([&] { return is_settled(); }));
  is_over = true;
  EXPECT_EQ(requests, 30U);
  expect_kept({.lost = 500, .refused = 500});
}

TEST_F(FaultExportRefusal, OfWhatIsTooLargeIsCutUntilItFitsAndOneTooLargeByItselfIsRefusedAlone) {
  constexpr std::size_t kLimit = 4096;
  std::atomic<unsigned> refusals{0};
  HttpServer server(taking([&](const HttpRequest& request) {
    if (request.body.size() <= kLimit) return HttpReply{};
    ++refusals;
    return HttpReply{.status = 413, .body = "too much"};
  }));
  emit(300);
  emit_large();
  emit(300);
  start(server.url());
  expect_kept({.lost = 1, .refused = 1});
  EXPECT_GT(refusals, 10U);
  EXPECT_THAT(flusher_->log_text(), HasSubstr("HTTP status 413: too much"));
}

/// A server that decodes as servers do, and refuses a request as a whole where it cannot.
TEST_F(FaultExportRefusal, BadRecordsAreMendedOrSetAsideAndAllOthersArrive) {
  std::atomic<unsigned> refusals{0};
  HttpServer server(taking([&](const HttpRequest& request) {
    LogsRequest parsed;
    if (parsed.ParseFromString(request.body)) return HttpReply{};
    ++refusals;
    return HttpReply{.status = 400};
  }));
  const auto framed = [](char tag, const std::string& bytes) {
    std::string out(1, tag);
    otlp::append_varint(bytes.size(), out);
    return out + bytes;
  };
  std::string nested;  // AnyValue { array_value { values ... } }, one in the other
  while (nested.size() < 240) nested = framed(0x2a, framed(0x0a, nested));
  emit(100);
  emit_bytes(framed(0x2a, framed(0x0a, "broken \xff\xc3 text")));         // mended
  emit_bytes(framed(0x2a, framed(0x0a, std::string("a\0b", 3))));         // fine
  emit_bytes(framed(0x2a, nested));                                       // set aside
  emit_bytes(framed(0x4a, "seven b") + framed(0x2a, framed(0x0a, "x")));  // trace id of a wrong length
  emit_bytes("\xff\xff\xff");                                             // set aside
  const std::string ten_mebibytes(10U << 20U, 'x');
  EXPECT_FALSE(promise_.scratch().open().logger("test").emit(Severity::kInfo, ten_mebibytes));
  emit(100);
  start(server.url());
  ASSERT_TRUE(eventually([&] { return is_settled(); }));
  const std::uint64_t invalid = outcome(promise_.accounting(), Outcome::kInvalid);
  EXPECT_GE(invalid, 2U);
  EXPECT_LE(invalid, 3U);
  EXPECT_EQ(arrivals_.strangers(), 5U - invalid);
  EXPECT_EQ(refusals, 0U) << "nothing that a parser refuses is sent";
  EXPECT_EQ(dropped(promise_.accounting(), DropCause::kTooLarge), 1U);
  expect_kept({.invalid = invalid});
}

}  // namespace
}  // namespace shmring::testing
