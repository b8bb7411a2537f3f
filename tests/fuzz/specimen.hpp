// SPDX-License-Identifier: Apache-2.0
// A small ring with records in every state of a block, made by hand so that it has the same bytes in every run (but for
// ids and times), and put back to that before each input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "libshmring/ring_file.hpp"

namespace shmring::fuzz {

inline constexpr std::uint32_t kBlocks = 6;
inline constexpr std::uint32_t kBlockBytes = 4096;
inline constexpr std::uint32_t kWriters = 4;

/// Block 0: SEALED, logs, its first record exported. Block 1: OPEN, spans, two sections, its owner is gone. Block 2: OPEN,
/// metrics, its owner lives. Block 3: FREE, in its second life. Blocks 4 and 5: a run, SEALED, with one log.
class Specimen {
 public:
  Specimen();
  ~Specimen();
  Specimen(const Specimen&) = delete;
  Specimen& operator=(const Specimen&) = delete;

  /// Made at the first call, removed when the process ends in order.
  static const Specimen& get();

  const std::filesystem::path& path() const noexcept { return path_; }
  const RingFile& file() const noexcept { return file_; }
  const std::vector<std::byte>& sound() const noexcept { return sound_; }
  void restore() const;

  /// The payloads that each block holds and that did not leave it, in their order.
  const std::vector<std::string>& records(std::uint32_t block) const { return records_[block]; }
  /// The resource of each of them, likewise.
  const std::vector<std::string>& resources(std::uint32_t block) const { return resources_[block]; }

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
  RingFile file_;
  std::vector<std::byte> sound_;
  std::vector<std::string> records_[kBlocks];
  std::vector<std::string> resources_[kBlocks];
};

}  // namespace shmring::fuzz
