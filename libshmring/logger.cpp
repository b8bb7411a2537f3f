// SPDX-License-Identifier: Apache-2.0
// What a Logger needs once, or seldom.

#include "shmring/logger.hpp"

#include <cassert>
#include <utility>

#include "libshmring/ring_core.hpp"
#include "libshmring/tick_clock.hpp"

namespace shmring {

// What a disabled logger's minimum severity points to.
constinit const std::atomic<std::uint32_t> Logger::nothing_passes{kNothingPasses};

Logger Ring::logger(std::string_view scope_name, std::string_view scope_version) const {
  return logger(ScopeOptions{.name = scope_name, .version = scope_version});
}

Logger Ring::logger(const ScopeOptions& options) const {
  const ProducerConfig& config = producer_config(*core_);
  return Logger(writer(), scope(options), config.disabled ? &Logger::nothing_passes : min_severity(*core_),
                config.limits.log, clock());
}

Logger Logger::with_clock(Clock clock) const {
  Logger copy = *this;
  copy.clock_ = usable(clock);
  return copy;
}

bool Logger::emit_record(const LogRecord& record, std::uint8_t ticks) const noexcept {
  const void* const frame = __builtin_frame_address(0);
  const std::uint64_t latest = ticks != 0 ? record.observed_time_unix_nano : 0;
  const std::optional<bool> done = commit_plain(record, {latest, ticks}, frame);
  return done ? *done : commit(record, ticks, frame);
}

bool Logger::commit(const LogRecord& record, std::uint8_t ticks, const void* frame) const noexcept {
  wire::SelectionBuffer buffer;
  const wire::SelectedAttributes attributes =
      wire::can_take_all(record.attributes, limits_.count)
          ? wire::take_all(record.attributes)
          : wire::select_attributes(record.attributes, limits_.count, buffer);
  wire::SizeSink size;
  wire::put_log(size, record, attributes, limits_.value_length);
  Slot slot = writer_.try_reserve_in_frame(frame, RecordKind::kLog, size.size(), scope_,
                                           {ticks != 0 ? record.observed_time_unix_nano : 0, ticks});
  if (!slot) return false;
  wire::ByteSink sink(slot.payload().data());
  wire::put_log(sink, record, attributes, limits_.value_length);
  assert(sink.position() == slot.payload().data() + size.size());
  return std::move(slot).commit();
}

}  // namespace shmring
