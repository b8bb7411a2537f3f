// SPDX-License-Identifier: Apache-2.0
// What a server's answer says about the batch.

#include "flusher/http_answer.hpp"

#include <fmt/format.h>

#include "flusher/otlp_response.hpp"

namespace shmring::flusher {
namespace {

/// nullopt: neither of OTLP's two.
std::optional<Encoding> encoding_of(const HttpAnswer& answer) {
  if (answer.content_type.starts_with("application/x-protobuf")) return Encoding::kProtobuf;
  if (answer.content_type.starts_with("application/json")) return Encoding::kJson;
  return std::nullopt;
}

std::string reason_of(const HttpAnswer& answer) {
  const auto encoding = encoding_of(answer);
  const std::string words = encoding ? read_status_message(*encoding, answer.body) : answer.body;
  return fmt::format("HTTP status {}{}{}", answer.status, words.empty() ? "" : ": ",
                     words.substr(0, kMaxReason));
}

SendResult judge_success(const HttpAnswer& answer, Signal signal) {
  const auto encoding = encoding_of(answer);
  std::optional<PartialSuccess> partial;
  if (answer.body.empty()) partial.emplace();
  if (encoding) partial = read_partial_success(signal, *encoding, answer.body);
  if (!partial)
    return {.reason = fmt::format("HTTP status {} with a body that is no OTLP response", answer.status)};
  return {.rejected = partial->rejected, .reason = partial->message};
}

}  // namespace

Refusal refusal_of_http(long status) {
  if (status == 400) return Refusal::kBadData;
  return status == 413 ? Refusal::kTooLarge : Refusal::kOther;
}

SendResult judge(const HttpAnswer& answer, Signal signal) {
  if (answer.status >= 200 && answer.status <= 299) return judge_success(answer, signal);
  const bool is_retryable =
      answer.status == 429 || answer.status == 502 || answer.status == 503 || answer.status == 504;
  return {.outcome = is_retryable ? SendOutcome::kRetryable : SendOutcome::kRejected,
          .reason = reason_of(answer),
          .retry_after = is_retryable ? answer.retry_after : std::nullopt,
          .refusal = refusal_of_http(answer.status)};
}

}  // namespace shmring::flusher
