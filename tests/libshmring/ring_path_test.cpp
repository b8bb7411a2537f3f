// SPDX-License-Identifier: Apache-2.0
// Where rings live.
#include "libshmring/ring_path.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "libshmring/system.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

/// An environment variable, set for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (value == nullptr)
      ::unsetenv(name);
    else
      ::setenv(name, value, 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(RingPath, ComesFromTheEnvironment) {
  const Variable path("SHMRING_PATH", "/somewhere/a.ring");
  EXPECT_EQ(default_ring_path(), "/somewhere/a.ring");
  EXPECT_EQ(resolve_ring_path({}), "/somewhere/a.ring");
}

TEST(RingPath, IsTheUsersOwnFolderOtherwise) {
  const std::string expected = "/dev/shm/shmring-" + std::to_string(::geteuid()) + "/default.ring";
  const Variable unset("SHMRING_PATH", nullptr);
  EXPECT_EQ(default_ring_path(), expected);
  const Variable empty("SHMRING_PATH", "");
  EXPECT_EQ(default_ring_path(), expected);
}

TEST(RingPath, IsWhatWasAskedFor) { EXPECT_EQ(resolve_ring_path("/a/b"), "/a/b"); }

TEST(RingFolder, MustExistUnlessItIsTheDefaultOne) {
  const test::TestFolder folder;
  EXPECT_TRUE(prepare_folder(folder.path() / "a.ring"));
  const auto missing = prepare_folder(folder.path() / "none" / "a.ring");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "none"));
}

TEST(RingFolder, IsOnAFileSystemOfMemoryOrNot) {
  const test::TestFolder folder;
  const UniqueFd fd(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(fd.valid());
  EXPECT_TRUE(check_file_system(fd.get(), folder.path()));
  const UniqueFd proc(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(is_memory_file_system(proc.get()));
}

}  // namespace
}  // namespace shmring
