// SPDX-License-Identifier: Apache-2.0
// Making a ring file, and attaching to what is none.
#include "libshmring/ring_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "libshmring/identity.hpp"
#include "libshmring/ring_path.hpp"
#include "libshmring/system.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::TestFolder;
using test::TestRing;

ErrorCode attach_error(const std::filesystem::path& path) {
  const auto file = RingFile::attach(path);
  EXPECT_FALSE(file);
  return file ? ErrorCode::kBusy : file.error().code;
}

CreateOptions small_ring(const std::filesystem::path& path) {
  CreateOptions options;
  options.path = path;
  options.block_bytes = 4096;
  options.capacity_bytes = 16384;
  options.writers = 1;
  return options;
}

ErrorCode create_error(const CreateOptions& options) {
  const auto created = RingFile::create(options);
  EXPECT_FALSE(created);
  return created ? ErrorCode::kBusy : created.error().code;
}

TEST(RingFileCreate, MakesARingWithAllBlocksFreeAndAllSlotsVacant) {
  const TestRing ring({.blocks = 8, .writers = 3});
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 8U);
  EXPECT_EQ(ring.header().free_blocks.load(), 8U);
  for (const WriterSlot& slot : ring.file().slots())
    EXPECT_EQ(liveness(slot, Ask::kWordAndProc), Liveness::kVacant);
  struct stat info {};
  ASSERT_EQ(::stat(ring.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(RingFileCreate, AllocatesEveryByte) {
  const TestRing ring;
  struct stat info {};
  ASSERT_EQ(::stat(ring.path().c_str(), &info), 0);
  EXPECT_GE(static_cast<std::uint64_t>(info.st_blocks) * 512, ring.file().geometry().file_bytes);
}

TEST(RingFileCreate, LeavesAnExistingFileAlone) {
  const TestRing ring;
  ring.header().ticket.store(77);
  EXPECT_EQ(create_error(small_ring(ring.path())), ErrorCode::kAlreadyExists);
  EXPECT_EQ(RingFile::attach(ring.path())->header().ticket.load(), 77U);
}

TEST(RingFileCreate, RefusesOptionsThatExcludeEachOther) {
  const TestFolder folder;
  CreateOptions options = small_ring(folder.path() / "a");
  options.mode = 0644;
  EXPECT_EQ(create_error(options), ErrorCode::kInvalidArgument);
  options.mode = 0660;
  EXPECT_EQ(create_error(options), ErrorCode::kInvalidArgument);
  options.group = "no-such-group-here";
  EXPECT_EQ(create_error(options), ErrorCode::kInvalidArgument);
  options = small_ring(folder.path() / "a");
  options.block_timeout = std::chrono::minutes(2);
  EXPECT_EQ(create_error(options), ErrorCode::kInvalidArgument);
  options.block_timeout = std::chrono::microseconds(-1);
  EXPECT_EQ(create_error(options), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RingFileCreate, SaysThatTheFolderIsMissing) {
  const TestFolder folder;
  EXPECT_EQ(create_error(small_ring(folder.path() / "none" / "a.ring")), ErrorCode::kNotFound);
}

TEST(RingFileAttach, RefusesWhatIsNoRing) {
  const TestFolder folder;
  const auto path = [&folder](const char* name) { return folder.path() / name; };
  EXPECT_EQ(attach_error(path("none")), ErrorCode::kNotFound);
  EXPECT_EQ(attach_error(folder.path()), ErrorCode::kNotARing);
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(attach_error(path("fifo")), ErrorCode::kNotARing);
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{8192}}) {
    std::ofstream(path("file"), std::ios::trunc) << std::string(size, 'x');
    ASSERT_EQ(::chmod(path("file").c_str(), 0600), 0);
    EXPECT_EQ(attach_error(path("file")), ErrorCode::kNotARing) << size;
  }
}

TEST(RingFileAttach, FollowsNoSymbolicLink) {
  const TestRing ring;
  const auto link = ring.folder() / "link";
  std::filesystem::create_symlink(ring.path(), link);
  EXPECT_EQ(attach_error(link), ErrorCode::kNotARing);
}

TEST(RingFileAttach, RefusesARingThatIsOpenToEverybody) {
  const TestRing ring;
  ASSERT_EQ(::chmod(ring.path().c_str(), 0602), 0);
  EXPECT_EQ(attach_error(ring.path()), ErrorCode::kPermission);
}

TEST(RingFileAttach, RefusesATruncatedAndAnExtendedFile) {
  const TestRing ring;
  const auto size = std::filesystem::file_size(ring.path());
  std::filesystem::resize_file(ring.path(), size + 1);
  EXPECT_EQ(attach_error(ring.path()), ErrorCode::kDamaged);
  std::filesystem::resize_file(ring.path(), kHeaderBytes);
  EXPECT_EQ(attach_error(ring.path()), ErrorCode::kDamaged);
}

TEST(RingFileAttach, ReadsTheGeometryOnceAndBelievesTheRingNoMore) {
  const TestRing ring;
  ring.header().identity.block_count = 1U << 30U;
  ring.header().identity.blocks_offset = ~0ULL;
  EXPECT_EQ(ring.file().descriptors().size(), 4U);
  EXPECT_EQ(ring.file().block(1) - ring.file().block(0), 4096);
}

TEST(RingFile, KnowsThatItWasTruncatedRemovedOrReplaced) {
  const TestRing ring;
  EXPECT_TRUE(ring.file().still_valid());
  const auto away = ring.folder() / "away";
  std::filesystem::rename(ring.path(), away);
  EXPECT_EQ(ring.file().still_valid().error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(RingFile::create(small_ring(ring.path())));
  EXPECT_EQ(ring.file().still_valid().error().code, ErrorCode::kNotFound);
  std::filesystem::resize_file(away, 4096);
  EXPECT_EQ(ring.file().still_valid().error().code, ErrorCode::kDamaged);
}

TEST(RingFile, IsTheSameFileWhateverItsName) {
  const TestRing ring;
  const auto other = ring.folder() / "other";
  std::filesystem::create_hard_link(ring.path(), other);
  EXPECT_EQ(RingFile::attach(other)->key(), ring.file().key());
}

/// A ring that says that it was made in the boot 0xNNNN...; on a file system that survives one.
class RingOfABoot : public ::testing::Test {
 protected:
  void SetUp() override {
    const UniqueFd fd(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (is_memory_file_system(fd.get()))
      GTEST_SKIP() << folder_.path() << " is memory: no ring in it survives a boot";
  }
  std::filesystem::path path() const { return folder_.path() / "a.ring"; }
  RingFile make(int boot_byte) const { return made_in_boot(path(), boot_byte); }
  static RingFile made_in_boot(const std::filesystem::path& path, int boot_byte) {
    RingIdentity identity = test::make_ring(path, {}).identity();
    std::memset(identity.boot_id, boot_byte, sizeof(identity.boot_id));
    identity.checksum = identity_checksum(identity);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.write(reinterpret_cast<const char*>(&identity), sizeof(identity));
    file.close();
    return std::move(*RingFile::attach(path));
  }

 private:
  TestFolder folder_{TestFolder::Where::kDisk};
};

TEST_F(RingOfABoot, IsOfAnEarlierOneByItsBootId) { EXPECT_TRUE(make(0xAB).of_an_earlier_boot()); }

TEST_F(RingOfABoot, IsNotOfAnEarlierOneWhenItsBootIsUnknown) { EXPECT_FALSE(make(0).of_an_earlier_boot()); }

TEST_F(RingOfABoot, IsNotOfAnEarlierOneWhenItLiesInMemory) {
  const TestFolder memory;
  const UniqueFd fd(::open(memory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!is_memory_file_system(fd.get())) GTEST_SKIP() << "no file system of memory here";
  EXPECT_FALSE(made_in_boot(memory.path() / "a.ring", 0xAB).of_an_earlier_boot());
}

TEST_F(RingOfABoot, MakesWayForANewOne) {
  const RingFile old = make(0x11);
  EXPECT_EQ(Ring::open(path()).error().code, ErrorCode::kIncompatibleVersion);
  OpenOptions options;
  options.path = path();
  options.capacity_bytes = 65536;
  const auto opened = Ring::open_or_create(options);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->capacity_bytes(), 65536U);
  std::vector<std::string> beside;
  for (const auto& entry : std::filesystem::directory_iterator(path().parent_path())) {
    if (entry.path() == path()) continue;
    beside.push_back(entry.path().filename());
    EXPECT_EQ(RingFile::attach(entry.path())->key(), old.key());
  }
  ASSERT_EQ(beside.size(), 1U);
  EXPECT_TRUE(beside[0].starts_with("a.ring.boot-11111111")) << beside[0];
}

TEST(RingOpen, GivesOneHandleForOneFile) {
  const TestRing ring;
  EXPECT_EQ(ring.open().core(), ring.open().core());
}

}  // namespace
}  // namespace shmring
