// SPDX-License-Identifier: Apache-2.0
// What the status behind a call says about the batch.

#include "flusher/grpc_answer.hpp"

#include <fmt/format.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "flusher/grpc_text.hpp"
#include "flusher/gzip.hpp"
#include "flusher/otlp_response.hpp"

namespace shmring::flusher {
namespace {

using Delay = std::optional<std::chrono::microseconds>;

enum Code : unsigned {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

constexpr std::array<const char*, 17> kNames{
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

/// What gRPC asks clients to take an answer without a gRPC status for.
unsigned code_of_http(long status) {
  switch (status) {
    case 400:
      return kInternal;
    case 401:
      return kUnauthenticated;
    case 403:
      return kPermissionDenied;
    case 404:
      return kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return kUnavailable;
    default:
      return kUnknown;
  }
}

unsigned parse_code(const std::string& text) {
  unsigned code = kUnknown;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), code);
  const bool is_known = status == std::errc{} && rest == text.data() + text.size() && code < kNames.size();
  return is_known ? code : static_cast<unsigned>(kUnknown);
}

/// From a google.rpc.Status among whose details is a RetryInfo. nullopt: it says nothing of trying again.
Delay retry_delay(const std::string& details) {
  google::rpc::Status status;
  const auto bytes = base64_decoded(details);
  if (!bytes || !status.ParseFromString(*bytes)) return std::nullopt;
  for (const auto& detail : status.details()) {
    google::rpc::RetryInfo info;
    if (!detail.Is<google::rpc::RetryInfo>() || !detail.UnpackTo(&info)) continue;
    constexpr std::int64_t kDay = 86'400;  // seconds; whatever is longer gets cut later anyway
    return std::chrono::seconds(std::clamp<std::int64_t>(info.retry_delay().seconds(), 0, kDay)) +
           std::chrono::microseconds(std::clamp(info.retry_delay().nanos(), 0, 999'999'999) / 1000);
  }
  return std::nullopt;
}

bool is_retryable(unsigned code, const Delay& delay) {
  switch (code) {
    case kCancelled:
    case kDeadlineExceeded:
    case kAborted:
    case kOutOfRange:
    case kUnavailable:
    case kDataLoss:
      return true;
    case kResourceExhausted:  // exhausted for now, if the server says when to come again; else for good
      return delay.has_value();
    default:
      return false;
  }
}

/// gRPC has no status for "too large": libraries use one that means something else as well, and say it in words. Go, C++,
/// Java, .NET and Rust, in this order.
bool says_too_large(unsigned code, std::string_view words) {
  if (code != kResourceExhausted && code != kOutOfRange) return false;
  constexpr std::array<std::string_view, 5> kPhrases{"message larger than max", "Message larger than max",
                                                     "exceeds maximum size", "exceeds the maximum",
                                                     "length too large"};
  return std::any_of(kPhrases.begin(), kPhrases.end(),
                     [&](std::string_view phrase) { return words.find(phrase) != std::string_view::npos; });
}

std::string value_of(const HttpAnswer& answer, const char* name) {
  const auto found = answer.grpc.find(name);
  return found == answer.grpc.end() ? std::string() : found->second;
}

/// Who compresses requests is answered in kind by many servers. Whatever a message unpacks to, this much of it is made.
constexpr std::size_t kLongestMessage = 64U << 10U;

struct Message {
  std::optional<std::string> bytes;
  std::string why = {};  // there are none
};

Message unpack(std::string_view packed, const std::string& encoding) {
  if (encoding != "gzip" && encoding != "deflate") {
    return {{},
            fmt::format("compressed by grpc-encoding \"{}\"; gzip and deflate are understood",
                        encoding.substr(0, kMaxReason))};
  }
  auto bytes = unpacked(packed, kLongestMessage);
  if (!bytes)
    return {{}, fmt::format("of {} that does not unpack to {} bytes or less", encoding, kLongestMessage)};
  return {std::move(bytes)};
}

Message message_of(const HttpAnswer& answer) {
  if (answer.body.empty()) return {""};
  const auto frame = one_frame(answer.body);
  if (!frame) return {{}, "that is no OTLP response"};
  if (frame->compressed == IsCompressed::kNo) return {std::string(frame->message)};
  return unpack(frame->message, value_of(answer, "grpc-encoding"));
}

SendResult judge_success(const HttpAnswer& answer, Signal signal) {
  const Message message = message_of(answer);
  if (!message.bytes) return {.reason = "gRPC status OK with a message " + message.why};
  const auto partial = read_partial_success(signal, Encoding::kProtobuf, *message.bytes);
  if (!partial) return {.reason = "gRPC status OK with a message that is no OTLP response"};
  return {.rejected = partial->rejected, .reason = partial->message};
}

SendResult judge_without_status(const HttpAnswer& answer) {
  const unsigned code = code_of_http(answer.status);
  const bool is_for_later = is_retryable(code, std::nullopt);
  return {.outcome = is_for_later ? SendOutcome::kRetryable : SendOutcome::kRejected,
          .reason =
              fmt::format("HTTP status {} without a gRPC status, taken for {}", answer.status, kNames[code]),
          .retry_after = is_for_later ? answer.retry_after : std::nullopt,
          .refusal = answer.status == 413 ? Refusal::kTooLarge : Refusal::kOther};
}

}  // namespace

SendResult judge_grpc(const HttpAnswer& answer, Signal signal) {
  if (answer.grpc.count("grpc-status") == 0) return judge_without_status(answer);
  const unsigned code = parse_code(value_of(answer, "grpc-status"));
  if (code == kOk) return judge_success(answer, signal);
  const Delay delay = retry_delay(value_of(answer, "grpc-status-details-bin"));
  const std::string words = grpc_message_decoded(value_of(answer, "grpc-message")).substr(0, kMaxReason);
  const bool is_too_large = says_too_large(code, words);
  const bool is_for_later = is_retryable(code, delay) && !is_too_large;
  return {.outcome = is_for_later ? SendOutcome::kRetryable : SendOutcome::kRejected,
          .reason = fmt::format("gRPC status {}{}{}", kNames[code], words.empty() ? "" : ": ", words),
          .retry_after = is_for_later ? delay : std::nullopt,
          // The server had the call when it, or its client's deadline, put an end to it.
          .may_have_arrived = code == kCancelled || code == kDeadlineExceeded,
          .refusal = is_too_large               ? Refusal::kTooLarge
                     : code == kInvalidArgument ? Refusal::kBadData
                                                : Refusal::kOther};
}

}  // namespace shmring::flusher
