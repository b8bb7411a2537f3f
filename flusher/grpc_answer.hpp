// SPDX-License-Identifier: Apache-2.0
// OTLP/gRPC, "OTLP/gRPC Response": what the status behind a call says about the batch that was sent with it.
#pragma once

#include "flusher/exporter.hpp"
#include "flusher/http_answer.hpp"
#include "shmring/signal.hpp"

namespace shmring::flusher {

/// OK: accepted, but for what a partial success leaves out. CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE and
/// DATA_LOSS, and RESOURCE_EXHAUSTED where the server says when: again later. Everything else: refused for good; INVALID_ARGUMENT as bad data, and
/// what a gRPC library says of a message over its limit as too large, whatever status it uses for that. What somebody on the way answers without knowing gRPC goes by its HTTP status. REQUIRES: the answer is complete.
SendResult judge_grpc(const HttpAnswer& answer, Signal signal);

}  // namespace shmring::flusher
