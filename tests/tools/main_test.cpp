// SPDX-License-Identifier: Apache-2.0
// The command line as such.
#include <gtest/gtest.h>

#include "program.hpp"

namespace shmring::tools::test {
namespace {

TEST(CommandLine, WithoutAVerbSaysWhatThereIs) {
  const Ended ended = shmring({});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.err,
            "shmring: a verb is needed; there are: create, status, dump, tap, emit, exec, fsck, recover, "
            "flusher, bench "
            "(shmring VERB --help)\n");
}

TEST(CommandLine, DoesNotGuessAtUnknownVerbs) {
  const Ended ended = shmring({"top\x1b"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_TRUE(ended.err.starts_with("shmring: there is no verb \"top\\x1b\"; there are: create"))
      << ended.err;
}

TEST(CommandLine, RefusesUnknownOptions) {
  for (const char* verb : {"create", "status", "dump", "tap", "emit", "exec", "fsck"}) {
    const Ended ended = shmring({verb, "--no-such-option"});
    EXPECT_EQ(ended.exit_code, 2) << verb;
    EXPECT_NE(ended.err.find("--no-such-option"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(shmring({"flusher"}).exit_code, 2);
  EXPECT_EQ(shmring({"--no-such-option"}).exit_code, 2);
}

TEST(CommandLine, HelpsOnEveryVerb) {
  for (const char* verb : {"create", "status", "dump", "tap", "emit", "exec", "fsck", "flusher"}) {
    const Ended ended = shmring({verb, "--help"});
    EXPECT_EQ(ended.exit_code, 0) << verb;
    EXPECT_NE(ended.out.find("Usage"), std::string::npos) << ended.out;
  }
  EXPECT_TRUE(shmring({"--version"}).out.starts_with("shmring "));
}

TEST(CommandLine, EveryReadingVerbSaysThatThereIsNoRing) {
  const Folder folder;
  for (const char* verb : {"status", "dump", "tap", "fsck"}) {
    const Ended ended = shmring({verb, folder / "none.ring"});
    EXPECT_EQ(ended.exit_code, 3) << verb;
    EXPECT_TRUE(ended.err.starts_with("shmring " + std::string(verb) + ": ")) << ended.err;
    EXPECT_NE(ended.err.find(folder / "none.ring"), std::string::npos) << ended.err;
  }
  for (const char* what : {"pid", "stop", "evict"})
    EXPECT_EQ(shmring({"flusher", what, folder / "none"}).exit_code, 3);
}

TEST(CommandLine, SaysWhenItsOutputCannotBeWritten) {
  const TestRing ring;
  Program status({"/bin/sh", "-c", std::string(SHMRING_PROGRAM) + " status " + ring.path() + " >/dev/full"});
  EXPECT_EQ(status.wait().exit_code, 1);
}

}  // namespace
}  // namespace shmring::tools::test
