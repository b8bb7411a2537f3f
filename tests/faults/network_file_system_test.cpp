// SPDX-License-Identifier: Apache-2.0
// FAULTS: a network file system. None can be mounted here, so the kernel's answer is pretended: fstatfs() of this program names
// the type that a test asks for. What such a file system would do to a mapping is not shown.
#include <gtest/gtest.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/support/scratch_ring.hpp"

namespace {
std::uint32_t pretended_type = 0;  // 0: what the kernel says
}

extern "C" int fstatfs(int fd, struct statfs* info) noexcept {
  const long result = ::syscall(SYS_fstatfs, fd, info);
  if (result == 0 && pretended_type != 0) info->f_type = static_cast<decltype(info->f_type)>(pretended_type);
  return static_cast<int>(result);
}

namespace shmring::testing {
namespace {

struct Remote {
  std::uint32_t type;
  const char* name;
};
// statfs(2)
constexpr Remote kRemote[] = {{0x6969, "NFS"},      {0x517B, "SMB"},      {0xFE534D42, "SMB2"},
                              {0xFF534D42, "CIFS"}, {0x65735546, "FUSE"}, {0x01021997, "9P"},
                              {0x00C36400, "Ceph"}, {0x5346414F, "AFS"}};

/// For as long as it lives, everything seems to lie there.
class Pretence {
 public:
  explicit Pretence(const Remote& remote) { pretended_type = remote.type; }
  Pretence(const Pretence&) = delete;
  Pretence& operator=(const Pretence&) = delete;
  ~Pretence() { pretended_type = 0; }
};

TEST(FaultRingPlace, NetworkFileSystemIsAnErrorThatNamesItAndTheRemedyAndLeavesNothing) {
  const ScratchRing there({.blocks = 8});
  for (const Remote& remote : kRemote) {
    const ScratchFolder folder;
    const Pretence pretence(remote);
    const auto made = Ring::create({.path = folder.path() / "new.ring", .capacity_bytes = 1 << 16});
    const auto attached = RingFile::attach(there.path());
    ASSERT_FALSE(made) << remote.name;
    ASSERT_FALSE(attached) << remote.name;
    for (const Error& error : {made.error(), attached.error()}) {
      EXPECT_EQ(error.code, ErrorCode::kUnsupported) << error.message;
      EXPECT_NE(error.message.find(std::string("lies on ") + remote.name), std::string::npos)
          << error.message;
      EXPECT_NE(error.message.find("put the ring on /dev/shm or a local disk"), std::string::npos);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
  EXPECT_TRUE(RingFile::attach(there.path()));
}

}  // namespace
}  // namespace shmring::testing
