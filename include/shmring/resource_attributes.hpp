// SPDX-License-Identifier: Apache-2.0
// Attributes of a resource. Unlike those of a record they are kept: options are filled in long before a ring is opened.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "shmring/attribute.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

/// Keys and values of any kind: {{"service.namespace", "shop"}, {"host.cores", 4}, {"zones", Values{"a", "b"}}}. Holds copies, so nothing
/// that it was made of has to live on. Of two attributes with the same key the later wins.
class ResourceAttributes {
 public:
  /// By key: the encoded field `attributes` of an OTLP Resource.
  using Fields = std::map<std::string, std::string, std::less<>>;

  ResourceAttributes() = default;
  ResourceAttributes(std::initializer_list<Attribute> list) : ResourceAttributes(Attributes(list)) {}
  ResourceAttributes(const Attributes& list);

  void set(std::string_view key, const AttributeValue& value);
  /// Takes over all of `others`.
  void set(const ResourceAttributes& others);
  void remove(std::string_view key);
  bool contains(std::string_view key) const { return fields_.contains(key); }

  const Fields& fields() const noexcept { return fields_; }

 private:
  Fields fields_;
};

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
