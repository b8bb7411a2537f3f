// SPDX-License-Identifier: Apache-2.0
// Attributes of a resource, encoded one by one.
#include "shmring/resource_attributes.hpp"

#include <cstdint>
#include <utility>

#include "libshmring/fields.hpp"
#include "shmring/value_encoder.hpp"

namespace shmring {
namespace {

constexpr std::uint32_t kAttributes = 1;  // field number of opentelemetry.proto.resource.v1.Resource

}  // namespace

ResourceAttributes::ResourceAttributes(const Attributes& list) {
  for (const Attribute& each : list) set(each.key, each.value);
}

void ResourceAttributes::set(std::string_view key, const AttributeValue& value) {
  std::string field;
  append_fields(field, [&](auto& sink) { wire::put_attribute(sink, kAttributes, {key, value}, kUnlimited); });
  fields_.insert_or_assign(std::string(key), std::move(field));
}

void ResourceAttributes::set(const ResourceAttributes& others) {
  for (const auto& [key, field] : others.fields_) fields_.insert_or_assign(key, field);
}

void ResourceAttributes::remove(std::string_view key) {
  if (const auto found = fields_.find(key); found != fields_.end()) fields_.erase(found);
}

}  // namespace shmring
