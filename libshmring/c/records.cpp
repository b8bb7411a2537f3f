// SPDX-License-Identifier: Apache-2.0
// The C interface: log records and spans.
#include <algorithm>
#include <cstring>

#include "libshmring/c/handles.hpp"
#include "libshmring/c/scopes.hpp"
#include "libshmring/c/values.hpp"
#include "libshmring/ring_core.hpp"

namespace shmring::c {
namespace {

constexpr const char* kNoHandle = "a handle, or the place for one, is null";
constexpr const char* kUnknownSize = "its size is not set, or it says what this library does not know";

static_assert(static_cast<int>(SpanKind::kConsumer) == SHMRING_SPAN_CONSUMER &&
              static_cast<int>(StatusCode::kError) == SHMRING_STATUS_ERROR &&
              static_cast<int>(ContextOrigin::kRemote) == SHMRING_ORIGIN_REMOTE);

// Numbers of a later interface are what their type begins with: nothing said.
SpanKind kind_of(std::uint32_t kind) noexcept {
  return kind <= SHMRING_SPAN_CONSUMER ? static_cast<SpanKind>(kind) : SpanKind::kUnspecified;
}
StatusCode status_of(std::uint32_t status) noexcept {
  return status <= SHMRING_STATUS_ERROR ? static_cast<StatusCode>(status) : StatusCode::kUnset;
}
Severity severity_of(std::uint32_t number) noexcept {
  return static_cast<Severity>(std::min<std::uint32_t>(number, 255));
}

std::uint64_t process_generation(const RingCore& ring) noexcept {
  // relaxed: the kernel wipes it in a fork; until a child's first record it is zero, and nobody's
  return ring.fork_page().generation.load(std::memory_order_relaxed);
}

}  // namespace
}  // namespace shmring::c

using namespace shmring;     // NOLINT: the functions below are C's
using namespace shmring::c;  // NOLINT

extern "C" {

int shmring_logger_new(const shmring_ring* ring, shmring_text scope_name, shmring_text scope_version,
                       shmring_logger** logger) {
  const shmring_scope_options scope = named_scope(scope_name, scope_version);
  return shmring_logger_new_for(ring, &scope, logger);
}

int shmring_logger_new_for(const shmring_ring* ring, const shmring_scope_options* scope,
                           shmring_logger** logger) {
  if (logger != nullptr) *logger = nullptr;
  if (ring == nullptr || logger == nullptr) return fail(SHMRING_E_INVALID_ARGUMENT, kNoHandle);
  return with_scope(
      scope, [&](const ScopeOptions& options) { *logger = new shmring_logger{ring->ring.logger(options)}; });
}

void shmring_logger_free(shmring_logger* logger) { delete logger; }

int shmring_log_enabled(const shmring_logger* logger, std::uint32_t severity_number) {
  return logger != nullptr && logger->logger.enabled(severity_of(severity_number)) ? 1 : 0;
}

int shmring_log(const shmring_logger* logger, const shmring_log_record* given) {
  shmring_log_record record;
  if (logger == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  if (!read(given, record)) return SHMRING_E_INCOMPATIBLE_VERSION;
  if (!logger->logger.enabled(severity_of(record.severity_number))) return SHMRING_E_NOT_RECORDED;
  return guarded([&] {
    Converter converter;
    return logger->logger.emit(LogRecord{.severity = severity_of(record.severity_number),
                                         .severity_text = text_of(record.severity_text),
                                         .body = converter.value(record.body),
                                         .attributes = converter.attributes(record.attributes),
                                         .event_name = text_of(record.event_name),
                                         .time_unix_nano = record.time_unix_nano,
                                         .observed_time_unix_nano = record.observed_time_unix_nano,
                                         .trace = context_of(record.trace),
                                         .dropped_attributes_count = record.dropped_attributes_count})
               ? SHMRING_OK
               : SHMRING_E_DROPPED;
  });
}

int shmring_tracer_new(const shmring_ring* ring, shmring_text scope_name, shmring_text scope_version,
                       shmring_tracer** tracer) {
  const shmring_scope_options scope = named_scope(scope_name, scope_version);
  return shmring_tracer_new_for(ring, &scope, tracer);
}

int shmring_tracer_new_for(const shmring_ring* ring, const shmring_scope_options* scope,
                           shmring_tracer** tracer) {
  if (tracer != nullptr) *tracer = nullptr;
  if (ring == nullptr || tracer == nullptr) return fail(SHMRING_E_INVALID_ARGUMENT, kNoHandle);
  return with_scope(scope, [&](const ScopeOptions& options) {
    *tracer = new shmring_tracer{ring->ring.tracer(options), ring->ring.core()};
  });
}

void shmring_tracer_free(shmring_tracer* tracer) { delete tracer; }

int shmring_span_emit(const shmring_tracer* tracer, const shmring_span_record* given) {
  shmring_span_record span;
  if (tracer == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  if (!read(given, span)) return SHMRING_E_INCOMPATIBLE_VERSION;
  if (!context_of(span.context.trace).is_valid())
    return SHMRING_E_INVALID_ARGUMENT;  // no reader takes such a span
  if (tracer->ring->config().disabled) return SHMRING_E_NOT_RECORDED;
  return guarded([&] {
    Converter converter;
    SpanId parent;
    std::memcpy(parent.bytes.data(), span.parent_span_id, sizeof(span.parent_span_id));
    return tracer->tracer.emit(SpanRecord{.context = context_of(span.context.trace),
                                          .trace_state = text_of(span.context.trace_state),
                                          .parent_span_id = parent,
                                          .parent_origin = origin_of(span.parent_origin),
                                          .name = text_of(span.name),
                                          .kind = kind_of(span.kind),
                                          .start_time_unix_nano = span.start_time_unix_nano,
                                          .end_time_unix_nano = span.end_time_unix_nano,
                                          .attributes = converter.attributes(span.attributes),
                                          .dropped_attributes_count = span.dropped_attributes_count,
                                          .events = converter.events(span.events, span.event_count),
                                          .dropped_events_count = span.dropped_events_count,
                                          .links = converter.links(span.links, span.link_count),
                                          .dropped_links_count = span.dropped_links_count,
                                          .status = status_of(span.status),
                                          .status_message = text_of(span.status_message)})
               ? SHMRING_OK
               : SHMRING_E_DROPPED;
  });
}

int shmring_span_start(const shmring_tracer* tracer, shmring_text name, const shmring_span_options* given,
                       shmring_span** span) {
  if (span != nullptr) *span = nullptr;
  if (tracer == nullptr || span == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  shmring_span_options options;
  if (!read(given, options) && given != nullptr) return fail(SHMRING_E_INCOMPATIBLE_VERSION, kUnknownSize);
  return guarded([&] {
    Converter converter;
    SpanContext parent;
    if (options.parent != nullptr) parent = context_of(*options.parent);
    Span started = tracer->tracer.start(
        text_of(name), {.kind = options.kind == 0 ? SpanKind::kInternal : kind_of(options.kind),
                        .parent = options.parent == nullptr ? nullptr : &parent,
                        .attributes = converter.attributes(options.attributes),
                        .links = converter.links(options.links, options.link_count),
                        .start_time_unix_nano = options.start_time_unix_nano});
    *span = new shmring_span{std::move(started), tracer->ring, process_generation(*tracer->ring)};
    return int{SHMRING_OK};
  });
}

int shmring_span_is_recording(const shmring_span* span) {
  return span != nullptr && span->span.is_recording() ? 1 : 0;
}

int shmring_span_get_context(const shmring_span* span, shmring_span_context* context) {
  if (span == nullptr || context == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  const SpanContext& from = span->span.context();
  *context = {.trace = c_context(from),
              .trace_state = {from.trace_state.data(), from.trace_state.size()},
              .origin = static_cast<std::uint32_t>(from.origin),
              .reserved = 0};
  return SHMRING_OK;
}

int shmring_span_set_attributes(shmring_span* span, shmring_attributes attributes) {
  if (span == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  return guarded([&] {
    Converter converter;
    span->span.set_attributes(converter.attributes(attributes));
    return int{SHMRING_OK};
  });
}

int shmring_span_add_event(shmring_span* span, const shmring_event* event) {
  if (span == nullptr || event == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  return guarded([&] {
    Converter converter;
    span->span.add_event(text_of(event->name), converter.attributes(event->attributes),
                         event->time_unix_nano);
    return int{SHMRING_OK};
  });
}

int shmring_span_add_link(shmring_span* span, const shmring_link* link) {
  if (span == nullptr || link == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  return guarded([&] {
    Converter converter;
    span->span.add_link(context_of(link->context), converter.attributes(link->attributes));
    return int{SHMRING_OK};
  });
}

int shmring_span_set_status(shmring_span* span, std::uint32_t status, shmring_text message) {
  if (span == nullptr || status > SHMRING_STATUS_ERROR) return SHMRING_E_INVALID_ARGUMENT;
  span->span.set_status(status_of(status), text_of(message));
  return SHMRING_OK;
}

int shmring_span_update_name(shmring_span* span, shmring_text name) {
  if (span == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  span->span.update_name(text_of(name));
  return SHMRING_OK;
}

int shmring_span_end(shmring_span* span, std::uint64_t end_time_unix_nano) {
  if (span == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  const bool is_ours =
      span->span.is_recording() && span->process_generation == process_generation(*span->ring);
  const bool committed = span->span.end(end_time_unix_nano);
  delete span;
  if (committed) return SHMRING_OK;
  return is_ours ? SHMRING_E_DROPPED : SHMRING_E_NOT_RECORDED;
}

int shmring_format_traceparent(const shmring_trace_context* context, char* text) {
  if (context == nullptr || text == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  const auto header = format_traceparent(context_of(*context));
  if (!header) return SHMRING_E_INVALID_ARGUMENT;
  static_assert(kTraceparentSize + 1 == SHMRING_TRACEPARENT_SIZE);
  std::memcpy(text, header->data(), header->size());
  text[kTraceparentSize] = '\0';
  return SHMRING_OK;
}

int shmring_parse_traceparent(shmring_text text, shmring_trace_context* context) {
  if (context == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  *context = {};
  const auto parsed = parse_traceparent(text_of(text));
  if (!parsed) return SHMRING_E_INVALID_ARGUMENT;
  *context = c_context(*parsed);
  return SHMRING_OK;
}

}  // extern "C"
