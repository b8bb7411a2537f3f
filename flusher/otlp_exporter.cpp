// SPDX-License-Identifier: Apache-2.0
// OTLP over HTTP: each batch is a POST.

#include "flusher/otlp_exporter.hpp"

#include <fmt/format.h>

#include <utility>

#include "flusher/endpoint.hpp"
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

SendResult result_of(const HttpEnd& end, const OtlpTarget& target, Signal signal) {
  if (end.failure.empty()) return judge(end.answer, signal);
  return {.outcome = SendOutcome::kRetryable,
          .reason = fmt::format("{}: {}", without_secrets(target.url), end.failure),
          .may_have_arrived = end.was_sent};
}

}  // namespace

OtlpExporter::OtlpExporter(EventLoop& loop, const std::array<OtlpTarget, kSignalCount>& targets)
    : loop_(loop), targets_(targets) {}

OtlpExporter::~OtlpExporter() = default;

void OtlpExporter::submit(std::shared_ptr<const Batch> batch, Done done) {
  const Signal signal = batch->signal;
  const OtlpTarget& target = targets_[static_cast<std::size_t>(signal)];
  auto owned = std::make_unique<Sending>();
  Sending* const sending = owned.get();
  sending->batch = std::move(batch);
  sending->done = std::move(done);
  sending->request = make_request(*sending->batch, target);
  sending->transfer =
      std::make_unique<HttpTransfer>(loop_, HttpRequest{.target = &target,
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
                     .may_have_arrived = sending->transfer->was_sent()});
  }
}

}  // namespace shmring::flusher
