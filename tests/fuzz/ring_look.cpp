// SPDX-License-Identifier: Apache-2.0
// A damaged ring is looked at by all that only look: fsck, accounting, dump and tap.
//
// What must hold: they end, stay inside, and write nothing; all blocks are accounted for; where the books do not close, fsck
// names damage; on an undamaged ring it names none.
#include <algorithm>
#include <cstring>
#include <vector>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/snapshot.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/mutations.hpp"
#include "tests/fuzz/specimen.hpp"

namespace shmring::fuzz {
namespace {

void walk(const Slice& slice) {
  check(slice.key.begin <= slice.key.end && slice.key.end <= (kBlocks - slice.key.block) * kBlockBytes,
        "a slice lies in its block, or in the run that this heads");
  check(slice.bytes.size() + slice.left_out == slice.key.end, "a slice's bytes reach to its end");
  SliceWalk walk(slice);
  std::uint64_t found = 0;
  while (const auto record = walk.next()) {
    ++found;
    const std::byte* const end = slice.bytes.data() + slice.bytes.size();
    check(record->payload.data() + record->payload.size() <= end, "a payload lies in its slice");
    check(record->resource.size() <= slice.key.end && record->scope.size() <= slice.key.end,
          "so does its context");
  }
  check(found + walk.corrupt() == slice.key.records(), "each promised record is found or counted as corrupt");
}

void look_at(const RingFile& file, bool is_sound) {
  const std::vector<std::byte> before(file.base(), file.base() + file.geometry().file_bytes);
  const Accounting accounting = account(file);
  check(accounting.closing != Closing::kInMotion, "a ring at rest is not in motion");
  const BlockCensus& blocks = accounting.blocks;
  check(blocks.total == kBlocks && blocks.free + blocks.open + blocks.sealed + blocks.unknown == kBlocks,
        "all blocks are accounted for");
  const std::vector<Finding> findings = fsck(file);
  check(!is_sound || findings.empty(), "fsck finds nothing on a sound ring");
  check(findings.size() <= 1000, "findings are as few as the things that can be wrong");
  const bool damaged = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    check(!finding.where.empty() && !finding.what.empty(), "a finding says where and what");
    return finding.severity == Finding::Severity::kDamage;
  });
  check(accounting.closing == Closing::kCloses || damaged, "where the books do not close, fsck names damage");
  peek_all(file, [](Slice&& slice) { walk(slice); });
  for (std::uint32_t block = 0; block < kBlocks; ++block) {
    for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{7}, kCountMask}) {
      if (const auto slice = peek(file, block, from)) walk(*slice);
    }
  }
  check(std::memcmp(before.data(), file.base(), before.size()) == 0, "looking changes nothing");
}

}  // namespace
}  // namespace shmring::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shmring::fuzz;
  const Specimen& specimen = Specimen::get();
  specimen.restore();
  Mutations mutations{Input(data, size)};
  mutations.apply(region_of(mutations.where(), specimen.file().base(), specimen.file().geometry()));
  // Not attached to anew: also a header that changed after the attachment must do no harm.
  const bool is_sound =
      std::memcmp(specimen.file().base(), specimen.sound().data(), specimen.sound().size()) == 0;
  look_at(specimen.file(), is_sound);
  return 0;
}
