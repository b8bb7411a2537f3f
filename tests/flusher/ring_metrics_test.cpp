// SPDX-License-Identifier: Apache-2.0
#include "flusher/ring_metrics.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

void name_holder(WriterSlot& slot, const std::string& program) {
  char bytes[sizeof slot.command] = {};
  std::memcpy(bytes, program.data(), std::min(program.size(), sizeof bytes));
  for (std::size_t i = 0; i < std::size(slot.command); ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    slot.command[i] = word;
  }
}

std::map<std::string, double> by_program(DropsByProgram& drops) {
  MetricSink sink;
  drops.add_metrics(sink);
  std::map<std::string, double> out;
  for (const auto& family : sink.families()) {
    for (const auto& metric : family.metric) out[metric.label.at(0).value] += metric.counter.value;
  }
  return out;
}

TEST(DropsByProgram, GoToTheHolderOfTheSlotSinceTheLookBefore) {
  const testing::ScratchRing ring;
  const RingFile file = ring.attach();
  WriterSlot& slot = file.slots()[0];
  slot.dropped[0][0] = 5;  // of somebody before our time
  DropsByProgram drops(file);
  EXPECT_TRUE(by_program(drops).empty());
  name_holder(slot, "first");
  slot.dropped[0][0] += 3;
  slot.dropped[1][2] += 1;
  EXPECT_EQ(by_program(drops), (std::map<std::string, double>{{"first", 4}}));
  name_holder(slot, "sec\"\n\xff");
  slot.dropped[0][0] += 2;
  EXPECT_EQ(by_program(drops), (std::map<std::string, double>{{"first", 4}, {"sec\"??", 2}}));
}

TEST(DropsByProgram, AreOfAFewProgramsHoweverManyThereAre) {
  const testing::ScratchRing ring;
  const RingFile file = ring.attach();
  DropsByProgram drops(file);
  for (int i = 0; i < 200; ++i) {
    name_holder(file.slots()[0], "worker-" + std::to_string(i));
    file.slots()[0].dropped[0][0] += 1;
    by_program(drops);
  }
  const auto all = by_program(drops);
  EXPECT_EQ(all.size(), DropsByProgram::kMostPrograms + 1);
  EXPECT_EQ(all.at("other"), 200 - static_cast<double>(DropsByProgram::kMostPrograms));
}

}  // namespace
}  // namespace shmring::flusher
