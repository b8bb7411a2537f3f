// SPDX-License-Identifier: Apache-2.0
// The configuration file: KEY = VALUE, a line each, with the names of the long options; # begins a comment.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "shmring/result.hpp"

namespace shmring::flusher {

struct ConfigLine {
  std::string key;
  std::string value;  // surrounding quotes removed
  unsigned number = 0;
};

/// Knows no keys: who asked does. The error names file and line.
Result<std::vector<ConfigLine>> parse_config_text(std::string_view text, const std::string& file_name);
Result<std::vector<ConfigLine>> read_config_file(const std::filesystem::path& path);

}  // namespace shmring::flusher
