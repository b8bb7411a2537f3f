// SPDX-License-Identifier: Apache-2.0
// shmring create: makes a ring, and says what it made.
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "libshmring/ring_file.hpp"
#include "shmring/ring.hpp"
#include "tools/text.hpp"
#include "tools/units.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "create";

struct CreateArguments {
  RingArgument ring;
  Output output = Output::kText;
  std::uint64_t block_bytes = CreateOptions{}.block_bytes;
  std::uint64_t max_record_bytes = CreateOptions{}.max_record_bytes;
  CreateOptions options;
};

std::uint32_t parse_mode(const std::string& text) {
  std::uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc{} || end != text.data() + text.size() || mode > 0777) {
    throw CLI::ValidationError("--mode", "write it in octal digits, 0600 or, with --group, 0660");
  }
  return mode;
}

const char* name_of(FullPolicy policy) {
  switch (policy) {
    case FullPolicy::kDropNewest:
      return "drop-newest";
    case FullPolicy::kBlock:
      return "block";
    case FullPolicy::kDropOldest:
      return "drop-oldest";
  }
  return "unknown";
}

void report(const RingFile& ring, const CreateArguments& arguments) {
  const Geometry& geometry = ring.geometry();
  const CreateOptions& options = arguments.options;
  if (arguments.output == Output::kJson) {
    const nlohmann::ordered_json json{{"path", ring.path().string()},
                                      {"file_bytes", geometry.file_bytes},
                                      {"capacity_bytes", geometry.capacity_bytes()},
                                      {"block_bytes", geometry.block_bytes},
                                      {"blocks", geometry.block_count},
                                      {"writers", geometry.writer_count},
                                      {"on_full", name_of(options.on_full)},
                                      {"block_timeout_us", options.block_timeout.count()}};
    print(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return;
  }
  std::string full = name_of(options.on_full);
  if (options.on_full == FullPolicy::kBlock) full += ", at most " + format_duration(options.block_timeout);
  Table table({Align::kLeft, Align::kLeft});
  table.add({"ring", escaped(ring.path().string())});
  table.add({"size", fmt::format("{} in {} blocks of {}; the file takes {}",
                                 format_size(geometry.capacity_bytes()), format_count(geometry.block_count),
                                 format_size(geometry.block_bytes), format_size(geometry.file_bytes))});
  table.add({"writers", fmt::format("{} threads at a time", format_count(geometry.writer_count))});
  table.add({"full", full});
  print(table.str());
}

int create(CreateArguments& arguments) {
  CreateOptions& options = arguments.options;
  if (arguments.block_bytes > std::numeric_limits<std::uint32_t>::max()) {
    complain(kVerb, "--block-size is a power of two from 4KiB to 1MiB");
    return kUsage;
  }
  if (arguments.max_record_bytes > kLargestMaxRecordBytes) {
    complain(kVerb, "--max-record is at most " + format_size(kLargestMaxRecordBytes));
    return kUsage;
  }
  options.block_bytes = static_cast<std::uint32_t>(arguments.block_bytes);
  options.max_record_bytes = static_cast<std::uint32_t>(arguments.max_record_bytes);
  options.path = arguments.ring.given;  // empty: the library makes the default folder too
  if (const auto created = Ring::create(options); !created) {
    complain(kVerb, created.error().message);
    return created.error().code == ErrorCode::kInvalidArgument ? kUsage : kCannotOpen;
  }
  const auto ring = RingFile::attach(arguments.ring.path(), Access::kReadOnly);
  if (!ring) return cannot_open(kVerb, ring.error());
  report(*ring, arguments);
  return kFine;
}

}  // namespace

void add_create(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<CreateArguments>();
  CreateOptions& options = arguments->options;
  CLI::App* verb = app.add_subcommand(kVerb, "Make a ring");
  add_ring(*verb, arguments->ring);
  add_size(*verb, "--size", options.capacity_bytes,
           "bytes of all blocks together, allocated at once (32MiB)");
  add_size(*verb, "--block-size", arguments->block_bytes,
           "a power of two from 4KiB to 1MiB; a larger record takes neighbouring blocks (16KiB)");
  add_size(*verb, "--max-record", arguments->max_record_bytes,
           "the largest encoded record, up to 1536KiB and half of the ring (1MiB)");
  verb->add_option("--writers", options.writers, "threads that can write at the same time, 1 to 65536 (1024)")
      ->type_name("N");
  add_choice<FullPolicy>(
      *verb, "--on-full", options.on_full,
      "what an emit does when no block is free: drop-newest (default) counts and goes on, block waits",
      {{"drop-newest", FullPolicy::kDropNewest},
       {"block", FullPolicy::kBlock},
       {"drop-oldest", FullPolicy::kDropOldest}});
  add_duration(*verb, "--block-timeout", options.block_timeout,
               "with block: an emit waits at most this long (10ms)");
  verb->add_option_function<std::string>(
          "--mode", [&options](const std::string& text) { options.mode = parse_mode(text); },
          "of the file (0600); 0660 only together with --group")
      ->type_name("OCTAL");
  verb->add_option("--group", options.group, "group of the file: that of a flusher with another uid")
      ->type_name("GROUP");
  add_output(*verb, arguments->output);
  verb->callback([arguments, &run] { run = [arguments] { return create(*arguments); }; });
}

}  // namespace shmring::tools
