// SPDX-License-Identifier: Apache-2.0
// Recovery: sizes first, then block by block what can be had.
#include "libshmring/recover.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "libshmring/file_image.hpp"
#include "libshmring/recover_sizes.hpp"

namespace shmring {
namespace {

constexpr std::size_t kMaxFindings =
    10'000;  // of blocks; a file of garbage must not fill the memory with complaints

class Recovery {
 public:
  Recovery(const FileImage& image, const RecoverOptions& options, RecoverReport& report)
      : image_(image), options_(options), report_(report) {}

  void run(const std::function<void(Slice&&)>& sink) {
    for (const auto& [ticket, index] : list_blocks()) {
      const Geometry& g = report_.geometry;
      const BlockWords words = read_words(index);
      const std::uint32_t reach = reach_of(index, words);
      block_.resize(reach);
      const std::size_t got = image_.read(g.blocks_offset + std::uint64_t{index} * g.block_bytes, block_);
      take(index, salvage(index, words, std::span(block_).first(got), reach, options_.take), sink);
    }
  }

 private:
  BlockWords read_words(std::uint32_t index) const {
    std::array<std::byte, sizeof(BlockDescriptor)> bytes{};
    image_.read(report_.geometry.descriptors_offset + std::uint64_t{index} * sizeof(BlockDescriptor), bytes);
    return BlockWords::of(bytes);
  }

  /// The block's length, or that of the run that it heads, as far as its words reach into it. A block whose state is damaged does not
  /// end a run, as long as it holds nothing of its own.
  std::uint32_t reach_of(std::uint32_t index, const BlockWords& words) const {
    const Geometry& g = report_.geometry;
    std::uint32_t reach = g.block_bytes;
    for (std::uint32_t next = index + 1; reach < words.committed.offset_bytes() && next < g.block_count;
         ++next) {
      const BlockWords behind = read_words(next);
      const bool goes_on = behind.state.state == BlockState::kCont ||
                           (behind.state.state != BlockState::kFree && !behind.may_hold_records());
      if (!goes_on) break;
      reach += g.block_bytes;
    }
    return reach;
  }

  /// Blocks that may hold something, oldest first.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> list_blocks() {
    const Geometry& g = report_.geometry;
    const std::uint64_t there = image_.size() > g.descriptors_offset
                                    ? (image_.size() - g.descriptors_offset) / sizeof(BlockDescriptor)
                                    : 0;
    const auto readable = static_cast<std::uint32_t>(std::min<std::uint64_t>(there, g.block_count));
    if (readable < g.block_count) {
      report_.findings.push_back({Finding::Severity::kDamage, "file",
                                  "it ends before the descriptors of " +
                                      std::to_string(g.block_count - readable) +
                                      " blocks: nobody knows what these held"});
    }
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    for (std::uint32_t index = 0; index < readable; ++index) {
      const BlockWords words = read_words(index);
      if (words.may_hold_records()) order.emplace_back(words.ticket, index);
    }
    std::sort(order.begin(), order.end());
    return order;
  }

  void take(std::uint32_t index, Salvaged&& salvaged, const std::function<void(Slice&&)>& sink) {
    for (std::string& what : salvaged.wrong) {
      if (report_.findings.size() >= kMaxFindings) break;
      report_.findings.push_back(
          {Finding::Severity::kDamage, "block " + std::to_string(index), std::move(what)});
    }
    report_.missing += salvaged.missing;
    report_.unread_bytes += salvaged.unread_bytes;
    if (!salvaged.slice) return;
    report_.records += salvaged.slice->key.records();
    if (salvaged.doubtful) report_.doubtful += salvaged.slice->key.records();
    sink(std::move(*salvaged.slice));
  }

  const FileImage& image_;
  const RecoverOptions& options_;
  RecoverReport& report_;
  std::vector<std::byte> block_;
};

}  // namespace

Result<RecoverReport> recover(const std::filesystem::path& path, const RecoverOptions& options,
                              const std::function<void(Slice&&)>& sink) {
  const auto image = FileImage::open(path);
  if (!image) return image.error();
  RingIdentity identity{};
  image->read(0, std::as_writable_bytes(std::span(&identity, 1)));
  RecoverReport report;
  const auto sizes = find_sizes(*image, identity, options);
  if (!sizes) {
    return Error{
        identity.magic == kRingMagic ? ErrorCode::kDamaged : ErrorCode::kNotARing,
        path.string() +
            ": no ring can be made out in it: its header does not say its sizes, and no sizes fit its "
            "length and content; where they are known, --block-size, --blocks and --writers say them"};
  }
  report.geometry = sizes->geometry;
  report.sizes_from = sizes->from;
  report.findings = fsck_identity(identity, image->size());
  Recovery(*image, options, report).run(sink);
  return report;
}

}  // namespace shmring
