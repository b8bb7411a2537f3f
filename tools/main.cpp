// SPDX-License-Identifier: Apache-2.0
// The `shmring` command: finds the verb, reads its options, runs it.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shmring/version.hpp"
#include "tools/cli.hpp"
#include "tools/text.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kDescription =
    "Looks into a telemetry ring, feeds it, and checks it. Every verb works from the file alone.";
constexpr const char* kFooter =
    "Exit codes: 0 fine, 1 bad news (damage, accounting open, something dropped), 2 usage, 3 the ring cannot "
    "be opened.";

int unknown_verb(const CLI::App& app, std::string_view verb) {
  std::string known;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
    known += known.empty() ? "" : ", ";
    known += each->get_name();
  }
  const std::string said = verb.empty() ? "a verb is needed" : "there is no verb \"" + escaped(verb) + "\"";
  std::fprintf(stderr, "shmring: %s; there are: %s (shmring VERB --help)\n", said.c_str(), known.c_str());
  return kUsage;
}

/// The parser's own errors are the user's errors, whatever their number; only asking for help is none.
int parse_end(const CLI::App& app, const CLI::ParseError& error, std::string_view verb) {
  if (error.get_exit_code() == 0) return app.exit(error);
  std::fprintf(stderr, "shmring %.*s: %s\nTry: shmring %.*s --help\n", static_cast<int>(verb.size()),
               verb.data(), error.what(), static_cast<int>(verb.size()), verb.data());
  return kUsage;
}

int flushed(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  std::perror("shmring: standard output");
  return exit_code == kFine ? kBadNews : exit_code;
}

int run_command(std::span<char*> arguments) {
  // Behind "--" stands another program's command line.
  std::size_t own = 1;
  while (own < arguments.size() && std::string_view(arguments[own]) != "--") ++own;
  const bool is_exec = arguments.size() > 1 && std::string_view(arguments[1]) == "exec";
  if (!is_exec) own = arguments.size();
  const std::span<char* const> command = arguments.subspan(std::min(own + 1, arguments.size()));

  CLI::App app(kDescription, "shmring");
  app.set_version_flag("--version", std::string("shmring ") + kVersion, "Print the version and exit");
  app.footer(kFooter);
  app.require_subcommand(1);
  Run run;
  add_create(app, run);
  add_status(app, run);
  add_dump(app, run);
  add_tap(app, run);
  add_emit(app, run);
  add_exec(app, run, command);
  add_fsck(app, run);
  add_recover(app, run);
  add_flusher(app, run);
  add_bench(app, run);

  const std::string_view verb = own > 1 ? arguments[1] : "";
  const bool known =
      !app.get_subcommands([&](const CLI::App* each) { return each->get_name() == verb; }).empty();
  if (!known && !verb.starts_with("-")) return unknown_verb(app, verb);
  try {
    app.parse(static_cast<int>(own), arguments.data());
  } catch (const CLI::ParseError& error) {
    return parse_end(app, error, known ? verb : std::string_view("VERB"));
  }
  return flushed(run());
}

}  // namespace
}  // namespace shmring::tools

int main(int argc, char** argv) {
  try {
    return shmring::tools::run_command({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& error) {  // of a library; out of memory at most
    std::fprintf(stderr, "shmring: %s\n", error.what());
    return shmring::tools::kBadNews;
  }
}
