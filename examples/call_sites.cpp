// SPDX-License-Identifier: Apache-2.0
// The same records for fewer nanoseconds: call sites that the compiler encodes, stamped by the processor's time stamp counter.
#include <cstdio>
#include <string>

#include <shmring/shmring.hpp>

namespace {

inline constexpr shmring::LogSite<shmring::Severity::kInfo, "order placed", "order.id", "customer">
    kOrderPlaced;
inline constexpr shmring::SpanSite<"charge card", shmring::SpanKind::kClient,
                                   shmring::constant("peer.service", "bank"), "amount">
    kChargeCard;
inline constexpr shmring::SpanSite<"in the queue", shmring::SpanKind::kInternal, "queue.length"> kQueued;

}  // namespace

int main(int argc, char** argv) {
  auto ring = shmring::Ring::open_or_create({.path = argc > 1 ? argv[1] : "",
                                             .resource = {.service_name = "shop"},
                                             .clock = shmring::Clock::kTsc});  // or SHMRING_CLOCK=tsc
  if (!ring) {
    std::fprintf(stderr, "call-sites: %s\n", ring.error().message.c_str());
    return 1;
  }
  const shmring::Logger log = ring->logger("checkout", "1.4.0");
  const shmring::Tracer tracer = ring->tracer("checkout", "1.4.0");
  const std::string name = "Ada";

  auto span = tracer.start(kChargeCard);
  bool committed = log.emit(kOrderPlaced, span.context(), 4711, name);  // a value for each key of the site
  const shmring::Stamp queued = tracer.now();  // what lies with a message, say, whose span nobody can hold
  const shmring::TraceContext ids{span.context().trace_id, tracer.new_span_id(), shmring::kSampledFlag};
  committed &= tracer.emit(kQueued,
                           {.context = ids,
                            .parent_span_id = span.context().span_id,
                            .parent_origin = shmring::ContextOrigin::kLocal,
                            .start = queued},
                           7);
  committed &= span.end(12.5);
  return committed ? 0 : 1;
}
