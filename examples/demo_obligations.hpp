// SPDX-License-Identifier: Apache-2.0
// What the demo's children have committed: each entry is a promise of the ring that the exported file has to keep.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace shmring::demo {

/// How a child ends. A third of the children each.
enum class Ending : std::uint8_t { kReturn, kExitAtOnce, kKilled };
inline constexpr std::array<std::string_view, 3> kEndingNames{"return", "_exit", "SIGKILL"};
constexpr Ending ending_of(std::uint32_t child) { return static_cast<Ending>(child % kEndingNames.size()); }

/// A record whose emit() has returned true.
struct Obligation {
  std::uint32_t child = 0;
  std::uint32_t seq = 0;

  bool operator==(const Obligation&) const = default;
};

/// The body of the record, so that an exported one can be told from a mangled one.
std::string body_of(const Obligation& obligation);

struct Obligations {
  std::uint32_t children = 0;
  std::string run;  // random, so that records of an earlier run of the demo are no answer
  std::vector<Obligation> committed;
};

/// False with a message on standard error when the file cannot be written or read.
bool save(const Obligations& obligations, const std::filesystem::path& file);
bool load(Obligations& obligations, const std::filesystem::path& file);

/// Compares the exported OTLP JSON lines with the obligations and prints the table. True: nothing is lost.
bool verify(const Obligations& obligations, const std::filesystem::path& exported);

}  // namespace shmring::demo
