// SPDX-License-Identifier: Apache-2.0
// Finding a damaged ring's geometry.
#include "libshmring/recover_sizes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "libshmring/identity.hpp"

namespace shmring {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kWitnesses = 8;   // descriptors that a candidate is tried on
constexpr std::size_t kMaxLive = 4096;  // descriptors that the search remembers

bool in_range(std::uint64_t block_bytes, std::uint64_t blocks, std::uint64_t writers) noexcept {
  return std::has_single_bit(block_bytes) && block_bytes >= kMinBlockBytes && block_bytes <= kMaxBlockBytes &&
         blocks >= kMinBlocks && blocks <= kMaxBlocks && writers >= 1 && writers <= kMaxWriters;
}

/// Three numbers that lead to the places that the header names as well: no damage makes that up.
std::optional<Geometry> from_header(const RingIdentity& identity, const RecoverOptions& options) {
  const std::uint32_t block_bytes = options.block_bytes != 0 ? options.block_bytes : identity.block_bytes;
  const std::uint32_t blocks = options.blocks != 0 ? options.blocks : identity.block_count;
  const std::uint32_t writers = options.writers != 0 ? options.writers : identity.writer_count;
  if (!in_range(block_bytes, blocks, writers)) return std::nullopt;
  const Geometry g = lay_out(block_bytes, blocks, writers);
  const bool fits = identity.descriptors_offset == g.descriptors_offset &&
                    identity.blocks_offset == g.blocks_offset &&
                    (identity.file_bytes == g.file_bytes || identity.slots_offset == g.slots_offset);
  return fits ? std::optional(g) : std::nullopt;
}

struct LiveDescriptor {
  std::uint64_t place = 0;
  BlockWords words;
};

/// Whether 512 bytes look like the descriptor of a block with records in it.
bool looks_live(const BlockWords& words) noexcept {
  const BlockState state = words.state.state;
  return (state == BlockState::kOpen || state == BlockState::kSealed || state == BlockState::kEvict) &&
         static_cast<std::size_t>(words.state.signal) < kSignalCount && words.committed.offset_bytes() > 0 &&
         words.committed.offset_bytes() <= kMaxBlockBytes &&
         words.exported.offset_bytes <= words.committed.offset_bytes() && words.outcomes_fit &&
         words.reserved_zero && words.promised() <= words.committed.offset_bytes() / sizeof(RecordHeader);
}

class Search {
 public:
  Search(const FileImage& image, const RecoverOptions& options) : image_(image), options_(options) {
    collect();
  }

  std::optional<Geometry> run() {
    if (live_.empty()) return std::nullopt;
    for (std::uint64_t block_bytes = kMinBlockBytes; block_bytes <= kMaxBlockBytes; block_bytes *= 2) {
      if (options_.block_bytes == 0 || options_.block_bytes == block_bytes) try_block_size(block_bytes);
    }
    return best_;
  }

 private:
  void collect() {
    std::vector<std::byte> buffer(16 * kPage);
    const std::uint64_t last = std::min<std::uint64_t>(
        image_.size(),
        kHeaderBytes + std::uint64_t{kMaxWriters} * sizeof(WriterSlot) + image_.size() / 8 + kPage);
    for (std::uint64_t at = kHeaderBytes; at < last && live_.size() < kMaxLive; at += buffer.size()) {
      const std::size_t got = image_.read(at, buffer);
      for (std::size_t n = 0; n + sizeof(BlockDescriptor) <= got && live_.size() < kMaxLive;
           n += sizeof(BlockDescriptor)) {
        const BlockWords words = BlockWords::of(
            std::span<const std::byte, sizeof(BlockDescriptor)>(buffer.data() + n, sizeof(BlockDescriptor)));
        if (looks_live(words)) live_.push_back({at + n, words});
      }
    }
  }

  /// All numbers of blocks and writers that make a file of just this length.
  void try_block_size(std::uint64_t block_bytes) {
    const std::uint64_t size = image_.size();
    const std::uint64_t most_slots = kHeaderBytes + std::uint64_t{kMaxWriters} * sizeof(WriterSlot) + kPage;
    const std::uint64_t each = block_bytes + sizeof(BlockDescriptor);
    const std::uint64_t fewest = size > most_slots ? (size - most_slots) / each : 0;
    for (std::uint64_t blocks = std::max<std::uint64_t>(fewest, kMinBlocks);
         blocks <= std::min<std::uint64_t>(size / block_bytes, kMaxBlocks); ++blocks) {
      if (options_.blocks != 0 && options_.blocks != blocks) continue;
      const std::uint64_t in_front = size - blocks * block_bytes;
      const std::uint64_t records =
          in_front / sizeof(WriterSlot);  // header, slots and descriptors are counted alike
      const std::uint64_t taken = kHeaderBytes / sizeof(WriterSlot) + blocks;
      for (std::uint64_t unused = 0; unused < kPage / sizeof(WriterSlot); ++unused) {
        if (records <= taken + unused) break;
        try_candidate(block_bytes, blocks, records - taken - unused);
      }
    }
  }

  void try_candidate(std::uint64_t block_bytes, std::uint64_t blocks, std::uint64_t writers) {
    if (!in_range(block_bytes, blocks, writers) || (options_.writers != 0 && options_.writers != writers))
      return;
    const Geometry g = lay_out(static_cast<std::uint32_t>(block_bytes), static_cast<std::uint32_t>(blocks),
                               static_cast<std::uint32_t>(writers));
    if (g.file_bytes != image_.size()) return;
    std::size_t tried = 0;
    std::size_t fit = 0;
    for (const LiveDescriptor& live : live_) {
      if (live.place < g.descriptors_offset) continue;
      const std::uint64_t index = (live.place - g.descriptors_offset) / sizeof(BlockDescriptor);
      if (index >= blocks || tried == kWitnesses) break;
      ++tried;
      if (fits(live.words, g.blocks_offset + index * block_bytes, g.block_bytes)) ++fit;
    }
    if (fit <= best_fit_) return;
    best_fit_ = fit;
    best_ = g;
  }

  bool fits(const BlockWords& words, std::uint64_t place, std::uint32_t block_bytes) {
    const std::uint32_t end = words.committed.offset_bytes();
    if (end > block_bytes) return false;
    std::array<std::byte, sizeof(RecordHeader)> first{};
    image_.read(place, first);
    // Every block begins with a resource record; most candidates end here.
    if (static_cast<RecordKind>(first[offsetof(RecordHeader, kind)]) != RecordKind::kResource) return false;
    block_.resize(end);
    return image_.read(place, block_) == end && fits_exactly(words, block_);
  }

  const FileImage& image_;
  const RecoverOptions& options_;
  std::vector<LiveDescriptor> live_;
  std::vector<std::byte> block_;
  std::optional<Geometry> best_;
  std::size_t best_fit_ = 0;
};

}  // namespace

std::optional<FoundSizes> find_sizes(const FileImage& image, const RingIdentity& identity,
                                     const RecoverOptions& options) {
  if (in_range(options.block_bytes, options.blocks, options.writers)) {
    return FoundSizes{lay_out(options.block_bytes, options.blocks, options.writers), SizesFrom::kOptions};
  }
  if (const auto geometry = from_header(identity, options)) return FoundSizes{*geometry, SizesFrom::kHeader};
  if (const auto geometry = Search(image, options).run()) return FoundSizes{*geometry, SizesFrom::kSearch};
  return std::nullopt;
}

}  // namespace shmring
