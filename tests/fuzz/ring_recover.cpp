// SPDX-License-Identifier: Apache-2.0
// A damaged, truncated or beheaded copy of a ring, and what recovery gets out of it.
//
// What must hold: it ends, and gives only what can be walked to its end; it never writes to the file. Where the damage is
// confined to one block, the records of the others are given exactly, also when the header is gone.
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "libshmring/recover.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/mutations.hpp"
#include "tests/fuzz/specimen.hpp"

namespace shmring::fuzz {
namespace {

/// What happens to the copy besides; bits of the first byte of an input, above the seven places for damage.
enum class Besides : std::uint8_t { kTruncated = 1, kBeheaded = 2, kOptions = 4, kAll = 8 };

class Copy {
 public:
  Copy() : fd_(::memfd_create("copy", MFD_CLOEXEC)) { check(fd_ >= 0, "a file in memory can be made"); }

  void write(std::span<const std::byte> bytes) const {
    check(::ftruncate(fd_, static_cast<off_t>(bytes.size())) == 0, "it takes a length");
    check(::pwrite(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
          "it takes the bytes");
  }
  std::vector<std::byte> read(std::size_t most) const {
    std::vector<std::byte> bytes(most);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(::pread(fd_, bytes.data(), most, 0), 0)));
    return bytes;
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The payloads of each block, as far as a slice gives them.
class Given {
 public:
  void take(const Slice& slice) {
    check(slice.key.begin <= slice.key.end && slice.key.end == slice.bytes.size(),
          "a slice lies in its bytes");
    SliceWalk walk(slice);
    while (const auto record = walk.next()) {
      records_[slice.key.block].push_back(text_of(record->payload));
      ++count_;
    }
    check(walk.corrupt() == 0, "what is given can be walked to its end");
  }
  const std::vector<std::string>& records(std::uint32_t block) { return records_[block]; }
  std::uint64_t count() const noexcept { return count_; }

 private:
  std::map<std::uint32_t, std::vector<std::string>> records_;
  std::uint64_t count_ = 0;
};

RecoverOptions options_of(Input& input, std::uint8_t besides) {
  RecoverOptions options;
  if ((besides & static_cast<unsigned>(Besides::kAll)) != 0) options.take = Take::kAll;
  if ((besides & static_cast<unsigned>(Besides::kOptions)) == 0) return options;
  options.block_bytes = 1024U << input.take<std::uint8_t>() % 12U;
  options.blocks = input.take<std::uint16_t>();
  options.writers = input.take<std::uint8_t>();
  return options;
}

void recover_copy(const Specimen& specimen, const Copy& copy, const RecoverOptions& options,
                  const Mutations& mutations, std::uint8_t besides, std::span<const std::byte> content) {
  Given given;
  const auto report = recover(copy.path(), options, [&](Slice&& slice) { given.take(slice); });
  check(copy.read(content.size() + 1) == std::vector(content.begin(), content.end()),
        "the file stays as it is");
  if (!report) {
    check(!report.error().message.empty(), "a refusal says why");
    check(besides != 0 || mutations.where() == Where::kAnywhere, "a ring with its header is never refused");
    const bool is_only_beheaded =
        besides == static_cast<unsigned>(Besides::kBeheaded) && !mutations.did_anything();
    check(!is_only_beheaded, "sound blocks are enough to find the sizes by");
    return;
  }
  check(report->records == given.count() && report->doubtful <= report->records, "what is given is counted");
  check(report->unread_bytes <= report->geometry.capacity_bytes(), "no more is unread than there is");
  const auto damaged = mutations.block();
  if (!damaged || (besides & ~static_cast<unsigned>(Besides::kBeheaded)) != 0) return;
  // Of a beheaded ring the search finds the sizes by blocks that are whole; damage may make up sizes that fit as well.
  if (besides != 0 && mutations.did_anything()) return;
  for (std::uint32_t block = 0; block < kBlocks; ++block) {
    if (block == *damaged && mutations.did_anything()) continue;
    check(given.records(block) == specimen.records(block),
          "the records of a block that nobody touched are given");
  }
  check(mutations.did_anything() || besides != 0 || report->is_complete(),
        "nothing is wrong with a sound ring");
}

}  // namespace
}  // namespace shmring::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shmring;
  using namespace shmring::fuzz;
  const Specimen& specimen = Specimen::get();
  static const Copy copy;
  Input input(data, size);
  const auto first = input.take<std::uint8_t>();
  const auto besides = static_cast<std::uint8_t>(first / Mutations::kWheres % 16U);
  const RecoverOptions options = options_of(input, besides);
  std::vector<std::byte> content = specimen.sound();
  if ((besides & static_cast<unsigned>(Besides::kTruncated)) != 0) {
    content.resize(std::max<std::size_t>(1, input.take<std::uint16_t>() % content.size()));
  }
  std::vector<std::byte> whole = specimen.sound();
  Mutations mutations(first, input);
  mutations.apply(region_of(mutations.where(), whole.data(), specimen.file().geometry()));
  if ((besides & static_cast<unsigned>(Besides::kBeheaded)) != 0)
    std::fill_n(whole.begin(), kHeaderBytes, std::byte{0});
  std::copy_n(whole.begin(), content.size(), content.begin());
  copy.write(content);
  recover_copy(specimen, copy, options, mutations, besides, content);
  return 0;
}
