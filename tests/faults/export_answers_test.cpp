// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: what servers answer when they mean success, or mean harm.
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <zlib.h>

#include "tests/faults/export_stage.hpp"

namespace shmring::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Values;

constexpr const char* kProtobuf = "application/x-protobuf";

std::string partial_success(std::int64_t rejected, const std::string& message) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  response.mutable_partial_success()->set_rejected_log_records(rejected);
  response.mutable_partial_success()->set_error_message(message);
  return response.SerializeAsString();
}

struct Said {
  const char* name;
  HttpReply reply;
  std::uint64_t rejected = 0;  // records, of each batch
  const char* in_log = "";
};
void PrintTo(const Said& each, std::ostream* out) { *out << each.name; }

class FaultExportAnswer : public ExportStage, public ::testing::WithParamInterface<Said> {};

TEST_P(FaultExportAnswer, OfSuccessIsNeverRepeatedWhateverItsBody) {
  constexpr unsigned kBatches = 4;
  std::atomic<unsigned> answers{0};
  HttpServer server(
      taking([&](const HttpRequest&) { return answers++ < kBatches ? GetParam().reply : HttpReply{}; }));
  emit(kBatches * kBatch);
  start(server.url());
  ASSERT_TRUE(eventually([&] { return is_settled(); }));
  EXPECT_EQ(answers, kBatches);
  expect_kept({.refused = kBatches * GetParam().rejected});
  EXPECT_EQ(promise_.accounting().total.duplicates_possible, 0U);
  EXPECT_THAT(flusher_->log_text(), HasSubstr(GetParam().in_log));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, FaultExportAnswer,
    Values(Said{"PartialSuccess",
                {.body = partial_success(3, "three too old"), .headers = {{"Content-Type", kProtobuf}}},
                3,
                "three too old"},
           Said{"PartialSuccessOfAll",
                {.body = partial_success(50, "all too old"), .headers = {{"Content-Type", kProtobuf}}},
                50,
                "all too old"},
           Said{"PartialSuccessOfMoreThanThereAre",
                {.body = partial_success(1'000'000, "many"), .headers = {{"Content-Type", kProtobuf}}},
                50,
                "many"},
           Said{"PartialSuccessWithWordsOnly",
                {.body = partial_success(0, "be careful"), .headers = {{"Content-Type", kProtobuf}}},
                0,
                "be careful"},
           Said{"NegativePartialSuccess",
                {.body = partial_success(-5, "odd"), .headers = {{"Content-Type", kProtobuf}}},
                0,
                "odd"},
           Said{"Garbage",
                {.body = "\xff\xff\xff\xff", .headers = {{"Content-Type", kProtobuf}}},
                0,
                "no OTLP response"},
           Said{"WrongContentType",
                {.body = "<html>it works</html>", .headers = {{"Content-Type", "text/html"}}},
                0,
                "no OTLP response"},
           Said{"Empty", {}}, Said{"NoContent", {.status = 204}}, Said{"Accepted", {.status = 202}}),
    [](const auto& each) { return each.param.name; });

std::string compressed_zeros(std::size_t bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string zeros(1U << 20U, '\0');
  std::string out(bytes / 500 + 4096, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  for (std::size_t done = 0; done < bytes; done += zeros.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    deflate(&stream, done + zeros.size() < bytes ? Z_NO_FLUSH : Z_FINISH);
  }
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

constexpr const char* kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kMebibyte(1U << 20U, 'x');

struct Harm {
  const char* name;
  HttpReply reply;
  HttpIntake intake = {};
  std::size_t zeros = 0;  // the body is so many, compressed: made where it is used, for that takes a second
  void PrintTo(const Harm& each, std::ostream* out) { *out << each.name; }
};

/// Logs go to the one that means harm, traces to a good one.
class FaultExportHarm : public ExportStage, public ::testing::WithParamInterface<Harm> {};

TEST_P(FaultExportHarm, TakesBoundedMemoryAndTimeAndOtherSignalsGoOn) {
  constexpr unsigned kTimes = 4;
  std::atomic<unsigned> fired{0};
  std::atomic<bool> is_over{false};
  HttpReply reply = GetParam().reply;
  if (GetParam().zeros != 0) reply.body = compressed_zeros(GetParam().zeros);
  HttpServer harmful(taking([&](const HttpRequest&) {
                       if (is_over) return HttpReply{};
                       ++fired;
                       return reply;
                     }),
                     {}, [&](unsigned, unsigned) {
                       if (is_over || GetParam().intake.does == HttpIntake::Does::kRead) return HttpIntake{};
                       ++fired;
                       return GetParam().intake;
                     });
  HttpServer good([](const HttpRequest&) { return HttpReply{}; });
  emit(100);
  start(harmful.url(), {"--timeout", "300ms", "--traces-endpoint", good.url() + "/v1/traces"});
  ASSERT_TRUE(eventually([&] { return fired > 0; })) << flusher_->log_text();
  for (std::uint64_t span = 1; span <= 3; ++span) {
    emit_span();
    ASSERT_TRUE(eventually([&] { return accepted(Signal::kTraces) == span; })) << "traces are held up";
  }
  while (fired < kTimes) {
    emit(10);
    const unsigned before = fired;
    ASSERT_TRUE(eventually([&] { return fired > before || is_settled(); })) << flusher_->log_text();
  }
  EXPECT_LT(memory_kib(), 64U << 10U);
  is_over = true;
  expect_kept({.most_duplicates = 1'000'000, .most_memory_kib = 64 << 10});
}

INSTANTIATE_TEST_SUITE_P(
    Of, FaultExportHarm,
    Values(
        Harm{"EndlessBody", {.raw = kChunked, .endless = "100000\r\n" + kMebibyte + "\r\n"}},
        Harm{"HugeBody",
             {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", .endless = kMebibyte}},
        Harm{"EndlessHeaders",
             {.raw = "HTTP/1.1 200 OK\r\n", .endless = "X-More: " + kMebibyte.substr(0, 8000) + "\r\n"}},
        Harm{"EndlessHeaderLine", {.raw = "HTTP/1.1 200 OK\r\nX-More: ", .endless = kMebibyte}},
        Harm{"EndlessInterimAnswers", {.raw = "\r\n", .endless = "HTTP/1.1 102 Processing\r\n\r\n"}},
        Harm{"SlowBody",
             {.raw = kChunked + kMebibyte.substr(0, 10'000),
              .bytes_at_once = 60,
              .pause = std::chrono::milliseconds(20)}},
        Harm{"SlowHead",
             {.body = kMebibyte.substr(0, 1000), .bytes_at_once = 1, .pause = std::chrono::milliseconds(30)}},
        Harm{"CompressedBomb",
             {.headers = {{"Content-Encoding", "gzip"}, {"Content-Type", kProtobuf}}},
             {},
             256U << 20U},
        Harm{"NeverReads", {}, {.does = HttpIntake::Does::kNeverReads}},
        Harm{"NeverReadsTheRest", {}, {.does = HttpIntake::Does::kNeverReads, .after_bytes = 200}}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace shmring::testing
