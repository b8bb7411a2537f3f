// SPDX-License-Identifier: Apache-2.0
// Tracer: how a span begins.

#include "shmring/tracer.hpp"

#include <algorithm>
#include <cassert>
#include <memory>
#include <new>
#include <stdexcept>

#include "libshmring/fork_page.hpp"
#include "libshmring/ids.hpp"
#include "libshmring/ring_core.hpp"
#include "libshmring/span_data.hpp"
#include "libshmring/span_fields.hpp"
#include "libshmring/tick_clock.hpp"
#include "shmring/clock.hpp"
#include "shmring/plain_encoder.hpp"

namespace shmring {
namespace {

/// Not at all when memory runs out.
[[gnu::noinline]] void copy_trace_state(std::string& to, const std::string& from) noexcept {
  try {
    to = from;
  } catch (const std::exception&) {
    to.clear();
  }
}

/// nullptr: out of memory.
std::unique_ptr<SpanData> new_data(const Ring& ring, ScopeId scope, const Limits& limits,
                                   std::string_view name) noexcept {
  try {
    return std::make_unique<SpanData>(ring.writer(), scope, limits, name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Tracer::Tracer(const Ring& ring, ScopeId scope, const ProducerConfig& config) noexcept
    : ring_(ring),
      config_(&config),
      limits_(config.limits.span),
      scope_(scope),
      clock_(ring.clock()),
      is_disabled_(config.disabled) {}

Tracer Ring::tracer(std::string_view scope_name, std::string_view scope_version) const {
  return tracer(ScopeOptions{.name = scope_name, .version = scope_version});
}

Tracer Ring::tracer(const ScopeOptions& options) const {
  const ProducerConfig& config = producer_config(*core_);
  return Tracer(*this, scope(options), config);
}

Tracer Tracer::with_clock(Clock clock) const {
  Tracer copy = *this;
  copy.clock_ = usable(clock);
  return copy;
}

std::uint64_t Tracer::prepare() const noexcept {
  ring_.prepare_thread();  // ids come from the thread's state then; without a slot, from the kernel
  return process_generation();
}

Tracer::Beginning Tracer::begin(const SpanContext* parent) const noexcept {
  if (parent != nullptr && !parent->is_valid()) parent = nullptr;
  Beginning beginning;
  // Field by field: the end reads each of them again, as large as it was written.
  SpanContext& context = beginning.context;
  if (parent != nullptr) {
    context.trace_id = parent->trace_id;
    if (!parent->trace_state.empty()) [[unlikely]]
      copy_trace_state(context.trace_state, parent->trace_state);
  }
  if (is_disabled_) [[unlikely]] {
    if (parent != nullptr) {
      context.span_id = parent->span_id;
      context.flags = parent->flags;
      context.origin = parent->origin;
    }
    return beginning;
  }
  const WriterState* const state = own_state();
  const bool is_prepared = state != nullptr && state->ring == ring_.core();
  beginning.process_generation = is_prepared ? state->process_generation : prepare();
  if (parent == nullptr) {
    context.trace_id = random_trace_id();
  } else {
    beginning.parent_span_id = parent->span_id;
    beginning.parent_origin = parent->origin;
  }
  context.span_id = random_span_id();
  context.origin = ContextOrigin::kLocal;
  if (sample(config_->sampler, parent, context.trace_id) == Decision::kDrop) return beginning;
  context.flags = kSampledFlag;
  beginning.is_recording = true;
  // The end is the start and what passes on the monotonic clock: a coarse start would put events behind it.
  beginning.start = now();
  if (!beginning.start.is_ticks) beginning.start_monotonic_ns = monotonic_time_ns();
  return beginning;
}

bool Tracer::is_of_this_process_slowly(const Beginning& beginning) noexcept {
  return beginning.process_generation == process_generation();
}

std::uint64_t Tracer::end_by_clock(const Beginning& beginning) noexcept {
  return beginning.start.value + (monotonic_time_ns() - beginning.start_monotonic_ns);
}

Span Tracer::start(std::string_view name, const SpanOptions& options) const noexcept {
  Beginning beginning = begin(options.parent);
  if (!beginning.is_recording) return Span(std::move(beginning.context), nullptr);
  auto data = new_data(ring_, scope_, config_->limits, name);
  if (!data) return Span(std::move(beginning.context), nullptr);
  data->process_generation = beginning.process_generation;
  data->kind = options.kind;
  data->parent_span_id = beginning.parent_span_id;
  data->parent_origin = beginning.parent_origin;
  data->start_time = options.start_time_unix_nano;
  if (options.start_time_unix_nano == 0) {
    data->clock = beginning.start.is_ticks ? Clock::kTsc : Clock::kRealtime;
    data->start_time = beginning.start.value;
    data->start_monotonic_ns = beginning.start_monotonic_ns;
  }
  for (const Attribute& attribute : options.attributes) data->set_attribute(attribute);
  for (const SpanLink& link : options.links) data->add_link(link);
  return Span(std::move(beginning.context), data.release());
}

bool Tracer::emit(const SpanRecord& record) const noexcept {
  if (is_disabled_) return false;
  return commit(record, {});
}

bool Tracer::commit(const SpanRecord& record, Ticks ticks, const void* frame) const noexcept {
  if (frame == nullptr) frame = __builtin_frame_address(0);
  const Writer writer = ring_.writer();
  const AttributeLimits& limits = config_->limits.span;
  if (record.events.empty() && record.links.empty()) [[likely]] {
    Slot slot = writer.reserve_least(frame, RecordKind::kSpan, wire::span_head_bound(record), scope_, ticks);
    if (slot) [[likely]] {
      const std::span<std::byte> room = slot.payload();
      wire::ByteSink head(room.data());
      wire::put_span_head(head, record);
      const std::byte* const end = wire::write_plain_attributes(
          head.position(), room.data() + room.size(), wire::span::kAttributes, record.attributes, limits);
      if (end != nullptr) [[likely]]
        return std::move(slot).commit(static_cast<std::size_t>(end - room.data()));
      slot.abandon();
    }
  }
  const std::size_t size = encoded_size(record, config_->limits);
  Slot slot = writer.try_reserve_in_frame(frame, RecordKind::kSpan, size, scope_, ticks);
  if (!slot) return false;
  [[maybe_unused]] const std::byte* const end = encode(slot.payload().data(), record, config_->limits);
  assert(end == slot.payload().data() + size);
  return std::move(slot).commit();
}

bool Tracer::commit_ended(SpanRecord record, const Stamp& start, const void* frame) const noexcept {
  if (start.is_ticks) record.start_time_unix_nano = unix_time_of(*ring_.core(), start.value);
  return commit(record, {}, frame);
}

TraceId Tracer::new_trace_id() const noexcept { return random_trace_id(); }
SpanId Tracer::new_span_id() const noexcept { return random_span_id(); }

}  // namespace shmring
