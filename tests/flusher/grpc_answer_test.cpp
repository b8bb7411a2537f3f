// SPDX-License-Identifier: Apache-2.0
#include "flusher/grpc_answer.hpp"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <zlib.h>

#include "flusher/grpc_text.hpp"
#include "flusher/gzip.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;

HttpAnswer with_status(const std::string& status) {
  return {.status = 200, .grpc = {{"grpc-status", status}}};
}

std::string base64(const std::string& bytes) {
  constexpr const char* kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6;) out += kAlphabet[bits >> (count -= 6) & 63];
  }
  if (count > 0) out += kAlphabet[bits << (6 - count) & 63];
  return out;
}

std::string retry_info(std::int64_t seconds, std::int32_t nanos) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(seconds);
  info.mutable_retry_delay()->set_nanos(nanos);
  google::rpc::Status status;
  google::rpc::Status another;
  status.add_details()->PackFrom(another);
  status.add_details()->PackFrom(info);
  return base64(status.SerializeAsString());
}

TEST(GrpcAnswer, OkIsAcceptedButForWhatAPartialSuccessLeavesOut) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  response.mutable_partial_success()->set_rejected_log_records(3);
  response.mutable_partial_success()->set_error_message("too old");
  const std::string message = response.SerializeAsString();
  HttpAnswer answer = with_status("0");
  answer.body = grpc_frame_header(IsCompressed::kNo, message.size()) + message;
  const SendResult result = judge_grpc(answer, Signal::kLogs);
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(result.rejected, 3U);
  EXPECT_EQ(result.reason, "too old");
}

TEST(GrpcAnswer, AnUnreadableMessageDoesNotMakeOkAFailure) {
  for (const std::string& body : {std::string("x"), std::string("\0\0\0\0\1x", 6), std::string("<html>")}) {
    HttpAnswer answer = with_status("0");
    answer.body = body;
    const SendResult result = judge_grpc(answer, Signal::kLogs);
    EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
    EXPECT_THAT(result.reason, HasSubstr("no OTLP response"));
  }
}

/// An answer whose message is compressed, as the server says.
HttpAnswer compressed(const std::string& encoding, const std::string& packed) {
  HttpAnswer answer = with_status("0");
  answer.grpc["grpc-encoding"] = encoding;
  answer.body = grpc_frame_header(IsCompressed::kYes, packed.size()) + packed;
  return answer;
}

std::string zlib_packed(const std::string& bytes) {
  std::string out(compressBound(bytes.size()), '\0');
  uLongf size = out.size();
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
           bytes.size());
  return out.substr(0, size);
}

/// Servers that were sent a compressed request like to answer in kind.
TEST(GrpcAnswer, ACompressedMessageIsUnpacked) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  response.mutable_partial_success()->set_rejected_log_records(3);
  const std::string message = response.SerializeAsString();
  for (const auto& answer :
       {compressed("gzip", *gzip(message)), compressed("deflate", zlib_packed(message))}) {
    const SendResult result = judge_grpc(answer, Signal::kLogs);
    EXPECT_EQ(result.rejected, 3U);
    EXPECT_EQ(result.reason, "");
  }
  EXPECT_EQ(judge_grpc(compressed("gzip", *gzip("")), Signal::kLogs).reason, "");
}

TEST(GrpcAnswer, AMessageThatCannotBeUnpackedDoesNotMakeOkAFailureAndTheReasonSaysWhatItIs) {
  const std::string packed = *gzip("x");
  for (const std::string& damaged : {packed.substr(0, 12), packed + "more", std::string("no gzip")})
    EXPECT_THAT(judge_grpc(compressed("gzip", damaged), Signal::kLogs).reason, HasSubstr("not unpack"));
  for (const char* encoding : {"snappy", "identity", ""}) {
    const SendResult result = judge_grpc(compressed(encoding, packed), Signal::kLogs);
    EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
    EXPECT_THAT(result.reason, HasSubstr("grpc-encoding \"" + std::string(encoding) + "\""));
  }
}

TEST(GrpcAnswer, ABombIsNotUnpacked) {
  const std::string bomb = *gzip(std::string(50U << 20U, '\0'));
  const SendResult result = judge_grpc(compressed("gzip", bomb), Signal::kLogs);
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_THAT(result.reason, HasSubstr("not unpack to 65536 bytes or less"));
}

TEST(Gzip, WhatWasPackedIsUnpackedUpToTheLimitAndNotAByteOver) {
  for (const std::size_t size : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 20'000UL}) {
    const std::string bytes(size, 'x');
    EXPECT_EQ(unpacked(*gzip(bytes), size), bytes) << size;
    EXPECT_EQ(unpacked(*gzip(bytes + "x"), size), std::nullopt) << size;
  }
}

TEST(GrpcAnswer, SixStatusesAreForLater) {
  for (const char* status : {"1", "4", "10", "11", "14", "15"})
    EXPECT_EQ(judge_grpc(with_status(status), Signal::kLogs).outcome, SendOutcome::kRetryable) << status;
}

TEST(GrpcAnswer, AllOthersAreForGood) {
  for (const char* status : {"2", "3", "5", "6", "7", "8", "9", "12", "13", "16", "17", "-1", "", "soon"})
    EXPECT_EQ(judge_grpc(with_status(status), Signal::kLogs).outcome, SendOutcome::kRejected) << status;
}

TEST(GrpcAnswer, InvalidArgumentIsAboutTheRecords) {
  for (unsigned code = 1; code <= 16; ++code) {
    EXPECT_EQ(judge_grpc(with_status(std::to_string(code)), Signal::kLogs).refusal,
              code == 3 ? Refusal::kBadData : Refusal::kOther)
        << code;
  }
}

TEST(GrpcAnswer, WhatALibrarySaysOfAMessageOverItsLimitIsForGoodAndAboutItsSize) {
  const std::pair<const char*, const char*> words[] = {
      {"8", "grpc: received message larger than max (5000000 vs. 4194304)"},
      {"8", "SERVER: Received message larger than max (5000000 vs. 4194304)"},
      {"8", "gRPC message exceeds maximum size 4194304: 5000000"},
      {"8", "Received message exceeds the maximum configured message size."},
      {"11", "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes"}};
  for (const auto& [status, message] : words) {
    HttpAnswer answer = with_status(status);
    answer.grpc["grpc-message"] = message;
    const SendResult result = judge_grpc(answer, Signal::kLogs);
    EXPECT_EQ(result.outcome, SendOutcome::kRejected) << message;
    EXPECT_EQ(result.refusal, Refusal::kTooLarge) << message;
  }
  HttpAnswer quota = with_status("8");
  quota.grpc["grpc-message"] = "quota exceeded";
  EXPECT_EQ(judge_grpc(quota, Signal::kLogs).refusal, Refusal::kOther);
  EXPECT_EQ(judge_grpc({.status = 413}, Signal::kLogs).refusal, Refusal::kTooLarge);
}

TEST(GrpcAnswer, ResourceExhaustedIsForLaterIfTheServerSaysWhen) {
  HttpAnswer answer = with_status("8");
  answer.grpc["grpc-status-details-bin"] = retry_info(2, 500'000'000);
  const SendResult result = judge_grpc(answer, Signal::kLogs);
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_EQ(result.retry_after, std::chrono::milliseconds(2500));
  answer.grpc["grpc-status-details-bin"] = "no base64!";
  EXPECT_EQ(judge_grpc(answer, Signal::kLogs).outcome, SendOutcome::kRejected);
}

TEST(GrpcAnswer, RetryInfoIsHeardWithUnavailableTooAndCannotAskForNonsense) {
  HttpAnswer answer = with_status("14");
  EXPECT_EQ(judge_grpc(answer, Signal::kLogs).retry_after, std::nullopt);
  answer.grpc["grpc-status-details-bin"] = retry_info(7, 0);
  EXPECT_EQ(judge_grpc(answer, Signal::kLogs).retry_after, std::chrono::seconds(7));
  answer.grpc["grpc-status-details-bin"] = retry_info(-7, -5);
  EXPECT_EQ(judge_grpc(answer, Signal::kLogs).retry_after, std::chrono::seconds(0));
  answer.grpc["grpc-status-details-bin"] = retry_info(INT64_MAX, INT32_MAX);
  EXPECT_GE(judge_grpc(answer, Signal::kLogs).retry_after, std::chrono::hours(24));
}

TEST(GrpcAnswer, RetryInfoWithAStatusForGoodChangesNothing) {
  HttpAnswer answer = with_status("3");
  answer.grpc["grpc-status-details-bin"] = retry_info(7, 0);
  EXPECT_EQ(judge_grpc(answer, Signal::kLogs).outcome, SendOutcome::kRejected);
}

TEST(GrpcAnswer, ADeadlineOrACancellationLeavesItOpenWhetherItArrived) {
  EXPECT_TRUE(judge_grpc(with_status("4"), Signal::kLogs).may_have_arrived);
  EXPECT_TRUE(judge_grpc(with_status("1"), Signal::kLogs).may_have_arrived);
  EXPECT_FALSE(judge_grpc(with_status("14"), Signal::kLogs).may_have_arrived);
}

TEST(GrpcAnswer, TheReasonNamesTheStatusAndHoldsTheServersWords) {
  HttpAnswer answer = with_status("3");
  answer.grpc["grpc-message"] = "bad%20id";
  EXPECT_EQ(judge_grpc(answer, Signal::kLogs).reason, "gRPC status INVALID_ARGUMENT: bad id");
  answer.grpc["grpc-message"] = std::string(8000, 'x');
  EXPECT_LT(judge_grpc(answer, Signal::kLogs).reason.size(), 400U);
}

TEST(GrpcAnswer, AnHttpErrorWithoutAStatusGoesByItsNumber) {
  for (const long status : {429L, 502L, 503L, 504L})
    EXPECT_EQ(judge_grpc({.status = status}, Signal::kLogs).outcome, SendOutcome::kRetryable) << status;
  for (const long status : {301L, 400L, 401L, 403L, 404L, 500L})
    EXPECT_EQ(judge_grpc({.status = status}, Signal::kLogs).outcome, SendOutcome::kRejected) << status;
  EXPECT_EQ(judge_grpc({.status = 503, .retry_after = std::chrono::seconds(3)}, Signal::kLogs).retry_after,
            std::chrono::seconds(3));
}

}  // namespace
}  // namespace shmring::flusher
