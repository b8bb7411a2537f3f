// SPDX-License-Identifier: Apache-2.0
// Any bytes as a server's answer, over HTTP and over gRPC.
//
// What must hold: the status alone decides whether a batch was taken, comes again or is refused; the body adds at most a
// number of rejected records and a few hundred characters for the log.
#include <google/protobuf/stubs/logging.h>

#include <array>
#include <string>

#include "flusher/grpc_answer.hpp"
#include "flusher/grpc_text.hpp"
#include "flusher/http_answer.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/input.hpp"

namespace shmring::fuzz {
namespace {

using flusher::SendOutcome;

constexpr std::array<long, 16> kStatuses{200, 202, 204, 299, 300, 307, 400, 401,
                                         408, 413, 429, 500, 502, 503, 504, 0};
constexpr std::array<const char*, 5> kTypes{"application/x-protobuf", "application/x-protobuf; charset=utf-8",
                                            "application/json", "text/html", ""};

SendOutcome outcome_of(long status) {
  if (status >= 200 && status <= 299) return SendOutcome::kAccepted;
  const bool again = status == 429 || status == 502 || status == 503 || status == 504;
  return again ? SendOutcome::kRetryable : SendOutcome::kRejected;
}

void check_common(const flusher::SendResult& result) {
  check(result.rejected <= std::uint64_t{1} << 63U, "no negative number of records is rejected");
  check(result.rejected == 0 || result.outcome == SendOutcome::kAccepted,
        "only a partial success rejects records");
  check(result.reason.size() <= 400, "a server's words are cut");
}

/// The same bytes as a message, as words and as details, behind every status there is and some that are none.
void check_grpc(flusher::HttpAnswer answer, unsigned code, Signal signal) {
  answer.status = 200;
  answer.grpc = {{"grpc-status", std::to_string(code)},
                 {"grpc-message", answer.body},
                 {"grpc-status-details-bin", answer.body}};
  const flusher::SendResult result = flusher::judge_grpc(answer, signal);
  check_common(result);
  check((result.outcome == SendOutcome::kAccepted) == (code == 0), "OK alone is a success");
  const bool is_always_for_later =
      code == 1 || code == 4 || code == 10 || code == 11 || code == 14 || code == 15;
  constexpr unsigned kOutOfRange = 11;
  constexpr unsigned kResourceExhausted = 8;
  const bool is_too_large = result.refusal == flusher::Refusal::kTooLarge;
  check(!is_too_large || code == kOutOfRange || code == kResourceExhausted,
        "words say that a message is too large behind two statuses only");
  if (code != kResourceExhausted && !is_too_large) {
    check((result.outcome == SendOutcome::kRetryable) == is_always_for_later, "the status alone decides");
  }
  check(!result.retry_after ||
            (*result.retry_after >= std::chrono::seconds(0) && *result.retry_after <= std::chrono::hours(25)),
        "no server asks for a wait without an end");
}

/// The same bytes as a compressed message, and as the name of what it is compressed by.
void check_compressed(flusher::HttpAnswer answer, Signal signal) {
  answer.status = 200;
  const std::string bytes = answer.body;
  answer.body = flusher::grpc_frame_header(flusher::IsCompressed::kYes, bytes.size()) + bytes;
  for (const std::string& encoding : {std::string("gzip"), std::string("deflate"), bytes}) {
    answer.grpc = {{"grpc-status", "0"}, {"grpc-encoding", encoding}};
    const flusher::SendResult result = flusher::judge_grpc(answer, signal);
    check_common(result);
    check(result.outcome == SendOutcome::kAccepted, "whatever it unpacks to, OK is a success");
  }
}

}  // namespace
}  // namespace shmring::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shmring;
  using namespace shmring::fuzz;
  // libprotobuf writes a line to standard error for each string that is no UTF-8.
  static const auto silenced = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silenced);
  Input input(data, size);
  const auto chosen = input.take<std::uint8_t>();
  flusher::HttpAnswer answer;
  answer.status = kStatuses[chosen % kStatuses.size()];
  answer.retry_after = std::chrono::seconds(chosen);
  answer.content_type = kTypes[input.take<std::uint8_t>() % kTypes.size()];
  const auto signal = static_cast<Signal>(input.take<std::uint8_t>() % kSignalCount);
  answer.body.assign(reinterpret_cast<const char*>(input.rest().data()), input.rest().size());
  const flusher::SendResult result = flusher::judge(answer, signal);
  check(result.outcome == outcome_of(answer.status), "the status alone decides");
  check_common(result);
  check(result.retry_after.has_value() == (result.outcome == SendOutcome::kRetryable),
        "only a repetition waits");
  check_grpc(answer, chosen % 20, signal);
  check_compressed(answer, signal);
  return 0;
}
