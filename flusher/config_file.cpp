// SPDX-License-Identifier: Apache-2.0
// The configuration file: KEY = VALUE, a line each.

#include "flusher/config_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace shmring::flusher {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string_view unquoted(std::string_view text) {
  const bool is_quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back();
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

Result<std::vector<ConfigLine>> parse_config_text(std::string_view text, const std::string& file_name) {
  std::vector<ConfigLine> lines;
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    const std::string_view key = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || key.empty()) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("{}:{}: no KEY = VALUE", file_name, number)};
    }
    lines.push_back({std::string(key), std::string(unquoted(trimmed(line.substr(equals + 1)))), number});
  }
  return lines;
}

Result<std::vector<ConfigLine>> read_config_file(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("cannot read configuration file {}: {}", path.string(), std::strerror(errno))};
  }
  return parse_config_text(text, path.string());
}

}  // namespace shmring::flusher
