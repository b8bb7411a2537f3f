// SPDX-License-Identifier: Apache-2.0
// An SDK's program on the core that the flusher has otherwise, and the same sink.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bench/processes/children.hpp"
#include "bench/rendezvous.hpp"
#include "bench/throughput/measured.hpp"
#include "bench/throughput/sink.hpp"

namespace shmring::bench {
namespace {

// An encoded sample has 211 bytes; whoever sends less has dropped some.
constexpr std::uint64_t kLeastBytes = 180;

/// What it printed; nullopt: it failed.
std::optional<std::string> output_of(std::vector<std::string> words, const Sink& sink) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  Child child = Child::forked([&] {
    pin_to_core(kExportingCore);
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url().c_str(), 1);
    ::setenv("no_proxy", "127.0.0.1", 1);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    return 127;
  });
  ::close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t size = 0; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(size));
  ::close(ends[0]);
  return child.wait() ? std::optional(text) : std::nullopt;
}

}  // namespace

std::optional<Measured> measure_rival(const std::vector<std::string>& command, std::uint64_t records) {
  std::vector<std::string> words = command;
  words.push_back(std::to_string(records));
  const Sink sink(kOtherCore);
  const auto text = output_of(std::move(words), sink);
  Measured measured;
  unsigned long long said = 0;
  double process_cpu = 0;
  if (!text || std::sscanf(text->c_str(), "%llu %lf %lf %lf", &said, &measured.seconds, &process_cpu,
                           &measured.emitting_cpu) != 4) {
    std::fprintf(stderr, "shmring-throughput-bench: %s failed\n", command.front().c_str());
    return std::nullopt;
  }
  measured.records = said;
  measured.exporting_cpu = process_cpu - measured.emitting_cpu;
  measured.requests = sink.requests();
  measured.body_bytes = sink.body_bytes();
  if (measured.body_bytes < records * kLeastBytes) {
    std::fprintf(stderr, "shmring-throughput-bench: %s has dropped records\n", command.front().c_str());
    return std::nullopt;
  }
  return measured;
}

}  // namespace shmring::bench
