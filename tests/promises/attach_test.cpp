// SPDX-License-Identifier: Apache-2.0
// Bad input: whatever lies where a ring should be, and wherever a ring cannot be made, there is an error of its own kind
// that names the place and what to do; and the attempt changes nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "libshmring/identity.hpp"
#include "libshmring/ring_path.hpp"
#include "libshmring/system.hpp"
#include "tests/support/child.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// All that can be told of a path without following it.
std::string look_of(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return "nothing";
  std::string text = std::to_string(info.st_mode) + " " + std::to_string(info.st_uid) + " " +
                     std::to_string(info.st_size) + " " + std::to_string(info.st_mtim.tv_sec) + "." +
                     std::to_string(info.st_mtim.tv_nsec) + " ";
  return S_ISREG(info.st_mode) ? text + bytes_of(path) : text;
}

/// Changes the identity of a ring file as another version would have written it: with a checksum that fits.
void forge(const fs::path& path, const std::function<void(RingIdentity&)>& change) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  RingIdentity identity{};
  ASSERT_EQ(::pread(fd.get(), &identity, sizeof(identity), 0), static_cast<ssize_t>(sizeof(identity)));
  change(identity);
  identity.checksum = identity_checksum(identity);
  ASSERT_EQ(::pwrite(fd.get(), &identity, sizeof(identity), 0), static_cast<ssize_t>(sizeof(identity)));
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
}

struct BadInput {
  const char* name;
  std::function<void(const fs::path&)> make;  // out of a good ring with a record in it
  ErrorCode code;
  const char* remedy;  // a piece of the message by which a person knows what to do
};

void replace(const fs::path& path) { fs::remove(path); }

void make_socket(const fs::path& path) {
  replace(path);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

std::string garbage(std::size_t size) {
  SplitMix random(5);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random.bits());
  return text;
}

const BadInput kBadInputs[] = {
    {"Nothing", [](const fs::path& p) { replace(p); }, ErrorCode::kNotFound, "shmring create"},
    {"NoFolder", [](const fs::path& p) { fs::remove_all(p.parent_path()); }, ErrorCode::kNotFound,
     "shmring create"},
    {"Garbage",
     [](const fs::path& p) {
       replace(p);
       write_file(p, garbage(1 << 16));
     },
     ErrorCode::kNotARing, "magic number"},
    {"Zeroes",
     [](const fs::path& p) {
       replace(p);
       write_file(p, std::string(1 << 16, '\0'));
     },
     ErrorCode::kNotARing, "magic number"},
    {"EmptyFile",
     [](const fs::path& p) {
       replace(p);
       write_file(p, "");
     },
     ErrorCode::kNotARing, "is empty"},
    {"ShortFile", [](const fs::path& p) { fs::resize_file(p, 1000); }, ErrorCode::kNotARing, "too short"},
    {"Folder",
     [](const fs::path& p) {
       replace(p);
       fs::create_directory(p);
     },
     ErrorCode::kNotARing, "is a folder"},
    {"Fifo",
     [](const fs::path& p) {
       replace(p);
       ASSERT_EQ(::mkfifo(p.c_str(), 0600), 0);
     },
     ErrorCode::kNotARing, "named pipe"},
    {"Socket", [](const fs::path& p) { make_socket(p); }, ErrorCode::kNotARing, "socket"},
    {"SymbolicLink",
     [](const fs::path& p) {
       fs::rename(p, p.string() + ".real");
       fs::create_symlink(p.string() + ".real", p);
     },
     ErrorCode::kNotARing, "name the ring itself"},
    {"OlderLayout", [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.layout_major = 0; }); },
     ErrorCode::kIncompatibleVersion, "drain it with the flusher of the version"},
    {"NewerLayout", [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.layout_major = 2; }); },
     ErrorCode::kIncompatibleVersion, "drain it with the flusher of the version"},
    {"UnknownFeature",
     [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.incompatible_features = 1U << 31U; }); },
     ErrorCode::kIncompatibleVersion, "update shmring"},
    {"AnotherLibc",
     [](const fs::path& p) {
       forge(p, [](RingIdentity& i) { i.abi_tag = (i.abi_tag & 0xFFFFFFU) | 2U << 24U; });
     },
     ErrorCode::kIncompatibleAbi, "musl"},
    {"AnotherWordSize",
     [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.abi_tag ^= 0xCU << 20U; }); },
     ErrorCode::kIncompatibleAbi, "a ring of its own"},
    {"MoreBlocksThanItHolds", [](const fs::path& p) { forge(p, [](RingIdentity& i) { ++i.block_count; }); },
     ErrorCode::kDamaged, "removing the file makes way"},
    {"OtherBlockSize", [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.block_bytes *= 2; }); },
     ErrorCode::kDamaged, "removing the file"},
    {"NoBlockSize", [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.block_bytes = 0; }); },
     ErrorCode::kDamaged, "removing the file"},
    {"HugeCounts",
     [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.block_count = i.writer_count = ~0U; }); },
     ErrorCode::kDamaged, "removing the file"},
    {"NoWriters", [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.writer_count = 0; }); },
     ErrorCode::kDamaged, "removing the file"},
    {"OffsetsElsewhere",
     [](const fs::path& p) { forge(p, [](RingIdentity& i) { i.blocks_offset = ~std::uint64_t{0} - 4095; }); },
     ErrorCode::kDamaged, "removing the file"},
    {"Truncated", [](const fs::path& p) { fs::resize_file(p, fs::file_size(p) - 4096); }, ErrorCode::kDamaged,
     "truncated or extended"},
    {"Extended", [](const fs::path& p) { fs::resize_file(p, fs::file_size(p) + 4096); }, ErrorCode::kDamaged,
     "truncated or extended"},
    {"OpenToEverybody", [](const fs::path& p) { ASSERT_EQ(::chmod(p.c_str(), 0666), 0); },
     ErrorCode::kPermission, "mode 0600"},
    {"ReadableByEverybody", [](const fs::path& p) { ASSERT_EQ(::chmod(p.c_str(), 0604), 0); },
     ErrorCode::kPermission, "mode 0600"},
};

/// By another process: one that is attached stays attached, and knows the ring whatever becomes of its file.
void put_a_record_into(const Promise& promise) {
  const auto emit = [&] {
    return emit_one(promise.scratch().open().logger("test"), promise.obligations()) ? 0 : 1;
  };
  ASSERT_TRUE(in_child(emit).with(0));
}

class AttachTo : public ::testing::TestWithParam<BadInput> {};

TEST_P(AttachTo, IsAnErrorOfItsOwnThatSaysWhatToDoAndChangesNothing) {
  Promise promise({.blocks = 8});
  put_a_record_into(promise);
  const fs::path path = promise.scratch().path();
  GetParam().make(path);
  if (HasFatalFailure()) return;
  const std::string before = look_of(path);
  for (const Access access : {Access::kReadWrite, Access::kReadOnly}) {
    const auto file = RingFile::attach(path, access);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, GetParam().code) << file.error().message;
    EXPECT_NE(file.error().message.find(path.string()), std::string::npos) << file.error().message;
    EXPECT_NE(file.error().message.find(GetParam().remedy), std::string::npos) << file.error().message;
  }
  const auto opened = Ring::open(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, GetParam().code);
  if (GetParam().code != ErrorCode::kNotFound) {
    // Nobody makes a new ring over something that is there.
    const auto made = Ring::open_or_create({.path = path, .capacity_bytes = 1 << 20});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, GetParam().code);
    const auto created = Ring::create({.path = path, .capacity_bytes = 1 << 20});
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, ErrorCode::kAlreadyExists) << created.error().message;
  }
  EXPECT_EQ(look_of(path), before);
}

std::string name_of(const ::testing::TestParamInfo<BadInput>& bad) { return bad.param.name; }
INSTANTIATE_TEST_SUITE_P(BadInputs, AttachTo, ::testing::ValuesIn(kBadInputs), name_of);

TEST(AttachErrors, AreToldApartByTheirMessages) {
  std::set<std::string> messages;
  for (const BadInput& bad : kBadInputs) {
    ScratchRing scratch({.blocks = 8});
    bad.make(scratch.path());
    const auto file = RingFile::attach(scratch.path());
    ASSERT_FALSE(file) << bad.name;
    std::string message = file.error().message;
    for (std::size_t at = 0; (at = message.find(scratch.path().string())) != std::string::npos;) {
      message.erase(at, scratch.path().string().size());
    }
    messages.insert(message);
  }
  // Some faults are one and the same to a person: nothing there; no magic number; a geometry out of range; a mode too open.
  EXPECT_GE(messages.size(), std::size(kBadInputs) - 7);
}

TEST(RingOfAnEarlierBoot, IsRefusedForWritingAndSetAsideForDraining) {
  Promise promise({.blocks = 8, .medium = Medium::kDisk});
  if (is_memory_file_system(promise.file().fd())) {
    GTEST_SKIP() << promise.scratch().path()
                 << " lies in memory, which survives no boot: set TMPDIR to a folder on a disk";
  }
  put_a_record_into(promise);
  const fs::path path = promise.scratch().path();
  forge(path, [](RingIdentity& i) { i.boot_id[0] ^= 0xFFU; });
  const auto opened = Ring::open(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kIncompatibleVersion);
  EXPECT_NE(opened.error().message.find("earlier boot"), std::string::npos);
  const auto fresh = Ring::open_or_create({.path = path, .capacity_bytes = 1 << 20});
  ASSERT_TRUE(fresh) << fresh.error().message;
  const RingFile old = value_or_abort(RingFile::attach(path));
  EXPECT_EQ(account(old).total.written, 0U);
  const auto entries = fs::directory_iterator(promise.scratch().folder());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 2);
  // What it held is there still, under its other name, and can be drained.
  Deliveries deliveries;
  Drainer(promise.file()).empty(deliveries);
  EXPECT_EQ(deliveries.lost(promise.obligations()), 0U);
}

TEST(RingInMemory, IsOfThisBootWhateverItsBootIdSays) {
  Promise promise({.blocks = 8});
  if (!is_memory_file_system(promise.file().fd())) GTEST_SKIP() << "there is no /dev/shm here";
  forge(promise.scratch().path(),
        [](RingIdentity& i) { i.boot_id[0] ^= 0xFFU; });  // as a container with an id of its own sees it
  const auto ring = Ring::open(promise.scratch().path());
  ASSERT_TRUE(ring) << ring.error().message;
  EXPECT_TRUE(emit_one(ring->logger("test"), promise.obligations()));
}

// ------------------------------------------------------------------------------------------------- other people's rings

bool is_root() { return ::geteuid() == 0; }
constexpr const char* kNeedsRoot =
    "only root can become another user or mount a file system; run as root to try this";

TEST(RingOfAnotherUser, IsRefusedWithTheWayOut) {
  if (!is_root()) GTEST_SKIP() << kNeedsRoot;
  ScratchRing scratch({.blocks = 8});
  ASSERT_EQ(::chown(scratch.path().c_str(), 12'345, 12'345), 0);
  const std::string before = look_of(scratch.path());
  const auto file = RingFile::attach(scratch.path());
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kPermission);
  for (const char* word : {"12345", "--group", "0660"})
    EXPECT_NE(file.error().message.find(word), std::string::npos) << word;
  EXPECT_TRUE(RingFile::attach(scratch.path(), Access::kReadOnly)) << "root may look at any ring";
  EXPECT_EQ(look_of(scratch.path()), before);
}

TEST(RingOfAnotherUser, CannotBeOpenedByAProgramWithoutRights) {
  if (!is_root()) GTEST_SKIP() << kNeedsRoot;
  ScratchRing scratch({.blocks = 8});
  ASSERT_EQ(::chmod(scratch.folder().c_str(), 0755), 0);
  const Ended ended = in_child([&] {
    if (::setgid(12'345) != 0 || ::setuid(12'345) != 0) return 1;
    const auto file = RingFile::attach(scratch.path());
    if (file) return 2;
    if (file.error().code != ErrorCode::kPermission) return 3;
    return file.error().message.find(scratch.path().string()) != std::string::npos ? 0 : 4;
  });
  EXPECT_TRUE(ended.with(0)) << ended.text();
}

TEST(DefaultFolder, OfAnotherUserIsRefused) {
  if (!is_root()) GTEST_SKIP() << kNeedsRoot;
  // In the place of a user who has none yet, made by somebody who was faster.
  constexpr uid_t kVictim = 54'321;
  const fs::path folder = "/dev/shm/shmring-" + std::to_string(kVictim);
  fs::remove_all(folder);
  ASSERT_EQ(::mkdir(folder.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
  const Ended ended = in_child([&] {
    ::unsetenv("SHMRING_PATH");
    if (::setgid(kVictim) != 0 || ::setuid(kVictim) != 0) return 1;
    const auto ring = Ring::open_or_create({.capacity_bytes = 1 << 20});
    if (ring) return 2;
    if (ring.error().code != ErrorCode::kPermission) return 3;
    return ring.error().message.find("SHMRING_PATH") != std::string::npos ? 0 : 4;
  });
  EXPECT_TRUE(ended.with(0)) << ended.text();
  EXPECT_TRUE(fs::is_empty(folder));
  fs::remove_all(folder);
}

// --------------------------------------------------------------------------------------------- places without room

constexpr int kNotPermitted = 77;

/// In a child with a mount namespace of its own, where `folder` is a small file system in memory: does `work`.
template <typename Work>
Ended on_small_file_system(const fs::path& folder, const char* options, Work&& work) {
  return in_child([&]() -> int {
    if (::unshare(CLONE_NEWNS) != 0) return kNotPermitted;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kNotPermitted;
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) != 0) return kNotPermitted;
    return work();
  });
}

/// 0 when the error is of that kind and says all of these words.
int expect_error(const Error& error, ErrorCode code, std::initializer_list<const char*> words) {
  for (const char* word : words) {
    if (error.message.find(word) == std::string::npos) {
      std::fprintf(stderr, "no \"%s\" in: %s\n", word, error.message.c_str());
      return 4;
    }
  }
  if (error.code != code)
    std::fprintf(stderr, "code %d: %s\n", static_cast<int>(error.code), error.message.c_str());
  return error.code == code ? 0 : 5;
}

TEST(FileSystem, ThatIsTooSmallIsAnErrorThatNamesWantedAndFreeBytesAndTheRemedy) {
  ScratchFolder folder;
  const Ended ended = on_small_file_system(folder.path(), "size=1m", [&] {
    const auto ring = Ring::open_or_create({.path = folder.path() / "test.ring", .capacity_bytes = 8 << 20});
    if (ring) return 2;
    if (!fs::is_empty(folder.path())) return 3;
    return expect_error(ring.error(), ErrorCode::kNoSpace,
                        {"test.ring", "needs 8.8 MiB", "has 1 MiB free", "--shm-size", "capacity_bytes"});
  });
  if (ended.with(kNotPermitted)) GTEST_SKIP() << kNeedsRoot;
  EXPECT_TRUE(ended.with(0)) << ended.text();
}

TEST(FileSystem, ThatIsFullIsAnErrorBeforeTheFirstStoreNotABusErrorInIt) {
  ScratchFolder folder;
  const Ended ended = on_small_file_system(folder.path(), "size=4m", [&] {
    std::ofstream(folder.path() / "filler") << std::string(3 << 20, 'x');
    const auto none =
        Ring::create({.path = folder.path() / "a.ring", .capacity_bytes = 2 << 20, .writers = 16});
    if (none) return 2;
    fs::remove(folder.path() / "filler");
    const auto fits =
        Ring::open_or_create({.path = folder.path() / "a.ring", .capacity_bytes = 2 << 20, .writers = 16});
    if (!fits) return 3;
    // Full to the last byte beside it: each page of the ring is its own already.
    std::ofstream(folder.path() / "filler") << std::string(4 << 20, 'x');
    const Logger logger = fits->logger("test");
    for (int n = 0; n < 20'000; ++n) logger.emit(Severity::kInfo, "as many as go in, and then some more");
    return expect_error(none.error(), ErrorCode::kNoSpace, {"a.ring", "1 MiB free", "make the ring smaller"});
  });
  if (ended.with(kNotPermitted)) GTEST_SKIP() << kNeedsRoot;
  EXPECT_TRUE(ended.with(0)) << ended.text();
}

TEST(FileSystem, ThatIsReadOnlyIsAnErrorThatSaysSo) {
  ScratchFolder folder;
  const Ended ended = on_small_file_system(folder.path(), "size=4m,ro", [&] {
    const auto ring = Ring::open_or_create({.path = folder.path() / "test.ring", .capacity_bytes = 1 << 20});
    if (ring) return 2;
    return expect_error(ring.error(), ErrorCode::kPermission, {"Read-only file system", "SHMRING_PATH"});
  });
  if (ended.with(kNotPermitted)) GTEST_SKIP() << kNeedsRoot;
  EXPECT_TRUE(ended.with(0)) << ended.text();
}

// NFS, SMB, 9P and the like cannot be mounted here; what is refused is a table of statfs magic numbers (ring_path.cpp).

TEST(MappedRing, ThatIsUnlinkedOrReplacedOrCutIsNoticedByItsReader) {
  {
    ScratchRing scratch({.blocks = 8});
    const RingFile file = scratch.attach();
    EXPECT_TRUE(file.still_valid());
    fs::remove(scratch.path());
    ASSERT_FALSE(file.still_valid());
    EXPECT_EQ(file.still_valid().error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(Ring::create({.path = scratch.path(), .capacity_bytes = 1 << 20}));
    EXPECT_EQ(file.still_valid().error().code, ErrorCode::kNotFound);
  }
  ScratchRing scratch({.blocks = 8});
  const RingFile file = scratch.attach();
  fs::resize_file(scratch.path(), fs::file_size(scratch.path()) / 2);
  ASSERT_FALSE(file.still_valid());
  EXPECT_EQ(file.still_valid().error().code, ErrorCode::kDamaged);
}

}  // namespace
}  // namespace shmring::testing
