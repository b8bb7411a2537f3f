// SPDX-License-Identifier: Apache-2.0
// shmring emit: writes one log record, or one for each line of standard input.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/attribute_store.hpp"
#include "tools/line_source.hpp"
#include "tools/line_splitter.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "emit";

struct EmitArguments {
  RingArgument ring;
  std::optional<std::string> body;
  std::uint32_t severity = static_cast<std::uint32_t>(Severity::kInfo);
  std::vector<std::string> attributes;
  std::string scope = "shmring.emit";
  std::string event_name;
  std::string service;
};

/// Every line of standard input, until its end.
bool emit_lines(const Ring& ring, CountingLogger& logger, LogRecord record) {
  LineSplitter lines(max_line_bytes(ring, record.attributes), [&](std::string_view line) {
    record.body = line;
    logger.emit(record);
  });
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t bytes = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (bytes > 0) {
      lines.feed({buffer.data(), static_cast<std::size_t>(bytes)});
    } else if (bytes == 0) {
      lines.finish();
      return true;
    } else if (errno != EINTR) {
      lines.finish();
      complain(kVerb, std::string("cannot read standard input: ") + std::strerror(errno));
      return false;
    }
  }
}

int emit(const EmitArguments& arguments) {
  AttributeStore attributes;
  for (const std::string& each : arguments.attributes) {
    const auto wrong = attributes.add(each);
    if (!wrong) continue;
    complain(kVerb, *wrong);
    return kUsage;
  }
  const auto ring = open_to_write(arguments.ring, arguments.service);
  if (!ring) return cannot_open(kVerb, ring.error());
  report_drops_as(kVerb);
  CountingLogger logger(ring->logger(arguments.scope));
  LogRecord record;
  record.severity = static_cast<Severity>(arguments.severity);
  record.attributes = attributes.attributes();
  record.event_name = arguments.event_name;

  bool read = true;
  if (arguments.body) {
    record.body = *arguments.body;
    logger.emit(record);
  } else {
    read = emit_lines(*ring, logger, record);
  }
  logger.complain_about_rest(kVerb, "records");
  return read && logger.dropped() == 0 ? kFine : kBadNews;
}

}  // namespace

void add_emit(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<EmitArguments>();
  CLI::App* verb =
      app.add_subcommand(kVerb, "Write a log record, or without --body one for each line of standard input");
  add_ring(*verb, arguments->ring);
  verb->add_option("--body", arguments->body, "what the record says")->type_name("TEXT");
  add_severity(*verb, "--severity", arguments->severity,
               "trace, debug, info (default), warn, error, fatal, or 1 to 24");
  verb->add_option("--attr", arguments->attributes, "key=text, or key:=JSON for other types; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--scope", arguments->scope, "name of the instrumentation scope (shmring.emit)")
      ->type_name("NAME");
  verb->add_option("--event-name", arguments->event_name, "makes the record an event of this name")
      ->type_name("NAME");
  verb->add_option("--service", arguments->service, "service.name (default: as OTEL_SERVICE_NAME says)")
      ->type_name("NAME");
  verb->callback([arguments, &run] { run = [arguments] { return emit(*arguments); }; });
}

}  // namespace shmring::tools
