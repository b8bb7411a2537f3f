// SPDX-License-Identifier: Apache-2.0
// Tracer: how a span begins.

#include "shmring/tracer.hpp"

#include <cassert>
#include <memory>
#include <new>
#include <stdexcept>

#include "libshmring/fork_page.hpp"
#include "libshmring/ids.hpp"
#include "libshmring/ring_core.hpp"
#include "libshmring/span_data.hpp"
#include "shmring/logger.hpp"
#include "shmring/value_encoder.hpp"

namespace shmring {
namespace {

/// A copy; without its trace state when memory runs out.
SpanContext copied(const SpanContext& context) noexcept {
  SpanContext copy;
  static_cast<TraceContext&>(copy) = context;
  copy.origin = context.origin;
  try {
    copy.trace_state = context.trace_state;
  } catch (const std::exception&) {
    copy.trace_state.clear();
  }
  return copy;
}

/// nullptr: out of memory.
std::unique_ptr<SpanData> new_data(const Ring& ring, ScopeId scope, const Limits& limits,
                                   std::string_view name) noexcept {
  try {
    return std::unique_ptr<SpanData>(new SpanData{.writer = ring.writer(),
                                                  .scope = scope,
                                                  .limits = limits,
                                                  .process_generation = process_generation(),
                                                  .name = std::string(name)});
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Tracer Ring::tracer(std::string_view scope_name, std::string_view scope_version) const {
  return Tracer(*this, scope({scope_name, scope_version}), producer_config(*core_));
}

Span Tracer::start(std::string_view name, const SpanOptions& options) const noexcept {
  const SpanContext* const parent =
      options.parent != nullptr && options.parent->is_valid() ? options.parent : nullptr;
  if (config_->disabled) return Span(parent == nullptr ? SpanContext{} : copied(*parent), nullptr);

  ring_.prepare_thread();  // ids come from the thread's state then; without a slot, from the kernel
  SpanContext context = parent == nullptr ? SpanContext{} : copied(*parent);
  if (parent == nullptr) context.trace_id = random_trace_id();
  context.span_id = random_span_id();
  context.origin = ContextOrigin::kLocal;
  context.flags = 0;
  if (sample(config_->sampler, parent, context.trace_id) == Decision::kDrop)
    return Span(std::move(context), nullptr);

  context.flags = kSampledFlag;
  auto data = new_data(ring_, scope_, config_->limits, name);
  if (!data) return Span(std::move(context), nullptr);
  data->head.context = context;
  data->head.kind = options.kind;
  data->head.parent_origin = ContextOrigin::kLocal;  // a root's: it has no remote parent
  if (parent != nullptr) {
    data->head.parent_span_id = parent->span_id;
    data->head.parent_origin = parent->origin;
  }
  data->head.start_time_unix_nano = options.start_time_unix_nano;
  if (options.start_time_unix_nano == 0) {
    data->head.start_time_unix_nano = unix_time_ns();
    data->start_monotonic_ns = monotonic_time_ns();
  }
  for (const Attribute& attribute : options.attributes) data->set_attribute(attribute);
  for (const SpanLink& link : options.links) data->add_link(link);
  return Span(std::move(context), data.release());
}

bool Tracer::emit(const SpanRecord& record) const noexcept {
  if (config_->disabled) return false;
  const std::size_t size = encoded_size(record, config_->limits);
  Slot slot =
      ring_.writer().try_reserve_in_frame(__builtin_frame_address(0), RecordKind::kSpan, size, scope_);
  if (!slot) return false;
  [[maybe_unused]] const std::byte* const end = encode(slot.payload().data(), record, config_->limits);
  assert(end == slot.payload().data() + size);
  return std::move(slot).commit();
}

TraceId Tracer::new_trace_id() const noexcept { return random_trace_id(); }
SpanId Tracer::new_span_id() const noexcept { return random_span_id(); }

}  // namespace shmring
