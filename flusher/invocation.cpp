// SPDX-License-Identifier: Apache-2.0
// From command line, environment and configuration file to a Config.

#include "flusher/invocation.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>

#include "flusher/config_file.hpp"
#include "flusher/describe.hpp"
#include "flusher/otlp_settings.hpp"
#include "flusher/setting_values.hpp"
#include "flusher/settings.hpp"
#include "flusher/units.hpp"
#include "shmring/version.hpp"

namespace shmring::flusher {
namespace {

constexpr const char* kAbout =
    "Drains a shmring ring on a fixed schedule and exports its records by OTLP, to files or to the console.";
constexpr const char* kFooter =
    "Each option can also stand in the environment (the name in brackets) or in the configuration file\n"
    "(KEY = VALUE, the long name without the dashes). A flag beats the environment, which beats the file.\n"
    "Exit codes: 0 fine, 1 bad news (something was refused or is left in the ring), 2 usage, 3 cannot open.";

/// Values by the name of their setting, and where they stood, for messages.
struct Given {
  std::string value;
  std::string where;
};
using Values = std::map<std::string, Given>;

struct Flags {
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> switches;
  std::string config_file;
  bool is_check = false;
};

void define(CLI::App& app, Flags& flags) {
  app.set_help_flag("-h,--help", "show this help and end");
  app.set_version_flag("--version", fmt::format("shmring-flusher {}", kVersion), "show the version and end");
  app.add_option("--config", flags.config_file, "configuration file [SHMRING_CONFIG]")->type_name("FILE");
  app.add_flag("--check", flags.is_check,
               "check the configuration, print it without secrets, try the destinations, end");
  for (const Setting& setting : settings()) {
    const std::string help = fmt::format("{} [{}]", setting.help, setting.environment);
    const std::string group = setting.reach == Setting::Reach::kOneSignal ? "For one signal" : "Options";
    if (setting.takes == Setting::Takes::kNothing) {
      app.add_flag("--" + setting.name, flags.switches[setting.name], help)->group(group);
      continue;
    }
    CLI::Option* option = app.add_option("--" + setting.name, flags.values[setting.name], help);
    option->type_name(setting.value)
        ->group(group)
        ->type_size(1)
        ->expected(1, setting.takes == Setting::Takes::kSeveralValues ? 16 : 1);
    option->allow_extra_args(false);
  }
}

Values from_flags(const Flags& flags) {
  Values out;
  for (const auto& [name, values] : flags.values) {
    if (values.empty()) continue;
    std::string joined;
    for (const std::string& value : values) joined += (joined.empty() ? "" : ",") + value;
    out[name] = {joined, "--" + name};
  }
  for (const auto& [name, is_set] : flags.switches) {
    if (is_set) out[name] = {"true", "--" + name};
  }
  return out;
}

Values from_environment(const Environment& environment) {
  Values out;
  for (const Setting& setting : settings()) {
    if (const auto value = environment(setting.environment))
      out[setting.name] = {*value, setting.environment};
  }
  return out;
}

/// Why the value of a variable of the specification cannot be used; empty: it can.
std::string why_unusable(const Setting& setting, const std::string& value) {
  const bool is_number = setting.variable == Setting::Variable::kSpecifiedNumber;
  if (is_number && !parse_count(value)) return fmt::format("'{}' is not a whole number", value);
  const bool is_switch = setting.variable == Setting::Variable::kSpecifiedSwitch;
  if (is_switch && !is_same_word(value, "true") && !is_same_word(value, "false"))
    return fmt::format("'{}' is neither true nor false", value);
  Config scratch;
  const auto done = setting.apply(scratch, value);
  return done ? "" : done.error().message;
}

/// What the specification asks to be ignored and warned of, so that one bad variable does not end all telemetry.
std::vector<std::string> drop_unusable(Values& variables) {
  std::vector<std::string> warnings;
  for (const Setting& setting : settings()) {
    const auto found = variables.find(setting.name);
    if (found == variables.end() || setting.variable == Setting::Variable::kOurs) continue;
    const std::string why = why_unusable(setting, found->second.value);
    if (why.empty()) continue;
    warnings.push_back(fmt::format("{}: {}; ignored, as if it were not set", found->second.where, why));
    variables.erase(found);
  }
  return warnings;
}

/// Variables that many have set for SDKs, and that mean nothing here.
std::vector<std::string> warn_of_queues(const Environment& environment) {
  std::vector<std::string> warnings;
  for (const char* name : {"OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BLRP_MAX_QUEUE_SIZE"}) {
    if (environment(name))
      warnings.push_back(fmt::format("{}: ignored: the queue is the ring, and its size is --size", name));
  }
  return warnings;
}

Result<Values> from_file(const std::string& path) {
  auto lines = read_config_file(path);
  if (!lines) return lines.error();
  Values out;
  for (const ConfigLine& line : *lines) {
    const std::string where = fmt::format("{}:{}", path, line.number);
    const bool is_known = std::any_of(settings().begin(), settings().end(),
                                      [&](const Setting& setting) { return setting.name == line.key; });
    if (!is_known) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("{}: unknown key '{}'; keys are the long options, see --help", where, line.key)};
    }
    if (const auto [earlier, is_new] = out.try_emplace(line.key, Given{line.value, where}); !is_new) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("{}: '{}' is set a second time, first at {}",
                                                            where, line.key, earlier->second.where)};
    }
  }
  return out;
}

/// The general options first, so that one for a single signal has the last word.
Result<void> apply_all(const Values& values, Config& config) {
  for (const auto reach : {Setting::Reach::kGeneral, Setting::Reach::kOneSignal}) {
    for (const Setting& setting : settings()) {
      const auto found = values.find(setting.name);
      if (setting.reach != reach || found == values.end()) continue;
      const auto done = setting.apply(config, found->second.value);
      if (!done) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: {}", found->second.where, done.error().message)};
      }
    }
  }
  return {};
}

Result<Config> configure(const Flags& flags, const Environment& environment,
                         std::vector<std::string>& warnings) {
  Config config;
  const std::string file =
      flags.config_file.empty() ? environment("SHMRING_CONFIG").value_or("") : flags.config_file;
  if (!file.empty()) {
    const auto values = from_file(file);
    if (!values) return values.error();
    if (auto done = apply_all(*values, config); !done) return done.error();
  }
  Values variables = from_environment(environment);
  warnings = drop_unusable(variables);
  for (std::string& warning : warn_of_queues(environment)) warnings.push_back(std::move(warning));
  if (auto done = apply_all(variables, config); !done) return done.error();
  if (auto done = apply_all(from_flags(flags), config); !done) return done.error();
  if (auto done = resolve_targets(config); !done) return done.error();
  if (auto done = check_config(config); !done) return done.error();
  return config;
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Invocation parse_invocation(int argc, const char* const* argv, const Environment& environment) {
  CLI::App app(kAbout, "shmring-flusher");
  app.footer(kFooter);
  Flags flags;
  define(app, flags);
  Invocation out;
  out.action = Invocation::Action::kPrint;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    out.text = app.help();
    return out;
  } catch (const CLI::CallForVersion&) {
    out.text = fmt::format("shmring-flusher {}\n", kVersion);
    return out;
  } catch (const CLI::Error& error) {
    out.text = fmt::format("shmring-flusher: {}\nshmring-flusher --help shows all options\n", error.what());
    out.exit_code = kExitUsage;
    return out;
  }
  auto config = configure(flags, environment, out.warnings);
  if (!config) {
    out.text = fmt::format("shmring-flusher: {}\n", config.error().message);
    out.exit_code = kExitUsage;
    return out;
  }
  out.config = std::move(*config);
  out.action = flags.is_check ? Invocation::Action::kCheck : Invocation::Action::kRun;
  if (flags.is_check) out.text = describe(out.config);
  return out;
}

Result<void> check_config(const Config& config) {
  if (config.exports_by(ExporterKind::kOtlp)) {
    if (auto checked = check_tls_files(config); !checked) return checked;
  }
  std::optional<FullPolicy> policy;
  for (const SignalLimits& signal : config.signals) {
    if (policy && signal.on_full && *policy != *signal.on_full) {
      return Error{ErrorCode::kInvalidArgument,
                   "on-full differs between signals; a ring has one policy for all of them: set --on-full"};
    }
    if (signal.on_full) policy = signal.on_full;
  }
  if (config.retry.longest < config.retry.initial) {
    return Error{ErrorCode::kInvalidArgument, "retry-longest is shorter than retry-initial"};
  }
  return {};
}

}  // namespace shmring::flusher
