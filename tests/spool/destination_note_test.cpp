// SPDX-License-Identifier: Apache-2.0
// What each destination took and refused, noted beside the ring and read again.

#include "spool/destination_note.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/support/scratch_ring.hpp"

namespace shmring::spool {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DestinationBooks some_books() {
  DestinationBooks books{.name = "otlp"};
  books.lanes[0] = {.accepted = 10, .rejected = 1, .dead_lettered = 2, .last_success_ms = 1'700'000'000'000};
  books.lanes[2] = {.accepted = 5, .last_success_ms = 1'800'000'000'000};
  books.last_error = {.text = "no \"route\"\n", .signal = Signal::kTraces, .at_ms = 1'700'000'000'001};
  return books;
}

TEST(DestinationNote, HoldsWhatWasNotedLast) {
  const testing::ScratchRing ring;
  const RingFile file = ring.attach();
  EXPECT_THAT(destinations_of(file), IsEmpty());
  ASSERT_TRUE(note_destinations(file, {{.name = "file"}}));
  ASSERT_TRUE(note_destinations(file, {some_books(), {.name = "file"}}));
  EXPECT_THAT(destinations_of(file), ElementsAre(some_books(), DestinationBooks{.name = "file"}));
  EXPECT_EQ(some_books().total(), (LaneBooks{15, 1, 2, 1'800'000'000'000}));
  struct stat status {};
  ASSERT_EQ(::stat(destinations_path(ring.path()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(DestinationNote, OfAnotherRingAtThatPathIsNone) {
  const testing::ScratchRing ring;
  const testing::ScratchRing other;
  ASSERT_TRUE(note_destinations(other.attach(), {some_books()}));
  std::filesystem::rename(destinations_path(other.path()), destinations_path(ring.path()));
  EXPECT_THAT(destinations_of(ring.attach()), IsEmpty());
}

TEST(DestinationNote, OfAnotherVersionSaysWhatBothKnow) {
  const testing::ScratchRing ring;
  const RingFile file = ring.attach();
  ASSERT_TRUE(note_destinations(file, {some_books()}));
  std::ifstream in(destinations_path(ring.path()));
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto replace = [&](const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  replace("\"accepted\": 10,", "\"taken_in\": {\"some\": [1]},");
  replace("\"dead_lettered\": 2", "\"dead_lettered\": \"two\"");
  replace("\"traces\"", "\"profiles\"");
  std::ofstream(destinations_path(ring.path())) << text;
  const auto books = destinations_of(file);
  ASSERT_EQ(books.size(), 1U);
  EXPECT_EQ(books[0].lanes[0], (LaneBooks{0, 1, 0, 1'700'000'000'000}));
  EXPECT_EQ(books[0].lanes[2].accepted, 5U);
}

TEST(DestinationNote, ThatIsNoneSaysNothing) {
  const testing::ScratchRing ring;
  const RingFile file = ring.attach();
  const auto path = destinations_path(ring.path());
  for (const std::string text : {"", "{", "[]", "null", "{\"ring\": 3}", "\xff\xfe"}) {
    std::ofstream(path) << text;
    EXPECT_THAT(destinations_of(file), IsEmpty()) << text;
  }
  std::ofstream(path) << std::string(1U << 20U, '[');  // deep, and longer than anybody reads
  EXPECT_THAT(destinations_of(file), IsEmpty());
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_THAT(destinations_of(file), IsEmpty());
  EXPECT_FALSE(note_destinations(file, {some_books()}));
}

}  // namespace
}  // namespace shmring::spool
