// SPDX-License-Identifier: Apache-2.0
// Attributes from a command line, kept where a record can refer to them.
#include "tools/attribute_store.hpp"

#include <nlohmann/json.hpp>

#include "shmring/limits.hpp"
#include "tools/text.hpp"

namespace shmring::tools {

std::optional<std::string> AttributeStore::add(std::string_view text) {
  const std::size_t equals = text.find('=');
  const bool typed = equals != std::string_view::npos && equals > 0 && text[equals - 1] == ':';
  const std::string_view key = text.substr(0, equals - (typed ? 1 : 0));
  if (equals == std::string_view::npos || key.empty()) {
    return "\"" + escaped(text) +
           "\" is no attribute; write key=text, or key:=JSON for numbers, true, false, [..] and {..}";
  }
  const std::string_view value = text.substr(equals + 1);
  if (!typed) {
    add(keep(std::string(key)), keep(std::string(value)));
    return std::nullopt;
  }
  const nlohmann::json json = nlohmann::json::parse(value, nullptr, false);
  if (json.is_discarded()) {
    return "\"" + escaped(value) + "\" is no JSON; for text write " + escaped(key) + "=" + escaped(value);
  }
  add(keep(std::string(key)), keep(json, 1));
  return std::nullopt;
}

std::string_view AttributeStore::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

AttributeValue AttributeStore::keep(const nlohmann::json& value, unsigned depth) {
  using Type = nlohmann::json::value_t;
  if (depth > kMaxValueNesting) return {};
  switch (value.type()) {
    case Type::string:
      return keep(value.get<std::string>());
    case Type::boolean:
      return value.get<bool>();
    case Type::number_integer:
      return value.get<std::int64_t>();
    case Type::number_unsigned:
      return value.get<std::uint64_t>();
    case Type::number_float:
      return value.get<double>();
    case Type::array: {
      std::vector<AttributeValue> elements;
      for (const auto& each : value) elements.push_back(keep(each, depth + 1));
      return arrays_.emplace_back(std::move(elements));
    }
    case Type::object: {
      std::vector<Attribute> entries;
      for (const auto& [key, each] : value.items())
        entries.push_back({keep(std::string(key)), keep(each, depth + 1)});
      return maps_.emplace_back(std::move(entries));
    }
    default:
      return {};
  }
}

}  // namespace shmring::tools
