// SPDX-License-Identifier: Apache-2.0
// Reads OTLP JSON as another program wrote it, by libprotobuf: not by anything of ours.
#pragma once

#include <google/protobuf/util/json_util.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/scratch_ring.hpp"

namespace shmring::interop {

/// OTLP has ids in hexadecimal where libprotobuf's JSON has base64. No other member of OTLP JSON has these names.
void recode_ids(nlohmann::json& value);

/// The export requests of a file, one a line. Aborts at anything that is no such request, an unknown field included.
template <typename Request>
std::vector<Request> read_lines(const std::filesystem::path& path) {
  std::vector<Request> requests;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    nlohmann::json value = nlohmann::json::parse(line);
    recode_ids(value);
    const auto done = google::protobuf::util::JsonStringToMessage(value.dump(), &requests.emplace_back());
    if (!done.ok()) testing::give_up(path.string() + ": " + done.ToString() + " in " + line);
  }
  return requests;
}

}  // namespace shmring::interop
