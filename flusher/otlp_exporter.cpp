// SPDX-License-Identifier: Apache-2.0
// OTLP over HTTP: each batch is a POST.

#include "flusher/otlp_exporter.hpp"

#include <fmt/format.h>

#include <utility>

#include "flusher/endpoint.hpp"
#include "flusher/grpc_answer.hpp"
#include "flusher/http_transfer.hpp"
#include "flusher/otlp_request.hpp"

namespace shmring::flusher {

struct OtlpExporter::Sending {
  std::shared_ptr<const Batch> batch;
  Done done;
  OtlpRequest request;
  std::unique_ptr<HttpTransfer> transfer;
};

namespace {

/// The answer that decides about the batch has come. Over HTTP the status says it all, even where the body broke off; a gRPC
/// call's status comes behind the body.
bool is_answered(const HttpEnd& end, Protocol protocol) {
  if (end.failure.empty()) return true;
  return protocol == Protocol::kGrpc ? end.answer.grpc.count("grpc-status") > 0 : end.answer.status >= 200;
}

/// Why an answer cannot be one to a gRPC call; empty: it can.
std::string why_not_grpc(const HttpEnd& end) {
  if (end.answer.grpc.count("grpc-status") > 0) return {};
  if (end.version != HttpVersion::k2)
    return "the server speaks HTTP/1.1, gRPC needs HTTP/2; is this its gRPC port, usually 4317?";
  return end.answer.status == 200 ? "the answer ended without a gRPC status" : "";
}

SendResult judged(const HttpEnd& end, const OtlpTarget& target, Signal signal) {
  std::string failure = is_answered(end, target.protocol) ? "" : end.failure;
  if (failure.empty() && target.protocol == Protocol::kGrpc) failure = why_not_grpc(end);
  if (!failure.empty()) {
    return {.outcome = SendOutcome::kRetryable,
            .reason = fmt::format("{}: {}", without_secrets(target.url), failure),
            .may_have_arrived = end.was_sent};
  }
  return target.protocol == Protocol::kGrpc ? judge_grpc(end.answer, signal) : judge(end.answer, signal);
}

/// For metrics: whatever a server says, there are not many different ones.
std::string code_of(const HttpEnd& end, Protocol protocol) {
  const auto status = end.answer.grpc.find("grpc-status");
  if (protocol == Protocol::kGrpc && status != end.answer.grpc.end()) {
    constexpr std::size_t kMostDigits = 2;  // 0 to 16
    const bool is_number = !status->second.empty() && status->second.size() <= kMostDigits &&
                           status->second.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? "grpc_" + status->second : "grpc_other";
  }
  if (!is_answered(end, protocol) || end.answer.status == 0) return "none";
  return end.answer.status < 600 ? std::to_string(end.answer.status) : "other";
}

SendResult result_of(const HttpEnd& end, const OtlpTarget& target, Signal signal) {
  SendResult result = judged(end, target, signal);
  result.code = code_of(end, target.protocol);
  result.connection = end.connection;
  return result;
}

}  // namespace

OtlpExporter::OtlpExporter(EventLoop& loop, const std::array<OtlpTarget, kSignalCount>& targets,
                           const ConnectionLimits& connections)
    : loop_(loop), targets_(targets), connections_(connections) {}

OtlpExporter::~OtlpExporter() = default;

void OtlpExporter::submit(std::shared_ptr<const Batch> batch, Done done) {
  const Signal signal = batch->signal;
  const OtlpTarget& target = targets_[static_cast<std::size_t>(signal)];
  auto owned = std::make_unique<Sending>();
  Sending* const sending = owned.get();
  sending->batch = std::move(batch);
  sending->done = std::move(done);
  sending->request = make_request(*sending->batch, target);
  sending->transfer = std::make_unique<HttpTransfer>(
      loop_, HttpRequest{.target = &target,
                         .version = target.protocol == Protocol::kGrpc ? HttpVersion::k2 : HttpVersion::k1,
                         .connections = connections_,
                         .prefix = std::move(sending->request.prefix),
                         .body = sending->request.body(*sending->batch),
                         .headers = std::move(sending->request.headers)});
  sending_.emplace(sending, std::move(owned));
  sending->transfer->start([this, sending, &target, signal](const HttpEnd& end) {
    finish(sending, result_of(end, target, signal));
  });
}

void OtlpExporter::finish(Sending* sending, const SendResult& result) {
  const auto found = sending_.find(sending);
  const std::unique_ptr<Sending> owned = std::move(found->second);
  sending_.erase(found);
  owned->done(result);
}

void OtlpExporter::abandon_all() {
  while (!sending_.empty()) {
    Sending* const sending = sending_.begin()->first;
    finish(sending, {.outcome = SendOutcome::kRetryable,
                     .reason = "the flusher ends",
                     .may_have_arrived = sending->transfer->was_sent(),
                     .is_given_up = true});
  }
}

}  // namespace shmring::flusher
