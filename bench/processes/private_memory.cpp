// SPDX-License-Identifier: Apache-2.0
// Private memory per attached process: what a program, and a child of it, has more of after it has opened a ring and emitted.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/processes/children.hpp"
#include "bench/processes/parts.hpp"
#include "bench/processes/subject.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kPart = "private memory of a process";

struct Memory {
  long private_kib = 0;  // Private_Dirty of all mappings but the ring's: memory of its own
  long file_kib =
      0;  // Private_Clean: pages of programs and libraries that only this process has read just now
  long page_tables_kib = 0;  // what the kernel needs to map it all, the ring included
};
struct BeforeAndAfter {
  Memory before;
  Memory after;
};

// Read with system calls into memory that is touched in advance: looking must not be seen.
constexpr std::size_t kTextBytes = 512U << 10U;
char text[kTextBytes];

const char* read_all(const char* path) noexcept {
  std::size_t size = 0;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  for (ssize_t got = 1; fd >= 0 && got > 0 && size < kTextBytes - 1; size += static_cast<std::size_t>(got)) {
    got = ::read(fd, text + size, kTextBytes - 1 - size);
    if (got < 0) break;
  }
  ::close(fd);
  text[size] = '\0';
  return text;
}

long number_behind(const char* line, const char* field) noexcept {
  const std::size_t length = std::strlen(field);
  return std::strncmp(line, field, length) == 0 ? std::strtol(line + length, nullptr, 10) : 0;
}

Memory memory_now() noexcept {
  Memory memory;
  bool is_ring = false;
  for (const char* line = read_all("/proc/self/smaps"); *line != '\0';) {
    const char* end = std::strchr(line, '\n');
    const bool is_header = std::strchr(line, '-') != nullptr && line[0] != ' ' &&
                           (line[0] < 'A' || line[0] > 'Z');  // addresses are in lower case
    if (is_header) {
      const char* ring = std::strstr(line, "bench.ring");
      is_ring = ring != nullptr && (end == nullptr || ring < end);
    } else if (!is_ring) {
      memory.private_kib += number_behind(line, "Private_Dirty:");
      memory.file_kib += number_behind(line, "Private_Clean:");
    }
    if (end == nullptr) break;
    line = end + 1;
  }
  for (const char* line = read_all("/proc/self/status"); line != nullptr;
       line = std::strchr(line, '\n'), line = line == nullptr ? nullptr : line + 1)
    memory.page_tables_kib += number_behind(line, "VmPTE:");
  return memory;
}

void add(Report& report, const char* name, const BeforeAndAfter& memory) {
  const auto more = [&](long Memory::*which) {
    return static_cast<double>(memory.after.*which - memory.before.*which);
  };
  report.add({kPart,
              name,
              "KiB",
              {{"private", more(&Memory::private_kib)},
               {"read from files", more(&Memory::file_kib)},
               {"page tables", more(&Memory::page_tables_kib)}}});
}

/// Pages of ours, looked at again after `body` ran; in a process of its own.
template <typename Body>
void measure(Report& report, const char* name, const Body& body) {
  Shared<BeforeAndAfter> memory;
  Child child = Child::forked([&] {
    std::memset(text, 1, sizeof(text));
    memory_now();
    memory->before = memory_now();
    const bool ok = body();
    memory->after = memory_now();
    return ok ? 0 : 1;
  });
  if (!child.wait()) return report.fail(std::string("private memory: ") + name);
  add(report, name, *memory);
}

/// The same of a program that begins anew: this one, told to do nothing else.
void measure_program(Report& report, const char* name, const std::filesystem::path& ring) {
  int pipe[2] = {-1, -1};
  if (::pipe2(pipe, O_CLOEXEC) != 0) return report.fail("no pipe");
  Child child = Child::forked([&] {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::execl("/proc/self/exe", "shmring-process-bench", kProbeOption, ring.c_str(), nullptr);
    return 1;
  });
  ::close(pipe[1]);
  BeforeAndAfter memory;
  const bool told = ::read(pipe[0], &memory, sizeof(memory)) == static_cast<ssize_t>(sizeof(memory));
  ::close(pipe[0]);
  if (!child.wait() || !told) return report.fail(std::string("private memory: ") + name);
  add(report, name, memory);
}

}  // namespace

int probe_memory(const char* ring_path) {
  std::memset(text, 1, sizeof(text));
  memory_now();
  BeforeAndAfter memory;
  memory.before = memory_now();
  const auto ring = Ring::open(ring_path);
  const bool ok = ring && ring->logger("shop.orders").emit(Severity::kInfo, "one record");
  memory.after = memory_now();
  return ok && ::write(STDOUT_FILENO, &memory, sizeof(memory)) == static_cast<ssize_t>(sizeof(memory)) ? 0
                                                                                                       : 1;
}

void measure_private_memory(Report& report, Scale scale) {
  constexpr std::uint32_t kBurst = 30'000;
  const Subject subject;
  if (!subject.emit(std::uint64_t{0})) return report.fail("a record of \"private memory\" was dropped");
  DrainProcess drain(subject);
  measure(report, "a forked child emits its first record", [&] { return subject.emit(std::uint64_t{1}); });
  measure(report, "a forked child emits so much that it writes to every block", [&] {
    for (std::uint32_t burst = 0; burst < scaled(scale, 1000) / 100; ++burst) {
      for (std::uint32_t n = 0; n < kBurst; ++n) {
        if (!subject.emit(n)) return false;
      }
      if (!wait_until([&] { return subject.accounting().total.pending == 0; })) return false;
    }
    return true;
  });
  measure_program(report, "a program opens a ring and emits a record", subject.ring().path());
  if (!drain.finish()) report.fail("the drain of \"private memory\" failed");
}

}  // namespace shmring::bench
