// SPDX-License-Identifier: Apache-2.0
// The ring that is measured: the default one, or one of another shape, in a folder of its own, and its reading side.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "libshmring/lease.hpp"
#include "libshmring/reader.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/ring.hpp"

namespace shmring::bench {

/// A folder in shared memory that goes away with this object.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }  // empty: it could not be made

 private:
  std::filesystem::path path_;
};

/// What a drain took out of the ring.
struct Taken {
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;
};

struct RingShape {
  std::uint64_t capacity_bytes = OpenOptions{}.capacity_bytes;
  std::uint32_t block_bytes = OpenOptions{}.block_bytes;
};

class BenchRing {
 public:
  static Result<std::unique_ptr<BenchRing>> create(const RingShape& shape = {});

  const Ring& ring() const noexcept { return ring_; }
  const RingFile& file() const noexcept { return *file_; }
  Reader& reader() noexcept { return *reader_; }

  /// Drains and acknowledges until nothing is left; nothing was taken if that fails. One thread at a time.
  Taken take_all();

  /// Writes and drains the whole ring once, so that no page of it is touched for the first time later.
  /// False: some record was dropped.
  bool warm_up();

  /// What the ring's own accounting has to say against a run: anything dropped, left behind, or not accounted for.
  std::optional<std::string> complaint() const;

 private:
  BenchRing(std::unique_ptr<ScratchFolder> folder, RingFile file, Ring ring);

  std::unique_ptr<ScratchFolder> folder_;
  std::unique_ptr<RingFile> file_;
  std::optional<Lease> lease_;
  std::unique_ptr<Reader> reader_;
  Ring ring_;
};

}  // namespace shmring::bench
