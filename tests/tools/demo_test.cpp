// SPDX-License-Identifier: Apache-2.0
// The demo finds every record that its children committed, and notices one that is missing.
#include <gtest/gtest.h>

#include <fstream>

#include "program.hpp"

namespace shmring::tools::test {
namespace {

Ended demo(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), DEMO_PROGRAM);
  return Program(arguments).wait();
}

TEST(Demo, FindsAllThatItsChildrenCommittedHoweverTheyEnded) {
  const TestRing ring({"--size", "1MiB", "--writers", "64"});
  const Ended run = demo({"--ring", ring.path(), "--children", "30", "--records", "2"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string exported = ring.file("out.logs.jsonl");
  std::ofstream(exported) << shmring({"dump", ring.path()}).out;
  const Ended verify = demo({"--ring", ring.path(), "--verify", exported});
  EXPECT_EQ(verify.exit_code, 0) << verify.out << verify.err;
  EXPECT_NE(verify.out.find("all               30         60        60      0"), std::string::npos)
      << verify.out;
}

TEST(Demo, NoticesARecordThatIsMissingAndOneThatIsChanged) {
  const TestRing ring({"--size", "1MiB", "--writers", "64"});
  ASSERT_EQ(demo({"--ring", ring.path(), "--children", "3", "--records", "2"}).exit_code, 0);
  const std::string all = shmring({"dump", ring.path()}).out;
  for (const char* body : {"child 2 says 9", ""}) {
    std::string broken = all;
    const std::string whole = "child 2 says 1";
    ASSERT_NE(broken.find(whole), std::string::npos);
    broken.replace(broken.find(whole), whole.size(), body);
    const std::string exported = ring.file("broken.logs.jsonl");
    std::ofstream(exported) << broken;
    const Ended verify = demo({"--ring", ring.path(), "--verify", exported});
    EXPECT_EQ(verify.exit_code, 1);
    EXPECT_NE(verify.out.find("1 arrived changed"), std::string::npos) << verify.out;
    EXPECT_NE(verify.out.find("all                3          6         5      1"), std::string::npos)
        << verify.out;
  }
  std::ofstream(ring.file("empty.logs.jsonl")) << "";
  EXPECT_EQ(demo({"--ring", ring.path(), "--verify", ring.file("empty.logs.jsonl")}).exit_code, 1);
  EXPECT_EQ(demo({"--ring", ring.path(), "--verify", ring.file("none.logs.jsonl")}).exit_code, 1);
}

}  // namespace
}  // namespace shmring::tools::test
