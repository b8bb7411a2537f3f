// SPDX-License-Identifier: Apache-2.0
// shmring create.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "libshmring/ring_file.hpp"
#include "program.hpp"

namespace shmring::tools::test {
namespace {

TEST(Create, MakesTheRingThatItWasAskedFor) {
  const Folder folder;
  const std::string path = folder / "a.ring";
  const Ended ended = shmring({"create", path, "--size", "1MiB", "--block-size", "8k", "--writers", "32",
                               "--on-full", "block", "--block-timeout", "25ms", "--output", "json"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_EQ(json["path"], path);
  EXPECT_EQ(json["capacity_bytes"], 1048576);
  EXPECT_EQ(json["block_bytes"], 8192);
  EXPECT_EQ(json["blocks"], 128);
  EXPECT_EQ(json["writers"], 32);
  EXPECT_EQ(json["on_full"], "block");

  const auto ring = RingFile::attach(path, Access::kReadOnly);
  ASSERT_TRUE(ring);
  EXPECT_EQ(ring->geometry().block_bytes, 8192U);
  EXPECT_EQ(ring->geometry().writer_count, 32U);
  EXPECT_EQ(ring->header().on_full.load(), static_cast<std::uint32_t>(FullPolicy::kBlock));
  EXPECT_EQ(ring->header().block_timeout_us.load(), 25000U);
  struct stat file {};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
}

TEST(Create, SaysInTextWhatItMade) {
  const Folder folder;
  const Ended ended = shmring({"create", folder / "a.ring", "--size", "1MiB"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.out.find("1 MiB in 64 blocks of 16 KiB"), std::string::npos) << ended.out;
}

TEST(Create, TakesTheRingOfTheEnvironment) {
  const Folder folder;
  const std::string path = folder / "of the environment.ring";
  Program create({"/usr/bin/env", "SHMRING_PATH=" + path, SHMRING_PROGRAM, "create", "--size", "256KiB"});
  EXPECT_EQ(create.wait().exit_code, 0);
  EXPECT_EQ(shmring({"status", path}).exit_code, 0);
}

TEST(Create, DoesNotReplaceARing) {
  const TestRing ring;
  const Ended ended = shmring({"create", ring.path()});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_NE(ended.err.find(ring.path()), std::string::npos) << ended.err;
}

TEST(Create, RefusesWhatNoRingCanBe) {
  const Folder folder;
  const std::string path = folder / "a.ring";
  const std::vector<std::vector<std::string>> bad{
      {"--size", "lots"},        {"--size", "32 MiBs"},    {"--block-size", "3000"},
      {"--block-size", "8GiB"},  {"--writers", "0"},       {"--writers", "-1"},
      {"--block-timeout", "10"}, {"--on-full", "explode"},
      {"--mode", "rw"},          {"--mode", "0660"}};
  for (const auto& options : bad) {
    std::vector<std::string> arguments{"create", path};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Ended ended = shmring(arguments);
    EXPECT_EQ(ended.exit_code, 2) << options[0] << " " << options[1] << ": " << ended.err;
    EXPECT_FALSE(ended.err.empty());
    EXPECT_FALSE(std::filesystem::exists(path)) << options[0] << " " << options[1];
  }
}

}  // namespace
}  // namespace shmring::tools::test
