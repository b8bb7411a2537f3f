// SPDX-License-Identifier: Apache-2.0
// Attributes from a command line, kept where a record can refer to them.
#pragma once

#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shmring/attribute.hpp"

namespace shmring::tools {

/// Owns what its attributes name.
class AttributeStore {
 public:
  /// "key=text" is a string; "key:=JSON" is whatever the JSON is: a number, true, an array, an object.
  /// Returns what is wrong with it, if anything.
  std::optional<std::string> add(std::string_view text);
  void add(std::string_view key, AttributeValue value) { list_.push_back({key, value}); }

  /// Valid until the next add().
  Attributes attributes() const noexcept { return list_; }

 private:
  std::string_view keep(std::string text);
  AttributeValue keep(const nlohmann::json& value, unsigned depth);

  std::vector<Attribute> list_;
  // Deques: what they hold stays where it is.
  std::deque<std::string> texts_;
  std::deque<std::vector<AttributeValue>> arrays_;
  std::deque<std::vector<Attribute>> maps_;
};

}  // namespace shmring::tools
