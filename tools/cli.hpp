// SPDX-License-Identifier: Apache-2.0
// What all verbs share: exit codes, the ring argument, options with units, how errors are said.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shmring/result.hpp"
#include "shmring/signal.hpp"

namespace shmring::tools {

inline constexpr int kFine = 0;
inline constexpr int kBadNews = 1;     // damage, accounting open, something dropped
inline constexpr int kUsage = 2;       // the command line
inline constexpr int kCannotOpen = 3;  // no ring, or not one that can be opened

/// What a verb does once the command line is understood; gives the exit code.
using Run = std::function<int()>;

enum class Output { kText, kJson };
enum class Format { kPretty, kJson };

/// The positional PATH; left out it is the default ring.
struct RingArgument {
  std::string given;
  std::filesystem::path path() const;
};

void add_ring(CLI::App& verb, RingArgument& ring);
/// An option with a few words to choose from.
template <typename T>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, T& value, const std::string& help,
                        const std::vector<std::pair<std::string, T>>& choices) {
  std::string words;
  for (const auto& choice : choices) words += (words.empty() ? "" : "|") + choice.first;
  return verb
      .add_option_function<std::string>(
          name,
          [&value, name, choices, words](const std::string& text) {
            for (const auto& [word, choice] : choices) {
              if (word != text) continue;
              value = choice;
              return;
            }
            throw CLI::ValidationError(name, "takes " + words);
          },
          help)
      ->type_name(words);
}

void add_output(CLI::App& verb, Output& output);
void add_format(CLI::App& verb, Format& format);

/// Options that take "32MiB", "200ms", "90%".
CLI::Option* add_size(CLI::App& verb, const std::string& name, std::uint64_t& bytes, const std::string& help);
CLI::Option* add_duration(CLI::App& verb, const std::string& name, std::chrono::microseconds& duration,
                          const std::string& help);
CLI::Option* add_percent(CLI::App& verb, const std::string& name, double& percent, const std::string& help);
CLI::Option* add_signal(CLI::App& verb, std::function<void(Signal)> take);
/// A severity by name or number: "warn", "INFO2", "13".
CLI::Option* add_severity(CLI::App& verb, const std::string& name, std::uint32_t& number,
                          const std::string& help);

/// 1 to 24; 0: no such severity. "info" is 9, "info2" 10 (OpenTelemetry, logs data model, SeverityNumber).
std::uint32_t parse_severity(std::string_view text);
/// "INFO", "INFO2"; "" for 0; "SEVERITY99" for what the standard does not name.
std::string severity_name(std::uint32_t number);

/// "shmring VERB: message" on standard error.
void complain(std::string_view verb, std::string_view message);
/// The same for a ring that does not open; gives kCannotOpen.
int cannot_open(std::string_view verb, const Error& error);

/// To standard output, at once.
void print(std::string_view text);

}  // namespace shmring::tools
