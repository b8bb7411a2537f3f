// SPDX-License-Identifier: Apache-2.0
// shmring dump: all records that the ring holds at this moment. It takes none of them away.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "libshmring/otlp/json.hpp"
#include "libshmring/otlp/request.hpp"
#include "libshmring/ring_file.hpp"
#include "libshmring/snapshot.hpp"
#include "tools/pretty.hpp"
#include "tools/record.hpp"
#include "tools/units.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "dump";

struct DumpArguments {
  RingArgument ring;
  Format format = Format::kJson;
  std::optional<Signal> signal;
};

/// One export request with all records of the slice, as a line of an OTLP JSON file; nothing when there is none.
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

int dump(const DumpArguments& arguments) {
  const auto ring = RingFile::attach(arguments.ring.path(), Access::kReadOnly);
  if (!ring) return cannot_open(kVerb, ring.error());
  std::uint64_t unreadable = 0;
  peek_all(*ring, [&](Slice&& slice) {
    if (arguments.signal && slice.key.signal != *arguments.signal) return;
    CheckedRecords records(slice);
    print(arguments.format == Format::kJson ? as_json_line(records, slice.key.signal)
                                            : as_pretty_lines(records));
    unreadable += records.unreadable();
  });
  if (unreadable == 0) return kFine;
  complain(kVerb, fmt::format("{} records are no valid OTLP and are not shown", format_count(unreadable)));
  return kBadNews;
}

}  // namespace

void add_dump(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<DumpArguments>();
  CLI::App* verb = app.add_subcommand(kVerb, "All records that the ring holds; takes none away");
  add_ring(*verb, arguments->ring);
  add_format(*verb, arguments->format);
  add_signal(*verb, [arguments](Signal signal) { arguments->signal = signal; });
  verb->callback([arguments, &run] { run = [arguments] { return dump(*arguments); }; });
}

}  // namespace shmring::tools
