// SPDX-License-Identifier: Apache-2.0
// The records of a slice as text.
#include "tools/slice_text.hpp"

#include "libshmring/otlp/json.hpp"
#include "libshmring/otlp/request.hpp"
#include "tools/pretty.hpp"

namespace shmring::tools {
namespace {

std::string as_json_line(CheckedRecords& records, Signal signal) {
  otlp::RequestBuilder builder;
  while (const auto record = records.next()) {
    builder.add(builder.group(record->resource, record->scope), record->payload);
  }
  if (builder.is_empty()) return {};
  std::string request;
  builder.finish(request);
  std::string line;
  otlp::append_request_json(signal, std::as_bytes(std::span(request)), line);
  return line + "\n";
}

std::string as_pretty_lines(CheckedRecords& records) {
  std::string lines;
  while (const auto record = records.next()) {
    if (const auto decoded = decode(*record)) lines += pretty(*decoded);
  }
  return lines;
}

}  // namespace

std::string slice_text(CheckedRecords& records, Signal signal, Format format) {
  return format == Format::kJson ? as_json_line(records, signal) : as_pretty_lines(records);
}

}  // namespace shmring::tools
