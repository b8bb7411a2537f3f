// SPDX-License-Identifier: Apache-2.0
// shmring fsck: checks every invariant of a ring at rest, and says where which one is broken.
#include "libshmring/fsck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "libshmring/ring_file.hpp"
#include "tools/cut_short.hpp"
#include "tools/text.hpp"
#include "tools/units.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "fsck";

struct FsckArguments {
  RingArgument ring;
  Output output = Output::kText;
};

const char* name_of(Finding::Severity severity) {
  return severity == Finding::Severity::kNote ? "note" : "damage";
}

std::string as_json(const std::string& path, const std::vector<Finding>& findings, std::size_t damaged) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"severity", name_of(finding.severity)},
                    {"where", finding.where},
                    {"what", finding.what},
                    {"who", finding.who}});
  }
  const nlohmann::ordered_json json{
      {"path", path}, {"sound", damaged == 0}, {"damaged", damaged}, {"findings", list}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string as_text(const std::string& path, const std::vector<Finding>& findings, std::size_t damaged) {
  Table table({Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  for (const Finding& finding : findings) {
    table.add({name_of(finding.severity), finding.where, escaped(finding.who), escaped(finding.what)});
  }
  const std::string verdict = damaged == 0 ? std::string("sound") : format_count(damaged) + " damaged";
  return table.str() + fmt::format("{}: {}\n", escaped(path), verdict);
}

/// What is wrong with a header that is too broken to attach by: the worst of findings, not a ring that is not there.
std::vector<Finding> findings_in_header(const std::string& path, const Error& refusal) {
  RingIdentity identity{};
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(&identity), sizeof(identity));
  std::error_code unknown;
  const std::uint64_t bytes = std::filesystem::file_size(path, unknown);
  std::vector<Finding> findings;
  if (file && !unknown) findings = fsck_identity(identity, bytes);
  if (findings.empty()) findings.push_back({Finding::Severity::kDamage, "header", refusal.message});
  return findings;
}

int fsck_ring(const FsckArguments& arguments) {
  const std::string path = arguments.ring.path().string();
  const auto ring = RingFile::attach(path, Access::kReadOnly);
  if (!ring && ring.error().code != ErrorCode::kDamaged) return cannot_open(kVerb, ring.error());
  std::optional<PageGuard> guard;
  if (ring) guard.emplace(*ring);
  const std::vector<Finding> findings = ring ? fsck(*ring) : findings_in_header(path, ring.error());
  const auto damaged =
      static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), [](const Finding& each) {
        return each.severity == Finding::Severity::kDamage;
      }));
  print(arguments.output == Output::kJson ? as_json(path, findings, damaged)
                                          : as_text(path, findings, damaged));
  const int exit_code = damaged == 0 ? kFine : kBadNews;
  return ring ? unless_cut_short(kVerb, *ring, *guard, exit_code) : exit_code;
}

}  // namespace

void add_fsck(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<FsckArguments>();
  CLI::App* verb = app.add_subcommand(kVerb, "Check every invariant of a ring at rest");
  add_ring(*verb, arguments->ring);
  add_output(*verb, arguments->output);
  verb->callback([arguments, &run] { run = [arguments] { return fsck_ring(*arguments); }; });
}

}  // namespace shmring::tools
