// SPDX-License-Identifier: Apache-2.0
// What all verbs share: exit codes, the ring argument, options with units, how errors are said.
#include "tools/cli.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <utility>

#include "shmring/ring.hpp"
#include "shmring/severity.hpp"
#include "tools/text.hpp"
#include "tools/units.hpp"

namespace shmring::tools {
namespace {

constexpr std::uint32_t kSeverityMax = 24;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return out;
}

/// An option whose text `parse` understands, or says with `example` what it would.
template <typename T, typename Parse>
CLI::Option* add_parsed(CLI::App& verb, const std::string& name, T& value, const std::string& help,
                        Parse parse, const std::string& example) {
  return verb.add_option_function<std::string>(
      name,
      [&value, name, parse, example](const std::string& text) {
        const auto parsed = parse(text);
        if (!parsed)
          throw CLI::ValidationError(name, "cannot read \"" + escaped(text) + "\"; write it like " + example);
        value = *parsed;
      },
      help);
}

}  // namespace

std::filesystem::path RingArgument::path() const {
  return given.empty() ? default_ring_path() : std::filesystem::path(given);
}

void add_ring(CLI::App& verb, RingArgument& ring) {
  verb.add_option("PATH", ring.given,
                  "the ring; left out: $SHMRING_PATH, else /dev/shm/shmring-<uid>/default.ring")
      ->type_name("");
}

void add_output(CLI::App& verb, Output& output) {
  add_choice<Output>(verb, "--output", output, "text (default), or json for programs",
                     {{"text", Output::kText}, {"json", Output::kJson}});
}

void add_format(CLI::App& verb, Format& format) {
  add_choice<Format>(
      verb, "--format", format,
      std::string("json: an OTLP export request per line; pretty: a record per line, for people (default: ") +
          (format == Format::kJson ? "json)" : "pretty)"),
      {{"json", Format::kJson}, {"pretty", Format::kPretty}});
}

CLI::Option* add_size(CLI::App& verb, const std::string& name, std::uint64_t& bytes,
                      const std::string& help) {
  return add_parsed(verb, name, bytes, help, parse_size, "32MiB, 16k or 1G")->type_name("SIZE");
}

CLI::Option* add_duration(CLI::App& verb, const std::string& name, std::chrono::microseconds& duration,
                          const std::string& help) {
  return add_parsed(verb, name, duration, help, parse_duration, "10ms, 5s or 2m")->type_name("TIME");
}

CLI::Option* add_percent(CLI::App& verb, const std::string& name, double& percent, const std::string& help) {
  return add_parsed(verb, name, percent, help, parse_percent, "90%")->type_name("PERCENT");
}

CLI::Option* add_signal(CLI::App& verb, std::function<void(Signal)> take) {
  return verb
      .add_option_function<std::string>(
          "--signal",
          [take = std::move(take)](const std::string& text) {
            for (const Signal signal : {Signal::kLogs, Signal::kTraces, Signal::kMetrics}) {
              if (text == to_string(signal)) return take(signal);
            }
            throw CLI::ValidationError("--signal",
                                       "there is logs, traces and metrics, and no \"" + escaped(text) + "\"");
          },
          "only logs, traces or metrics")
      ->type_name("SIGNAL");
}

CLI::Option* add_severity(CLI::App& verb, const std::string& name, std::uint32_t& number,
                          const std::string& help) {
  return verb
      .add_option_function<std::string>(
          name,
          [&number, name](const std::string& text) {
            number = parse_severity(text);
            if (number != 0) return;
            throw CLI::ValidationError(
                name, "no severity \"" + escaped(text) +
                          "\"; there are trace, debug, info, warn, error, fatal, each with 2, 3, 4 "
                          "behind it for finer steps, and the numbers 1 to 24");
          },
          help)
      ->type_name("SEVERITY");
}

std::uint32_t parse_severity(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number <= kSeverityMax ? number : 0;
  const std::string name = upper(text);
  for (number = kSeverityMax; number > 0; --number) {
    if (name == to_string(static_cast<Severity>(number))) break;
  }
  return number;
}

std::string severity_name(std::uint32_t number) {
  if (number > kSeverityMax) return fmt::format("SEVERITY{}", number);
  return std::string(to_string(static_cast<Severity>(number)));
}

void complain(std::string_view verb, std::string_view message) {
  const std::string line = fmt::format("shmring {}: {}\n", verb, message);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int cannot_open(std::string_view verb, const Error& error) {
  complain(verb, error.message);
  return kCannotOpen;
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace shmring::tools
