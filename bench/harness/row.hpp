// SPDX-License-Identifier: Apache-2.0
// What there is to measure: a list of rows, each an adapter at a number of producers.
//
// An adapter is a class that makes one thing measurable. bench/rivals/ has one per rival; this is all of its interface:
//
//   static Result<std::unique_ptr<A>> create(Subjects&);   an error is the reason why the row is skipped
//   P A::producer(int index);                              made by each producing thread, and used by it alone
//   bool P::push(std::uint64_t i);                         THE operation; true: the record is in
//   std::uint64_t A::drain(std::uint64_t pushed);          takes out all that was pushed and counts what was found
//
// and, where it makes sense:
//
//   void A::begin(); void A::end();                        around each visit: a consumer that works only then
//   std::optional<std::string> A::complaint();             after each visit: what is wrong with all that was measured
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/histogram.hpp"
#include "bench/harness/subjects.hpp"
#include "shmring/result.hpp"

namespace shmring::bench {

/// Between two drains. Small enough that the largest records leave the ring half empty: nobody wakes a flusher, nobody is
/// dropped. Large enough that clock and barrier do not matter.
inline constexpr std::uint64_t kBatch = 32'768;

enum class Group : std::uint8_t { kFloor, kShmring, kRival };

struct About {
  std::string name;                  // letters, digits and _: what --only takes
  std::string label;                 // in tables
  std::string record = {};           // what becomes of the record, and what of it when its process is killed
  Group group = Group::kRival;       // floors are what the machine itself costs
  std::vector<int> producers = {1};  // one row for each
  std::uint64_t batch = kBatch;      // operations between two drains, of all producers together
  bool is_stamped = true;            // single operations are timed, too
};

class Row {
 public:
  virtual ~Row() = default;

  const About& about() const noexcept { return about_; }
  int producers() const noexcept { return producers_; }
  /// "name" of one producer, "name/2" of two.
  std::string id() const {
    return producers_ == 1 ? about_.name : about_.name + "/" + std::to_string(producers_);
  }

  /// Makes what is measured. An error is the reason why there is nothing to measure here.
  virtual Result<void> prepare(Subjects& subjects) = 0;

  /// Batches until they have taken `at_least` together. What an operation took, in nanoseconds.
  /// REQUIRES of this and what follows: prepare() was called and has not failed. An error is a broken run.
  virtual Result<double> visit(std::chrono::nanoseconds at_least) = 0;

  /// The same with a time stamp before and after each operation; adds what the single ones took, in ticks.
  virtual Result<void> visit_stamped(std::chrono::nanoseconds at_least, Histogram& ticks) = 0;

  /// For a counter of instructions: the operation, this often, by the first producer, and nothing else.
  /// REQUIRES: operations <= about().batch, since nothing is drained.
  virtual Result<void> repeat(std::uint64_t operations) = 0;

 protected:
  Row(About about, int producers) : about_(std::move(about)), producers_(producers) {}

 private:
  About about_;
  int producers_;
};

using Rows = std::vector<std::unique_ptr<Row>>;

/// In the order of the tables. loop.hpp has add_row(), short_rows.hpp has its short forms.
void add_floor_rows(Rows& rows);
void add_shmring_rows(Rows& rows);
void add_shmring_situations(Rows& rows);

/// One of our rows by itself, for who wants another name or batch: Logger::emit with `clock_gettime`; reserve, copy, commit.
void add_emit_log_row(Rows& rows, About about);
void add_reserve_row(Rows& rows, About about);

}  // namespace shmring::bench
