// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on every file of the folders it is given, without a fuzzer: the corpus as an ordinary test. Or, with
// --flips N [SEED], on N inputs that flip one to eight random bits of a ring each.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "tests/support/splitmix.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::size_t replay(const std::filesystem::path& folder) {
  const auto files = files_in(folder);
  for (const auto& path : files) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in),
                                          std::istreambuf_iterator<char>()};
    std::fprintf(stderr, "%s\n", path.filename().c_str());  // the last one named is the one that failed
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  return files.size();
}

/// An input of mutations.hpp: where, then (1: flip, place, bit) for each.
std::vector<std::uint8_t> random_flips(shmring::testing::SplitMix& random) {
  std::vector<std::uint8_t> input{static_cast<std::uint8_t>(random.below(7))};
  for (std::uint64_t flips = 1 + random.below(8); flips > 0; --flips) {
    // The words are few, the bytes many: half of the flips are for what comes first in a region.
    const std::uint64_t at = random.below(random.one_in(2) ? 512 : 65536);
    input.insert(input.end(), {1, static_cast<std::uint8_t>(at), static_cast<std::uint8_t>(at >> 8U),
                               static_cast<std::uint8_t>(random.below(8))});
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::string_view(argv[1]) == "--flips") {
    const std::uint64_t count = std::strtoull(argv[2], nullptr, 10);
    shmring::testing::SplitMix random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
    for (std::uint64_t n = 0; n < count; ++n) {
      const auto input = random_flips(random);
      LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    std::printf("%llu inputs of random flips, all is well\n", static_cast<unsigned long long>(count));
    return count == 0;
  }
  std::size_t inputs = 0;
  for (int n = 1; n < argc; ++n) inputs += replay(argv[n]);
  std::printf("%zu inputs, all is well\n", inputs);
  return inputs == 0;  // a corpus that is not found must not pass for one
}
