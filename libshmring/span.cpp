// SPDX-License-Identifier: Apache-2.0
// Span: the handle that a program holds.

#include "shmring/span.hpp"

#include <new>
#include <stdexcept>

#include "libshmring/span_data.hpp"
#include "shmring/clock.hpp"

namespace shmring {
namespace {

/// Keeps the old text when memory runs out: noexcept callers have nothing better.
void assign(Text& to, std::string_view text) noexcept {
  try {
    to.assign(text.begin(), text.end());
  } catch (const std::exception&) {  // bad_alloc, length_error
  }
}

}  // namespace

void Span::Release::operator()(SpanData* data) const noexcept { delete data; }

Span::Span() noexcept = default;
Span::Span(SpanContext&& context, SpanData* data) noexcept : data_(data), storage_(data) {
  // Field by field, as they have just been written: the processor would wait for a load that takes from two stores.
  context_.trace_id = context.trace_id;
  context_.span_id = context.span_id;
  context_.flags = context.flags;
  context_.origin = context.origin;
  if (!context.trace_state.empty()) context_.trace_state = std::move(context.trace_state);
}
Span::Span(Span&& other) noexcept
    : context_(std::exchange(other.context_, {})),
      data_(std::exchange(other.data_, nullptr)),
      storage_(std::move(other.storage_)) {}
Span& Span::operator=(Span&& other) noexcept {
  if (this != &other) {
    end();
    context_ = std::exchange(other.context_, {});
    data_ = std::exchange(other.data_, nullptr);
    storage_ = std::move(other.storage_);
  }
  return *this;
}
Span::~Span() { end(); }

void Span::set_attribute(std::string_view key, AttributeValue value) noexcept {
  if (is_recording()) data_->set_attribute({key, value});
}

void Span::set_attributes(Attributes attributes) noexcept {
  if (!is_recording()) return;
  for (const Attribute& attribute : attributes) data_->set_attribute(attribute);
}

void Span::add_event(std::string_view name, Attributes attributes, std::uint64_t time_unix_nano) noexcept {
  if (!is_recording()) return;
  const std::uint64_t time = time_unix_nano != 0 ? time_unix_nano : unix_time_ns();
  data_->add_event({.name = name, .time_unix_nano = time, .attributes = attributes});
}

void Span::add_link(const SpanContext& context, Attributes attributes) noexcept {
  if (!is_recording()) return;
  data_->add_link({.context = context,
                   .trace_state = context.trace_state,
                   .origin = context.origin,
                   .attributes = attributes});
}

void Span::set_status(StatusCode code, std::string_view message) noexcept {
  if (!is_recording() || code == StatusCode::kUnset || data_->status == StatusCode::kOk) return;
  data_->status = code;
  assign(data_->status_message, code == StatusCode::kError ? message : std::string_view{});
}

void Span::update_name(std::string_view name) noexcept {
  if (is_recording()) assign(data_->name, name);
}

bool Span::end(std::uint64_t end_time_unix_nano) noexcept {
  SpanData* const data = std::exchange(data_, nullptr);
  return data != nullptr && data->commit(context_, end_time_unix_nano);
}

}  // namespace shmring
