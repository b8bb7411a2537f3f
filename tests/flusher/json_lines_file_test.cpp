// SPDX-License-Identifier: Apache-2.0
#include "flusher/json_lines_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;

struct Folder {
  testing::ScratchFolder folder;
  std::filesystem::path file = folder.path() / "x.logs.jsonl";
  void write(const std::string& text) const { std::ofstream(file, std::ios::binary) << text; }
  std::string read() const {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
};

TEST(JsonLinesFile, AppendsToWhatIsThere) {
  Folder folder;
  folder.write("{1}\n");
  auto file = JsonLinesFile::open(folder.file);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->cut_bytes(), 0U);
  ASSERT_TRUE(file->append("{2}\n", FileSync::kYes));
  EXPECT_EQ(folder.read(), "{1}\n{2}\n");
}

TEST(JsonLinesFile, CutsATornLastLine) {
  Folder folder;
  for (const std::size_t torn :
       {std::size_t{1}, std::size_t{65535}, std::size_t{65536}, std::size_t{65537}, std::size_t{300'000}}) {
    folder.write("{1}\n{2}\n" + std::string(torn, 'x'));
    auto file = JsonLinesFile::open(folder.file);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->cut_bytes(), torn);
    EXPECT_EQ(folder.read(), "{1}\n{2}\n");
  }
}

TEST(JsonLinesFile, AFileThatIsOneTornLineBecomesEmpty) {
  Folder folder;
  folder.write(std::string(100'000, 'x'));
  ASSERT_TRUE(JsonLinesFile::open(folder.file));
  EXPECT_EQ(folder.read(), "");
}

TEST(JsonLinesFile, WhatDoesNotFitLeavesNoPartOfALine) {
  Folder folder;
  auto file = JsonLinesFile::open(folder.file);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->append("{1}\n", FileSync::kNo));
  // The limit on a file's size stands for a full disk: a part of the line is written before the error comes.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto failed = file->append("{a line that is longer than ten bytes}\n", FileSync::kNo);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr(folder.file.string()));
  EXPECT_EQ(folder.read(), "{1}\n");
  ASSERT_TRUE(file->append("{2}\n", FileSync::kNo));
  EXPECT_EQ(folder.read(), "{1}\n{2}\n");
}

TEST(JsonLinesFile, WhatIsNoRegularFileIsRefused) {
  Folder folder;
  EXPECT_FALSE(JsonLinesFile::open(folder.folder.path()));
  ASSERT_EQ(mkfifo(folder.file.c_str(), 0600), 0);
  const auto fifo = JsonLinesFile::open(folder.file);
  ASSERT_FALSE(fifo);
  EXPECT_THAT(fifo.error().message, HasSubstr("no regular file"));
}

}  // namespace
}  // namespace shmring::flusher
