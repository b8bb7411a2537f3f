// SPDX-License-Identifier: Apache-2.0
// From command line, environment and configuration file to a Config.

#include "flusher/invocation.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>

#include "flusher/config_file.hpp"
#include "flusher/endpoint.hpp"
#include "flusher/otlp_settings.hpp"
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
  app.add_flag("--check", flags.is_check, "check the configuration, print it without secrets, end");
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

Result<Config> configure(const Flags& flags, const Environment& environment) {
  Config config;
  const std::string file =
      flags.config_file.empty() ? environment("SHMRING_CONFIG").value_or("") : flags.config_file;
  if (!file.empty()) {
    const auto values = from_file(file);
    if (!values) return values.error();
    if (auto done = apply_all(*values, config); !done) return done.error();
  }
  if (auto done = apply_all(from_environment(environment), config); !done) return done.error();
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
  auto config = configure(flags, environment);
  if (!config) {
    out.text = fmt::format("shmring-flusher: {}\n", config.error().message);
    out.exit_code = kExitUsage;
    return out;
  }
  out.config = std::move(*config);
  if (flags.is_check) {
    out.text = describe(out.config);
  } else {
    out.action = Invocation::Action::kRun;
  }
  return out;
}

Result<void> check_config(const Config& config) {
  const bool is_otlp = std::find(config.exporters.begin(), config.exporters.end(), ExporterKind::kOtlp) !=
                       config.exporters.end();
  if (is_otlp) {
    if (auto checked = check_tls_files(config); !checked) return checked;
  }
  if (config.retry.longest < config.retry.initial) {
    return Error{ErrorCode::kInvalidArgument, "retry-longest is shorter than retry-initial"};
  }
  return {};
}

std::string describe(const Config& config) {
  std::string exporters;
  for (const ExporterKind kind : config.exporters) {
    const char* name = kind == ExporterKind::kOtlp   ? "otlp"
                       : kind == ExporterKind::kFile ? "file"
                                                     : "console";
    exporters += (exporters.empty() ? "" : ",") + std::string(name);
  }
  std::string text;
  const auto line = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{} = {}\n", key, value);
  };
  line("ring", config.ring.empty() ? "(default)" : config.ring.string());
  line("interval", format_duration(config.interval));
  line("exporter", exporters);
  line("file", config.file.string());
  line("file-sync", config.file_sync == FileSync::kYes ? "true" : "false");
  line("max-in-flight", fmt::format("{}", config.max_in_flight));
  line("batch-records", fmt::format("{}", config.batch.records));
  line("batch-bytes", format_size(config.batch.bytes));
  line("memory-limit", format_size(config.memory_limit));
  line("retry-initial", format_duration(config.retry.initial));
  line("retry-longest", format_duration(config.retry.longest));
  line("retry-after-limit", format_duration(config.retry.longest_asked));
  line("shutdown-timeout", format_duration(config.shutdown_timeout));
  line("proxy", without_secrets(config.otlp[0].proxy));
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const OtlpTarget& target = config.otlp[i];
    const std::string signal(to_string(static_cast<Signal>(i)));
    line(signal + "-endpoint", without_secrets(target.url));
    line(signal + "-protocol", std::string(to_string(target.protocol)));
    line(signal + "-insecure", target.insecure == Insecure::kYes ? "true" : "false");
    line(signal + "-headers", fmt::format("({} hidden)", target.headers.size()));
    line(signal + "-timeout", format_duration(target.timeout));
    line(signal + "-certificate", target.tls.certificate);
    line(signal + "-client-certificate", target.tls.client_certificate);
    line(signal + "-client-key", target.tls.client_key);
    line(signal + "-compression", target.compression == Compression::kGzip ? "gzip" : "none");
  }
  return text;
}

}  // namespace shmring::flusher
