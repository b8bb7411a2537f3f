// SPDX-License-Identifier: Apache-2.0
// The memory of a recording span.

#include "libshmring/span_data.hpp"

#include <algorithm>
#include <cassert>
#include <ctime>
#include <new>
#include <stdexcept>
#include <utility>

#include "libshmring/fork_page.hpp"
#include "libshmring/ring_core.hpp"
#include "libshmring/span_fields.hpp"
#include "libshmring/tick_clock.hpp"
#include "libshmring/tick_times.hpp"
#include "shmring/clock.hpp"
#include "shmring/plain_encoder.hpp"

namespace shmring {
namespace {

/// Appends what `put` writes to a sink. False, and nothing is changed: out of memory.
template <typename Bytes, typename Put>
bool append(Bytes& bytes, Put put) noexcept {
  wire::SizeSink size;
  put(size);
  const std::size_t before = bytes.size();
  try {
    if (bytes.capacity() - before < size.size())
      bytes.reserve(std::max(2 * bytes.capacity(), before + size.size()));
    bytes.resize(before + size.size(), boost::container::default_init);
  } catch (const std::exception&) {  // bad_alloc, length_error
    return false;
  }
  wire::ByteSink sink(bytes.data() + before);
  put(sink);
  assert(sink.position() == bytes.data() + bytes.size());
  return true;
}

/// Where the key stands in an encoded attribute of `size` bytes: behind the field's tag and length, and the key's own.
std::uint32_t key_offset(std::size_t size, std::size_t key_size) noexcept {
  std::size_t length_bytes = 1;
  while (wire::varint_size(size - 1 - length_bytes) > length_bytes) ++length_bytes;
  return static_cast<std::uint32_t>(1 + length_bytes + 1 + wire::varint_size(key_size));
}

void count(std::uint32_t& dropped) noexcept { dropped = wire::saturated_sum(dropped, 1); }

}  // namespace

AttributeStore::Set AttributeStore::set(const Attribute& attribute, const AttributeLimits& limits) noexcept {
  constexpr std::size_t kMaxBytes = 1U << 30U;  // entries hold 32-bit sizes; a block holds far less
  if (attribute.key.empty()) return Set::kDropped;
  std::size_t at = 0;
  auto entry = entries_.begin();
  for (; entry != entries_.end(); at += entry->size, ++entry) {
    const std::string_view key(reinterpret_cast<const char*>(bytes_.data()) + at + entry->key_at,
                               entry->key_size);
    if (key == attribute.key) break;
  }
  const bool is_new = entry == entries_.end();
  if (is_new && entries_.size() >= std::min(limits.count, kMaxAttributes)) return Set::kDropped;

  const std::size_t before = bytes_.size();
  if (before > kMaxBytes || attribute.key.size() + attribute.value.size() > kMaxBytes) return Set::kDropped;
  try {
    if (is_new && entries_.size() == entries_.capacity()) entries_.reserve(2 * entries_.size());
  } catch (const std::exception&) {
    return Set::kDropped;
  }
  if (!append_attribute(attribute, limits.value_length)) return Set::kDropped;
  if (bytes_.size() - before > kMaxBytes) return bytes_.resize(before), Set::kDropped;

  const Entry fresh{.size = static_cast<std::uint32_t>(bytes_.size() - before),
                    .key_at = key_offset(bytes_.size() - before, attribute.key.size()),
                    .key_size = static_cast<std::uint32_t>(attribute.key.size())};
  if (!is_new) {
    const auto old = bytes_.begin() + static_cast<std::ptrdiff_t>(at);
    bytes_.erase(old, old + entry->size);
    entries_.erase(entry);
  }
  entries_.push_back(fresh);  // has room: reserved, or one was erased
  return Set::kDone;
}

/// False: out of memory, and nothing is changed.
bool AttributeStore::append_attribute(const Attribute& attribute, std::uint32_t value_length) noexcept {
  const std::size_t before = bytes_.size();
  const std::size_t bound = wire::kPlainOverhead + attribute.key.size() + attribute.value.size();
  if (wire::is_plain(attribute.value, value_length)) [[likely]] {
    try {
      if (bytes_.capacity() - before < bound) bytes_.reserve(std::max(2 * bytes_.capacity(), before + bound));
      bytes_.resize(before + bound, boost::container::default_init);
    } catch (const std::exception&) {  // bad_alloc, length_error
      return false;
    }
    std::byte* const begin = bytes_.data() + before;
    const std::byte* const end =
        wire::write_plain_attribute(begin, wire::span::kAttributes, attribute, value_length);
    bytes_.resize(before + static_cast<std::size_t>(end - begin));
    return true;
  }
  return append(bytes_, [&](auto& sink) {
    wire::put_attribute(sink, wire::span::kAttributes, attribute, value_length);
  });
}

void SpanData::set_attribute(const Attribute& attribute) noexcept {
  if (attributes.set(attribute, limits.span) == AttributeStore::Set::kDropped) count(dropped_attributes);
}

void SpanData::add_event(const SpanEvent& event) noexcept {
  wire::SelectionBuffer buffer;
  const auto put = [&](auto& sink) { wire::put_event(sink, event, limits.event, buffer); };
  if (event_count < limits.events && append(events_and_links, put))
    ++event_count;
  else
    count(dropped_events);
}

void SpanData::add_link(const SpanLink& link) noexcept {
  wire::SelectionBuffer buffer;
  const auto put = [&](auto& sink) { wire::put_link(sink, link, limits.link, buffer); };
  if (link_count < limits.links && append(events_and_links, put))
    ++link_count;
  else
    count(dropped_links);
}

std::uint64_t SpanData::present_time() const noexcept {
  if (clock == Clock::kTsc) return std::max(read_tsc(), start_time);
  if (start_monotonic_ns == 0) return std::max(unix_time_ns(), start_time);
  return start_time + (monotonic_time_ns() - start_monotonic_ns);
}

bool SpanData::commit(const SpanContext& context, std::uint64_t end_time_unix_nano) noexcept {
  // The parent of a fork ends its span itself: the child's copy of it is not another span.
  if (process_generation != shmring::process_generation()) return false;
  if (clock == Clock::kTsc && end_time_unix_nano != 0) give_up_ticks();
  const SpanRecord head{.context = context,
                        .trace_state = context.trace_state,
                        .parent_span_id = parent_span_id,
                        .parent_origin = parent_origin,
                        .name = view(name),
                        .kind = kind,
                        .start_time_unix_nano = start_time,
                        .end_time_unix_nano = end_time_unix_nano != 0 ? end_time_unix_nano : present_time(),
                        .dropped_attributes_count = dropped_attributes,
                        .dropped_events_count = dropped_events,
                        .dropped_links_count = dropped_links,
                        .status = status,
                        .status_message = view(status_message)};
  const std::span<const std::byte> fields = attributes.encoded();
  const std::size_t bound = wire::span_head_bound(head) + fields.size() + events_and_links.size();
  const Ticks ticks = clock == Clock::kTsc ? Ticks{head.end_time_unix_nano, 2} : Ticks{};
  const void* const frame = __builtin_frame_address(0);
  const auto write = [&](std::byte* out) {
    wire::ByteSink sink(out);
    wire::put_span_head(sink, head);
    sink.bytes(fields.data(), fields.size());
    sink.bytes(events_and_links.data(), events_and_links.size());
    return static_cast<std::size_t>(sink.position() - out);
  };
  if (Slot slot = writer.reserve_least(frame, RecordKind::kSpan, bound, scope, ticks)) [[likely]]
    return std::move(slot).commit(write(slot.payload().data()));
  wire::SizeSink size;
  wire::put_span_head(size, head);
  Slot slot = writer.try_reserve_in_frame(
      frame, RecordKind::kSpan, size.size() + fields.size() + events_and_links.size(), scope, ticks);
  if (!slot) return false;
  return std::move(slot).commit(write(slot.payload().data()));
}

/// The program names the end by a clock of its own: the start becomes one of ours by the same.
void SpanData::give_up_ticks() noexcept {
  start_time = unix_time_of(*writer.ring(), start_time);
  clock = Clock::kRealtime;
}

std::uint64_t unix_time_of(const RingCore& ring, std::uint64_t ticks) noexcept {
  Calibration calibration = ring.calibration();  // a window that reaches back beyond them
  return unix_ns_of(anchor_now(calibration).clock, ticks);
}

std::uint64_t monotonic_time_ns() noexcept {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace shmring
