// SPDX-License-Identifier: Apache-2.0
// shmring exec: the command's lines are in the ring, and everything else is as if it had been run without us.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "program.hpp"

namespace shmring::tools::test {
namespace {

using Json = nlohmann::json;

struct Logged {
  std::string stream;
  std::string body;
  int severity;
};

std::vector<Logged> logged(const std::string& ring) {
  std::vector<Logged> all;
  for (const std::string& line : lines(shmring({"dump", ring}).out)) {
    const Json request = Json::parse(line);
    for (const Json& resource : request["resourceLogs"]) {
      for (const Json& scope : resource["scopeLogs"]) {
        for (const Json& record : scope["logRecords"]) {
          std::string stream;
          for (const Json& each : record["attributes"]) {
            if (each["key"] == "log.iostream") stream = each["value"]["stringValue"];
          }
          all.push_back({stream, record["body"]["stringValue"], record["severityNumber"]});
        }
      }
    }
  }
  return all;
}

std::vector<std::string> bodies(const std::string& ring, const std::string& stream) {
  std::vector<std::string> all;
  for (const Logged& each : logged(ring)) {
    if (each.stream == stream) all.push_back(each.body);
  }
  return all;
}

Ended exec(const std::string& ring, const std::string& script, std::vector<std::string> options = {}) {
  std::vector<std::string> arguments{"exec", ring};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), {"--", "/bin/sh", "-c", script});
  return shmring(arguments);
}

using Strings = std::vector<std::string>;

TEST(Exec, MakesLinesOfBothStreamsRecords) {
  const TestRing ring;
  const Ended ended = exec(ring.path(), "echo one; echo two >&2; printf three");
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out + ended.err, "");
  EXPECT_EQ(bodies(ring.path(), "stdout"), (Strings{"one", "three"}))
      << "a last line without newline is a line";
  EXPECT_EQ(bodies(ring.path(), "stderr"), (Strings{"two"}));
  for (const Logged& each : logged(ring.path())) EXPECT_EQ(each.severity, each.stream == "stdout" ? 9 : 13);
}

TEST(Exec, NamesTheServiceAfterTheCommandUnlessTheEnvironmentDoes) {
  const TestRing ring;
  ASSERT_EQ(exec(ring.path(), "echo x").exit_code, 0);
  EXPECT_NE(shmring({"dump", ring.path(), "--format", "pretty"}).out.find(" sh["), std::string::npos);
  Program named({"/usr/bin/env", "OTEL_SERVICE_NAME=shop", SHMRING_PROGRAM, "exec", ring.path(), "--",
                 "/bin/echo", "y"});
  ASSERT_EQ(named.wait().exit_code, 0);
  EXPECT_NE(shmring({"dump", ring.path(), "--format", "pretty"}).out.find(" shop["), std::string::npos);
}

TEST(Exec, EndsAsTheCommandDid) {
  const TestRing ring;
  EXPECT_EQ(exec(ring.path(), "exit 7").exit_code, 7);
  EXPECT_EQ(exec(ring.path(), "kill -KILL $$").exit_code, 137);
  EXPECT_EQ(shmring({"exec", ring.path(), "--", "/no/such/program"}).exit_code, 127);
  EXPECT_EQ(shmring({"exec", ring.path(), "--", "/etc/passwd"}).exit_code, 126);
  EXPECT_EQ(shmring({"exec", ring.path(), "--"}).exit_code, 2);
  EXPECT_EQ(shmring({"exec", ring.path()}).exit_code, 2);
}

TEST(Exec, ForwardsSignals) {
  const TestRing ring;
  Program program({SHMRING_PROGRAM, "exec", ring.path(), "--tee", "--", "/bin/sh", "-c",
                   "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(eventually([&] { return program.out_so_far() == "ready\n"; }));
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 9);
  EXPECT_EQ(bodies(ring.path(), "stdout"), (Strings{"ready", "got it"}));
}

TEST(Exec, PassesLinesOnWhenAsked) {
  const TestRing ring;
  const Ended ended = exec(ring.path(), "echo out; echo err >&2", {"--tee"});
  EXPECT_EQ(ended.out, "out\n");
  EXPECT_EQ(ended.err, "err\n");
}

TEST(Exec, RunsTheCommandWithoutARing) {
  const Folder folder;
  const Ended ended = exec(folder / "none.ring", "echo still here; exit 3");
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_EQ(ended.out, "still here\n");
  EXPECT_NE(ended.err.find("without a ring"), std::string::npos) << ended.err;
  EXPECT_EQ(shmring({"exec", folder / "none.ring", "--", "/no/such/program"}).exit_code, 127);
}

TEST(Exec, DoesNotWaitForWhatTheCommandLeftBehind) {
  const TestRing ring;
  // The grandchild holds the pipes for an hour; its pid comes out, so that it can be ended.
  const Ended ended = exec(ring.path(), "sleep 3600 & echo $!; echo done");
  EXPECT_EQ(ended.exit_code, 0);
  const Strings out = bodies(ring.path(), "stdout");
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[1], "done");
  const pid_t left_behind = std::stoi(out[0]);
  EXPECT_EQ(::kill(left_behind, 0), 0) << "it still runs";
  ::kill(left_behind, SIGKILL);
}

TEST(Exec, LosesNothingOfALargeOutputOrALongLine) {
  const TestRing ring({"--size", "4MiB"});
  const Ended ended = exec(ring.path(), "seq 1 20000; head -c 100000 /dev/zero | tr '\\0' x");
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  const Strings out = bodies(ring.path(), "stdout");
  ASSERT_GT(out.size(), 20000U);
  for (std::size_t i = 0; i < 20000; ++i) ASSERT_EQ(out[i], std::to_string(i + 1));
  std::size_t rest = 0;
  for (std::size_t i = 20000; i < out.size(); ++i) rest += out[i].size();
  EXPECT_EQ(rest, 100000U);
}

TEST(Exec, GivesTheCommandTheSignalMaskAndInputThatItWasGiven) {
  const TestRing ring;
  ASSERT_EQ(shmring({"exec", ring.path(), "--", "/bin/sh", "-c",
                     "cat; grep -c 'SigBlk:.*0000000000000000' /proc/self/status"},
                    "from outside\n")
                .exit_code,
            0);
  EXPECT_EQ(bodies(ring.path(), "stdout"), (Strings{"from outside", "1"}));
}

}  // namespace
}  // namespace shmring::tools::test
