// SPDX-License-Identifier: Apache-2.0
// shmring fsck: finds what is broken, and only that.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "libshmring/ring_file.hpp"
#include "program.hpp"

namespace shmring::tools::test {
namespace {

TEST(Fsck, IsContentWithASoundRing) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path()}, "one\ntwo\n").exit_code, 0);
  const Ended text = shmring({"fsck", ring.path()});
  EXPECT_EQ(text.exit_code, 0) << text.out;
  EXPECT_NE(text.out.find("sound"), std::string::npos);
  const auto json = nlohmann::json::parse(shmring({"fsck", ring.path(), "--output", "json"}).out);
  EXPECT_EQ(json["sound"], true);
  EXPECT_EQ(json["damaged"], 0);
}

TEST(Fsck, SaysWhichBlockIsBroken) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path(), "--body", "x"}).exit_code, 0);
  const auto file = RingFile::attach(ring.path());
  ASSERT_TRUE(file);
  file->descriptors()[3].state.fetch_or(0xF);
  const Ended text = shmring({"fsck", ring.path()});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_NE(text.out.find("block 3"), std::string::npos) << text.out;
  const auto json = nlohmann::json::parse(shmring({"fsck", ring.path(), "--output", "json"}).out);
  EXPECT_EQ(json["sound"], false);
  EXPECT_EQ(json["findings"][0]["where"], "block 3");
  EXPECT_EQ(json["findings"][0]["severity"], "damage");
}

TEST(Fsck, TakesABrokenHeaderForDamage) {
  const TestRing ring;
  {
    std::fstream file(ring.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offsetof(RingIdentity, created_unix_ns));
    file.put('\x55').put('\x55');
  }
  const Ended ended = shmring({"fsck", ring.path()});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.out.find("header"), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("checksum does not fit"), std::string::npos) << ended.out << ended.err;
}

TEST(Fsck, SaysHowLongATruncatedRingShouldBe) {
  const TestRing ring;
  const auto bytes = std::filesystem::file_size(ring.path());
  std::filesystem::resize_file(ring.path(), bytes - 4096);
  const auto json = nlohmann::json::parse(shmring({"fsck", ring.path(), "--output", "json"}).out);
  EXPECT_EQ(json["damaged"], 1);
  EXPECT_NE(json["findings"][0]["what"].get<std::string>().find("should be " + std::to_string(bytes)), std::string::npos);
}

TEST(Fsck, SaysWhoseADamagedBlockIs) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path(), "--body", "x"}).exit_code, 0);
  const auto file = RingFile::attach(ring.path());
  ASSERT_TRUE(file);
  file->descriptors()[0].committed.fetch_add(1);
  const auto json = nlohmann::json::parse(shmring({"fsck", ring.path(), "--output", "json"}).out);
  const auto who = json["findings"][0]["who"].get<std::string>();
  EXPECT_NE(who.find("writer slot 0 (pid "), std::string::npos) << who;
  EXPECT_NE(who.find("command shmring, gone)"), std::string::npos) << who;
}

TEST(Fsck, DoesNotTakeAnyFileForARing) {
  const Folder folder;
  const std::string path = folder / "text";
  std::ofstream(path) << "not a ring";
  EXPECT_EQ(shmring({"fsck", path}).exit_code, 3);
}

}  // namespace
}  // namespace shmring::tools::test
