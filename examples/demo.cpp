// SPDX-License-Identifier: Apache-2.0
// shmring-demo: forks children that write a few log records and end by return, by _exit, and by SIGKILL right after their
// last commit; then says which records were committed, so that it can be checked that each of them arrives.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <string>

#include "demo_obligations.hpp"
#include "shmring/logger.hpp"
#include "shmring/ring.hpp"

namespace shmring::demo {
namespace {

constexpr std::uint32_t kAtATime = 16;  // children alive at once

struct Options {
  std::string ring;
  std::string obligations;
  std::string verify;
  std::uint32_t children = 300;
  std::uint32_t records = 3;
};

/// What a child notes down outside of the ring: it outlives the child, as a promise has to.
class Notes {
 public:
  static std::optional<Notes> create(std::size_t cells) {
    void* memory = ::mmap(nullptr, cells, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return std::nullopt;
    return Notes({static_cast<std::atomic<std::uint8_t>*>(memory), cells});
  }
  // relaxed: read only after its writer was waited for
  void committed(std::size_t cell) { cells_[cell].store(1, std::memory_order_relaxed); }
  bool is_committed(std::size_t cell) const { return cells_[cell].load(std::memory_order_relaxed) != 0; }

 private:
  explicit Notes(std::span<std::atomic<std::uint8_t>> cells) : cells_(cells) {}
  std::span<std::atomic<std::uint8_t>> cells_;
};

int complain(const std::string& message) {
  std::fprintf(stderr, "shmring-demo: %s\n", message.c_str());
  return 1;
}

std::string random_name() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

/// One child's life. It does nothing for its records at its end: no flush, no close, no handler.
int live(const Logger& log, const std::string& run, std::uint32_t child, const Options& options,
         Notes notes) {
  for (std::uint32_t seq = 0; seq < options.records; ++seq) {
    const std::string body = body_of({child, seq});
    const bool committed =
        log.emit(Severity::kInfo, body, {{"demo.run", run}, {"demo.child", child}, {"demo.seq", seq}});
    if (committed) notes.committed(std::size_t{child} * options.records + seq);
  }
  switch (ending_of(child)) {
    case Ending::kReturn:
      break;
    case Ending::kExitAtOnce:
      ::_exit(0);
    case Ending::kKilled:
      ::raise(SIGKILL);
  }
  return 0;
}

void show_progress(std::uint32_t ended, std::uint32_t children) {
  if (::isatty(STDOUT_FILENO) == 0) return;
  constexpr std::uint32_t kWidth = 40;
  const auto filled = static_cast<std::size_t>(std::uint64_t{ended} * kWidth / children);
  fmt::print("\r  children   [{:<{}}] {:>{}}/{}", std::string(filled, '#'), kWidth, ended,
             std::to_string(children).size(), children);
  if (ended == children) fmt::print("\r\033[K");
  std::fflush(stdout);
}

/// Waits for a child, and checks that it ended as it was meant to.
bool reap() {
  int status = 0;
  while (::wait(&status) < 0) {
    if (errno != EINTR) return false;
  }
  return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
         (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void print_committed(const Obligations& obligations, const Options& options) {
  std::array<std::uint64_t, 3> children{};
  std::array<std::uint64_t, 3> committed{};
  for (std::uint32_t child = 0; child < options.children; ++child)
    ++children[static_cast<std::size_t>(ending_of(child))];
  for (const Obligation& each : obligations.committed)
    ++committed[static_cast<std::size_t>(ending_of(each.child))];
  fmt::print("  {:<10} {:>9} {:>10}\n", "ended by", "children", "committed");
  for (std::size_t i = 0; i < kEndingNames.size(); ++i) {
    fmt::print("  {:<10} {:>9} {:>10}\n", kEndingNames[i], children[i], committed[i]);
  }
}

/// In the parent: the exit code, after all children have ended. In a child: nothing but its own exit code, which main()
/// returns.
int run(const Options& options) {
  const auto ring = options.ring.empty()
                        ? Ring::open_or_create({.resource = {.service_name = "shmring-demo"}})
                        : Ring::open(options.ring, {.service_name = "shmring-demo"});
  if (!ring) return complain(ring.error().message);
  const Logger log = ring->logger("shmring.demo");
  auto notes = Notes::create(std::size_t{options.children} * options.records);
  if (!notes) return complain(std::string("no memory for the notes: ") + std::strerror(errno));
  Obligations obligations{.children = options.children, .run = random_name(), .committed = {}};

  std::uint32_t ended = 0;
  bool as_meant = true;
  for (std::uint32_t child = 0; child < options.children; ++child) {
    std::fflush(stdout);
    const pid_t pid = ::fork();
    if (pid < 0) return complain(std::string("fork: ") + std::strerror(errno));
    if (pid == 0) return live(log, obligations.run, child, options, *notes);
    if (child + 1 < kAtATime) continue;
    as_meant &= reap();
    show_progress(++ended, options.children);
  }
  for (; ended < options.children; show_progress(++ended, options.children)) as_meant &= reap();
  if (!as_meant) return complain("a child did not end as it was meant to");

  for (std::uint32_t child = 0; child < options.children; ++child) {
    for (std::uint32_t seq = 0; seq < options.records; ++seq) {
      if (notes->is_committed(std::size_t{child} * options.records + seq))
        obligations.committed.push_back({child, seq});
    }
  }
  print_committed(obligations, options);
  if (!save(obligations, options.obligations)) return 1;
  const std::size_t attempts = std::size_t{options.children} * options.records;
  if (obligations.committed.size() == attempts) return 0;
  return complain(
      fmt::format("{} records were dropped (shmring status)", attempts - obligations.committed.size()));
}

int demo(int argc, char** argv) {
  Options options;
  CLI::App app("Children that write and die, and what became of their records", "shmring-demo");
  app.add_option("--ring", options.ring, "the ring; left out: the default one, which is made if need be")
      ->type_name("PATH");
  app.add_option("--children", options.children, "how many to fork (300)")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  app.add_option("--records", options.records, "how many each writes (3)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  app.add_option("--obligations", options.obligations,
                 "where the list of committed records goes (RING.obligations.json)")
      ->type_name("FILE");
  app.add_option("--verify", options.verify,
                 "write nothing; check that this exported file holds each committed record")
      ->type_name("FILE.logs.jsonl");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.obligations.empty()) {
    options.obligations =
        (options.ring.empty() ? default_ring_path().string() : options.ring) + ".obligations.json";
  }
  if (options.verify.empty()) return run(options);
  Obligations obligations;
  return load(obligations, options.obligations) && verify(obligations, options.verify) ? 0 : 1;
}

}  // namespace
}  // namespace shmring::demo

int main(int argc, char** argv) { return shmring::demo::demo(argc, argv); }
