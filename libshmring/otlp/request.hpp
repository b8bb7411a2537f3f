// SPDX-License-Identifier: Apache-2.0
// Splices payloads into an export request: headers around bytes that are copied as they are.
//
// The three signals' requests have the same shape and the same numbers, so one builder serves all:
//
//   request { resource_x = 1 { resource = 1, scope_x = 2 { scope = 1, record = 2 ..., schema_url = 3 } ..., schema_url = 3 } ... }
//
// The size of the request is known at any time, and before each record, so that a batch can be limited in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libshmring/otlp/context.hpp"
#include "libshmring/otlp/wire.hpp"

namespace shmring::otlp {

// Copies what it is given; the caller's bytes need not outlive a call. Memory is kept from one request to the next.
// Does not validate: bytes that are not what they should be make a request that is not what it should be.
class RequestBuilder {
 public:
  // A resource and scope of this request. Valid until finish() or clear().
  enum class Group : std::uint32_t {};

  // Finds or adds the group; one that gets no record takes no part in the request. A block's records share a resource
  // and mostly a scope, so a caller asks once and keeps the answer. Empty bytes mean: leave the field out.
  Group group(Bytes resource, Bytes scope, std::string_view scope_schema_url = {},
              std::string_view resource_schema_url = {});
  Group group(const Context& resource, const Context& scope) {
    return group(resource.message, scope.message, scope.schema_url, resource.schema_url);
  }

  // What encoded_size() would be after add(group, payload) with a payload of that many bytes.
  std::size_t size_with(Group group, std::size_t payload_bytes) const noexcept;

  // Whether size_with() would be at most `limit`: a sum, while the limit is not near.
  bool has_room_for(Group group, std::size_t payload_bytes, std::size_t limit) const noexcept;

  void add(Group group, Bytes payload);

  std::size_t encoded_size() const noexcept { return encoded_size_; }
  std::size_t record_count() const noexcept { return record_count_; }
  bool is_empty() const noexcept { return record_count_ == 0; }

  // Appends the request, encoded_size() bytes, and starts anew. Groups come in the order of their first group() call,
  // records of a group in the order of their add().
  void finish(std::string& out);

  void clear() noexcept;

 private:
  static constexpr std::uint32_t kNoRun = 0xffffffff;

  // Records of one group that lie side by side in payloads_, framed already.
  struct Run {
    std::size_t begin;
    std::size_t end;
    std::uint32_t next;
  };

  struct Resource {
    std::string head;      // field 1, encoded
    std::string tail;      // field 3, encoded
    std::size_t body = 0;  // bytes of the resource_x message; 0 while no scope of it has a record
    std::vector<std::uint32_t> scopes;
  };

  struct Scope {
    std::uint32_t resource;
    std::string head;
    std::string tail;
    std::size_t body = 0;
    std::uint32_t first_run = kNoRun;
    std::uint32_t last_run = kNoRun;
  };

  // The sizes on the way from a record up to the request.
  struct Sizes {
    std::size_t scope_body;
    std::size_t resource_body;
    std::size_t request;
  };

  Sizes sizes_with(const Scope& scope, std::size_t payload_bytes) const noexcept;
  std::uint32_t find_or_add_resource(Bytes resource, std::string_view schema_url);
  void write_scope(const Scope& scope, std::string& out) const;

  std::vector<Resource> resources_;
  std::vector<Scope> scopes_;
  std::unordered_map<std::string, std::uint32_t> resource_index_;  // by encoded content
  std::unordered_map<std::string, std::uint32_t> scope_index_;     // by resource number and encoded content
  std::string key_;                                                // scratch
  std::uint32_t last_resource_ = 0;  // that was asked for: most likely it is asked for again
  std::uint32_t last_scope_ = 0;     // likewise; past the last one: there is none
  std::vector<Run> runs_;
  std::string payloads_;
  std::size_t encoded_size_ = 0;
  std::size_t record_count_ = 0;
};

}  // namespace shmring::otlp
