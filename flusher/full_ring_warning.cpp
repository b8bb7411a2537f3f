// SPDX-License-Identifier: Apache-2.0
// The warning that comes before the loss.

#include "flusher/full_ring_warning.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "flusher/units.hpp"
#include "libshmring/names.hpp"

namespace shmring::flusher {
namespace {

constexpr double kWorthAWarning = 0.5;

/// Of all its signals the first.
std::optional<TimePoint> failing_since(const Delivery& delivery, std::size_t destination) {
  std::optional<TimePoint> first;
  for (const Signal signal : kSignals) {
    const auto since = delivery.failing_since(destination, signal);
    if (since) first = std::min(first.value_or(*since), *since);
  }
  return first;
}

}  // namespace

void warn_of_full_ring(double fill, const Delivery& delivery, const std::vector<Destination>& destinations,
                       Log& log, TimePoint now) {
  if (fill < kWorthAWarning) return;
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const auto since = failing_since(delivery, i);
    if (!since) continue;
    const auto age = std::chrono::floor<std::chrono::milliseconds>(now - *since);
    log.write_limited(
        LogLevel::kWarning, "ring_fills", destinations[i].name,
        {field("destination", destinations[i].name), field("ring_fill", fmt::format("{:.0f}%", fill * 100)),
         field("failing_since", utc_time(std::chrono::system_clock::now() - age)),
         field("failing_for", format_duration(age)),
         field("hint",
               "a full ring loses records: mend the destination, or let an outage wait on disk with --spool "
               "DIR")},
        now);
  }
}

}  // namespace shmring::flusher
