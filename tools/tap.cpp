// SPDX-License-Identifier: Apache-2.0
// shmring tap: shows records as they are written, and takes none away.
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "libshmring/otlp/json.hpp"
#include "libshmring/otlp/request.hpp"
#include "libshmring/ring_file.hpp"
#include "tools/block_watch.hpp"
#include "tools/cut_short.hpp"
#include "tools/descriptor.hpp"
#include "tools/pretty.hpp"
#include "tools/record.hpp"
#include "tools/units.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "tap";
constexpr std::chrono::milliseconds kLookInterval{50};  // well below a flusher's usual 200 ms
constexpr unsigned kLooksPerCheck = 20;                 // once a second: is this still the ring of that name?

struct TapArguments {
  RingArgument ring;
  Format format = Format::kPretty;
  std::optional<Signal> signal;
  std::uint32_t min_severity = 0;
  std::optional<std::int64_t> pid;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
};

struct Line {
  std::uint64_t time = 0;
  std::string text;
};

bool wanted(const TapArguments& arguments, const DecodedRecord& record) {
  // A severity is a property of logs: who asks for one asks for logs.
  if (arguments.min_severity > 0 && record.severity() < arguments.min_severity) return false;
  return !arguments.pid || record.pid() == arguments.pid;
}

/// An export request of its own, so that each line stands alone.
std::string as_json_line(const CheckedRecord& record) {
  otlp::RequestBuilder builder;
  builder.add(builder.group(record.resource, record.scope), record.payload);
  std::string request;
  builder.finish(request);
  std::string line;
  otlp::append_request_json(record.signal, std::as_bytes(std::span(request)), line);
  return line + "\n";
}

void add_lines(const TapArguments& arguments, const Slice& slice, std::vector<Line>& lines) {
  if (arguments.signal && slice.key.signal != *arguments.signal) return;
  CheckedRecords records(slice);
  while (const auto record = records.next()) {
    const auto decoded = decode(*record);
    if (!decoded || !wanted(arguments, *decoded)) continue;
    lines.push_back({decoded->time_unix_nano(),
                     arguments.format == Format::kJson ? as_json_line(*record) : pretty(*decoded)});
  }
}

/// Waits for the next look. False: SIGINT or SIGTERM came.
bool wait_for_look(const Descriptor& signals) {
  pollfd asked{.fd = signals.get(), .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, static_cast<int>(kLookInterval.count())) <= 0;
}

Descriptor catch_end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

/// The lines of one look, in the order of their time as far as one look goes. True: the limit is reached.
bool print_lines(std::vector<Line> lines, std::uint64_t& left) {
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.time < b.time; });
  std::string out;
  for (const Line& line : lines) {
    if (left == 0) break;
    --left;
    out += line.text;
  }
  if (!out.empty()) print(out);
  return left == 0;
}

int tap(const TapArguments& arguments) {
  const auto ring = RingFile::attach(arguments.ring.path(), Access::kReadOnly);
  if (!ring) return cannot_open(kVerb, ring.error());
  const PageGuard guard(*ring);
  const Descriptor signals = catch_end_signals();
  BlockWatch watch(*ring);
  std::uint64_t left = arguments.limit;
  std::uint64_t missed = 0;
  for (unsigned looks = 1; left > 0 && std::ferror(stdout) == 0 && wait_for_look(signals); ++looks) {
    std::vector<Line> lines;
    missed += watch.look([&](const Slice& slice) { add_lines(arguments, slice, lines); });
    if (guard.has_lost_pages()) return unless_cut_short(kVerb, *ring, guard, kBadNews);
    if (print_lines(std::move(lines), left) || looks % kLooksPerCheck != 0) continue;
    if (missed > 0)
      complain(kVerb,
               fmt::format("{} records were exported before they could be shown", format_count(missed)));
    missed = 0;
    if (const auto valid = ring->still_valid(); !valid) {
      complain(kVerb, valid.error().message);
      return kBadNews;
    }
  }
  if (missed > 0)
    complain(kVerb, fmt::format("{} records were exported before they could be shown", format_count(missed)));
  return kFine;
}

}  // namespace

void add_tap(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<TapArguments>();
  CLI::App* verb = app.add_subcommand(kVerb, "Show records as they are written; takes none away");
  verb->footer(
      "It looks every 50 ms, and says when records were exported before it saw them. It ends after --limit "
      "records, or "
      "with Ctrl-C.");
  add_ring(*verb, arguments->ring);
  add_format(*verb, arguments->format);
  add_signal(*verb, [arguments](Signal signal) { arguments->signal = signal; });
  add_severity(*verb, "--severity", arguments->min_severity, "only logs of this severity and above");
  verb->add_option("--pid", arguments->pid, "only records of this process")->type_name("PID");
  verb->add_option("--limit", arguments->limit, "end after so many records")->type_name("N");
  verb->callback([arguments, &run] { run = [arguments] { return tap(*arguments); }; });
}

}  // namespace shmring::tools
