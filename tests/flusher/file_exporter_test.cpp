// SPDX-License-Identifier: Apache-2.0
#include "flusher/file_exporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/flusher/fakes.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const Batch> log_batch(const std::string& body) {
  testing::LogsRequest request;
  request.add_resource_logs()->add_scope_logs()->add_log_records()->mutable_body()->set_string_value(body);
  return std::make_shared<const Batch>(Batch{.request = request.SerializeAsString(), .records = 1});
}

struct Exported {
  testing::ScratchFolder folder;
  Log log{LogLevel::kError, [](std::string_view) {}};
  std::filesystem::path base = folder.path() / "out.jsonl";
  std::filesystem::path logs = folder.path() / "out.logs.jsonl";
  std::vector<SendResult> results;

  std::unique_ptr<FileExporter> open() {
    auto exporter = FileExporter::create(base, FileSync::kNo, log);
    if (!exporter) testing::give_up(exporter.error().message);
    return std::move(*exporter);
  }
  Exporter::Done done() {
    return [this](const SendResult& result) { results.push_back(result); };
  }
  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> out;
    std::ifstream in(logs);
    for (std::string line; std::getline(in, line);) out.push_back(nlohmann::json::parse(line));
    return out;
  }
};

TEST(FileExporter, NamesOneFileForEachSignal) {
  EXPECT_EQ(file_of("/a/b/name.jsonl", Signal::kLogs), "/a/b/name.logs.jsonl");
  EXPECT_EQ(file_of("name.x.jsonl", Signal::kTraces), "name.x.traces.jsonl");
  EXPECT_EQ(file_of("/a/name", Signal::kMetrics), "/a/name.metrics.jsonl");
}

TEST(FileExporter, WritesOneRequestALine) {
  Exported exported;
  const auto exporter = exported.open();
  exporter->submit(log_batch("first\nline"), exported.done());
  exporter->submit(log_batch("second"), exported.done());
  const auto lines = exported.lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"]["stringValue"],
            "first\nline");
  EXPECT_EQ(exported.results.size(), 2U);
  EXPECT_EQ(exported.results[0].outcome, SendOutcome::kAccepted);
  EXPECT_FALSE(std::filesystem::exists(exported.folder.path() / "out.traces.jsonl"));
}

TEST(FileExporter, CutsATornLineAtItsStart) {
  Exported exported;
  std::ofstream(exported.logs) << "{}\n{\"resourceLo";
  const auto exporter = exported.open();
  exporter->submit(log_batch("x"), exported.done());
  EXPECT_EQ(exported.lines().size(), 2U);
}

TEST(FileExporter, GoesOnInANewFileAfterReopen) {
  Exported exported;
  const auto exporter = exported.open();
  exporter->submit(log_batch("old"), exported.done());
  std::filesystem::rename(exported.logs, exported.folder.path() / "rotated");
  exporter->reopen();
  exporter->submit(log_batch("new"), exported.done());
  ASSERT_EQ(exported.lines().size(), 1U);
}

TEST(FileExporter, AWriteThatFailsCanBeRepeated) {
  Exported exported;
  const auto exporter = exported.open();
  std::filesystem::create_directory(exported.logs);  // in the place of the file
  exporter->submit(log_batch("x"), exported.done());
  ASSERT_EQ(exported.results.size(), 1U);
  EXPECT_EQ(exported.results[0].outcome, SendOutcome::kRetryable);
  EXPECT_THAT(exported.results[0].reason, HasSubstr("out.logs.jsonl"));
  std::filesystem::remove(exported.logs);
  exporter->submit(log_batch("x"), exported.done());
  EXPECT_EQ(exported.results[1].outcome, SendOutcome::kAccepted);
}

TEST(FileExporter, AFolderThatIsNotThereIsAnErrorAtTheStart) {
  Log log{LogLevel::kError, [](std::string_view) {}};
  const auto exporter = FileExporter::create("/nonexistent/x.jsonl", FileSync::kNo, log);
  ASSERT_FALSE(exporter);
  EXPECT_THAT(exporter.error().message, HasSubstr("there is no folder /nonexistent"));
}

}  // namespace
}  // namespace shmring::flusher
