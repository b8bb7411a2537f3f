// SPDX-License-Identifier: Apache-2.0
// The README's example: a log record, a span, and a forked child whose last record survives it.
//
//   quickstart [RING]      then:   shmring dump [RING]

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include <shmring/shmring.hpp>

int main(int argc, char** argv) {
  auto ring =
      shmring::Ring::open_or_create({.path = argc > 1 ? argv[1] : "", .resource = {.service_name = "shop"}});
  if (!ring) {
    std::fprintf(stderr, "quickstart: %s\n", ring.error().message.c_str());
    return 1;
  }

  const shmring::Logger log = ring->logger("checkout", "1.4.0");  // an OpenTelemetry instrumentation scope
  const shmring::Tracer tracer = ring->tracer("checkout", "1.4.0");
  const std::string name = "Ada";

  // One function call, no thread, no connection. True: committed, and safe whatever becomes of this process.
  bool committed =
      log.emit(shmring::Severity::kInfo, "order placed", {{"order.id", 4711}, {"customer", name}});

  shmring::Span span =
      tracer.start("charge card", {.kind = shmring::SpanKind::kClient, .attributes = {{"amount", 12.5}}});
  committed &= log.emit(shmring::Severity::kDebug, "asking the bank", {}, span.context());

  // A child needs no set-up: its first record registers it. Nothing is flushed, and nothing is lost.
  const pid_t child = ::fork();
  if (child == 0) {
    log.emit(shmring::Severity::kInfo, "receipt printed", {{"pages", 1}}, span.context());
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);

  span.set_status(shmring::StatusCode::kOk);
  committed &= span.end();
  return committed ? 0 : 1;
}
