// SPDX-License-Identifier: Apache-2.0
// A rival that this program was built without.
#include "bench/rivals/rivals.hpp"

namespace shmring::bench {
namespace {

class AbsentRow final : public Row {
 public:
  AbsentRow(const About& about, std::string reason) : Row(about, 1), reason_(std::move(reason)) {}

  Result<void> prepare(Subjects&) override { return refusal(); }
  Result<double> visit(std::chrono::nanoseconds) override { return refusal(); }
  Result<void> visit_stamped(std::chrono::nanoseconds, Histogram&) override { return refusal(); }
  Result<void> repeat(std::uint64_t) override { return refusal(); }

 private:
  Error refusal() const { return {ErrorCode::kNotFound, reason_}; }
  std::string reason_;
};

}  // namespace

void add_absent(Rows& rows, const About& about, const std::string& reason) {
  rows.push_back(std::make_unique<AbsentRow>(about, reason));
}

}  // namespace shmring::bench
