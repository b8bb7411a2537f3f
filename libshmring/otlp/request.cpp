// SPDX-License-Identifier: Apache-2.0
// The request builder: sizes are kept up to date on the way up, bytes are written once, at the end.
#include "libshmring/otlp/request.hpp"

#include <cassert>

namespace shmring::otlp {
namespace {

// The numbers that all three signals share.
constexpr char kResourceXTag = length_tag(1);  // in the request
constexpr char kHeadTag = length_tag(1);       // resource in resource_x, scope in scope_x
constexpr char kScopeXTag = length_tag(2);     // in resource_x
constexpr char kRecordTag = length_tag(2);     // in scope_x
constexpr char kSchemaUrlTag = length_tag(3);  // in both

std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void append_frame(char tag, std::string_view content, std::string& out) {
  char head[1 + 10];
  std::size_t size = 0;
  head[size++] = tag;
  std::size_t length = content.size();
  for (; length >= 0x80; length >>= 7) head[size++] = static_cast<char>(length | 0x80);
  head[size++] = static_cast<char>(length);
  out.append(head, size);
  out.append(content);
}

std::string field_unless_empty(char tag, std::string_view content) {
  std::string field;
  if (!content.empty()) {
    field.reserve(framed_size(content.size()));
    append_frame(tag, content, field);
  }
  return field;
}

// Whether that is what the field holds.
bool is_field_of(std::string_view field, std::string_view content) noexcept {
  return content.empty() ? field.empty()
                         : field.size() == framed_size(content.size()) && field.ends_with(content);
}

// A message without any content is not written at all while it has no record.
std::size_t framed_or_nothing(std::size_t body) noexcept { return body == 0 ? 0 : framed_size(body); }

}  // namespace

RequestBuilder::Group RequestBuilder::group(Bytes resource, Bytes scope, std::string_view scope_schema_url,
                                            std::string_view resource_schema_url) {
  const std::uint32_t resource_number = find_or_add_resource(resource, resource_schema_url);
  if (last_scope_ < scopes_.size()) {
    const Scope& last = scopes_[last_scope_];
    if (last.resource == resource_number && is_field_of(last.head, as_text(scope)) &&
        is_field_of(last.tail, scope_schema_url))
      return static_cast<Group>(last_scope_);
  }
  key_.assign(reinterpret_cast<const char*>(&resource_number), sizeof resource_number);
  append_frame(kHeadTag, as_text(scope), key_);
  key_ += scope_schema_url;
  const auto number = static_cast<std::uint32_t>(scopes_.size());
  const auto [entry, is_new] = scope_index_.try_emplace(key_, number);
  if (is_new) {
    Scope& added = scopes_.emplace_back();
    added.resource = resource_number;
    added.head = field_unless_empty(kHeadTag, as_text(scope));
    added.tail = field_unless_empty(kSchemaUrlTag, scope_schema_url);
    resources_[resource_number].scopes.push_back(number);
  }
  last_scope_ = entry->second;
  return static_cast<Group>(last_scope_);
}

std::uint32_t RequestBuilder::find_or_add_resource(Bytes resource, std::string_view schema_url) {
  if (last_resource_ < resources_.size()) {
    const Resource& last = resources_[last_resource_];
    if (is_field_of(last.head, as_text(resource)) && is_field_of(last.tail, schema_url))
      return last_resource_;
  }
  key_.clear();
  append_frame(kHeadTag, as_text(resource), key_);
  key_ += schema_url;
  const auto number = static_cast<std::uint32_t>(resources_.size());
  const auto [entry, is_new] = resource_index_.try_emplace(key_, number);
  if (is_new) {
    Resource& added = resources_.emplace_back();
    added.head = field_unless_empty(kHeadTag, as_text(resource));
    added.tail = field_unless_empty(kSchemaUrlTag, schema_url);
  }
  return last_resource_ = entry->second;
}

RequestBuilder::Sizes RequestBuilder::sizes_with(const Scope& scope,
                                                 std::size_t payload_bytes) const noexcept {
  const Resource& resource = resources_[scope.resource];
  const std::size_t old_scope_body = scope.body;
  const std::size_t old_resource_body = resource.body;

  Sizes sizes{};
  sizes.scope_body = old_scope_body == 0 ? scope.head.size() + scope.tail.size() : old_scope_body;
  sizes.scope_body += framed_size(payload_bytes);
  sizes.resource_body =
      old_resource_body == 0 ? resource.head.size() + resource.tail.size() : old_resource_body;
  sizes.resource_body += framed_size(sizes.scope_body) - framed_or_nothing(old_scope_body);
  sizes.request = encoded_size_ + framed_size(sizes.resource_body) - framed_or_nothing(old_resource_body);
  return sizes;
}

std::size_t RequestBuilder::size_with(Group group, std::size_t payload_bytes) const noexcept {
  return sizes_with(scopes_[static_cast<std::size_t>(group)], payload_bytes).request;
}

bool RequestBuilder::has_room_for(Group group, std::size_t payload_bytes, std::size_t limit) const noexcept {
  constexpr std::size_t kMostFraming =
      3 * framed_size(0) + 3 * 10;  // record, scope, resource: longer lengths
  const Scope& scope = scopes_[static_cast<std::size_t>(group)];
  const Resource& resource = resources_[scope.resource];
  const std::size_t heads =
      scope.head.size() + scope.tail.size() + resource.head.size() + resource.tail.size();
  return encoded_size_ + payload_bytes + heads + kMostFraming <= limit ||
         size_with(group, payload_bytes) <= limit;
}

void RequestBuilder::add(Group group, Bytes payload) {
  Scope& scope = scopes_[static_cast<std::size_t>(group)];
  const Sizes sizes = sizes_with(scope, payload.size());

  const std::size_t begin = payloads_.size();
  const bool goes_on = scope.last_run != kNoRun && runs_[scope.last_run].end == begin;
  if (!goes_on) {
    const auto number = static_cast<std::uint32_t>(runs_.size());
    runs_.push_back({begin, begin, kNoRun});
    (scope.last_run == kNoRun ? scope.first_run : runs_[scope.last_run].next) = number;
    scope.last_run = number;
  }
  append_frame(kRecordTag, as_text(payload), payloads_);
  runs_[scope.last_run].end = payloads_.size();

  scope.body = sizes.scope_body;
  resources_[scope.resource].body = sizes.resource_body;
  encoded_size_ = sizes.request;
  ++record_count_;
}

void RequestBuilder::finish(std::string& out) {
  const std::size_t begin = out.size();
  out.reserve(begin + encoded_size_);
  for (const Resource& resource : resources_) {
    if (resource.body == 0) continue;
    out += kResourceXTag;
    append_varint(resource.body, out);
    out += resource.head;
    for (const std::uint32_t number : resource.scopes) write_scope(scopes_[number], out);
    out += resource.tail;
  }
  assert(out.size() - begin == encoded_size_);
  clear();
}

void RequestBuilder::write_scope(const Scope& scope, std::string& out) const {
  if (scope.body == 0) return;
  out += kScopeXTag;
  append_varint(scope.body, out);
  out += scope.head;
  for (std::uint32_t run = scope.first_run; run != kNoRun; run = runs_[run].next) {
    out.append(payloads_, runs_[run].begin, runs_[run].end - runs_[run].begin);
  }
  out += scope.tail;
}

void RequestBuilder::clear() noexcept {
  resources_.clear();
  scopes_.clear();
  resource_index_.clear();
  scope_index_.clear();
  runs_.clear();
  payloads_.clear();
  encoded_size_ = 0;
  record_count_ = 0;
}

}  // namespace shmring::otlp
