// SPDX-License-Identifier: Apache-2.0
// From command line, environment and configuration file to a Config: a flag beats the environment, which beats the file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "flusher/config.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

/// Exit codes of the program, as everywhere in shmring.
inline constexpr int kExitFine = 0;
inline constexpr int kExitBadNews = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCannotOpen = 3;

/// What the program was asked to do: run; check `config`, which `text` describes; or print `text` and end.
struct Invocation {
  enum class Action : std::uint8_t { kRun, kCheck, kPrint };
  Action action = Action::kRun;
  Config config = {};
  std::string text = {};
  std::vector<std::string> warnings = {};  // for the log of who runs, or goes by the configuration
  int exit_code = kExitFine;  // of kPrint; with another than kExitFine the text belongs on stderr
};

/// The value of a variable; nullopt: not set, or empty (OpenTelemetry treats the two alike). A seam for tests.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

/// Among values from the same place, one for a signal beats the general one. Every value is checked, a beaten one too.
Invocation parse_invocation(int argc, const char* const* argv, const Environment& environment);

/// Contradictions between options, and what this version cannot do.
Result<void> check_config(const Config& config);

}  // namespace shmring::flusher
