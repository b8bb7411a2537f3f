// SPDX-License-Identifier: Apache-2.0
// shmring recover: all committed records out of a ring's file that need not be fit to attach to, and never writes to it. Or, when
// told so, frees writer slots, and writes nothing else.
#include "libshmring/recover.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "tools/free_slot.hpp"
#include "tools/record.hpp"
#include "tools/slice_text.hpp"
#include "tools/text.hpp"
#include "tools/units.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "recover";

struct RecoverArguments {
  RingArgument ring;
  Format format = Format::kJson;
  std::string output_file;
  std::uint64_t block_bytes = 0;
  std::uint32_t blocks = 0;
  std::uint32_t writers = 0;
  bool all = false;
  std::vector<std::uint32_t> free_slots;
};

/// Where the records go: a file of its own, or standard output.
class Destination {
 public:
  Destination() = default;
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  ~Destination() {
    if (file_ != nullptr) std::fclose(file_);
  }

  /// False, and a complaint: it cannot be written, or it is the ring itself.
  bool open(const std::string& name, const std::string& ring) {
    if (name.empty()) return true;
    struct stat input {};
    struct stat output {};
    const bool is_there = ::stat(name.c_str(), &output) == 0;
    if (is_there && ::stat(ring.c_str(), &input) == 0 && input.st_dev == output.st_dev &&
        input.st_ino == output.st_ino) {
      complain(kVerb,
               escaped(name) + " is the ring itself: writing to it would destroy what is to be recovered");
      return false;
    }
    file_ = std::fopen(name.c_str(), "we");
    if (file_ == nullptr)
      complain(kVerb, fmt::format("cannot write {}: {}", escaped(name), std::strerror(errno)));
    return file_ != nullptr;
  }
  void write(const std::string& text) {
    if (file_ == nullptr) return print(text);
    failed_ = std::fwrite(text.data(), 1, text.size(), file_) != text.size() || failed_;
  }
  /// Whether everything got to where it should.
  bool close() {
    if (file_ == nullptr) return true;
    failed_ = std::fclose(file_) != 0 || failed_;
    file_ = nullptr;
    return !failed_;
  }

 private:
  std::FILE* file_ = nullptr;
  bool failed_ = false;
};

RecoverOptions options_of(const RecoverArguments& arguments) {
  return {.block_bytes = static_cast<std::uint32_t>(arguments.block_bytes),
          .blocks = arguments.blocks,
          .writers = arguments.writers,
          .take = arguments.all ? Take::kAll : Take::kPending};
}

std::string sizes_text(const RecoverReport& report) {
  const Geometry& g = report.geometry;
  const char* from = report.sizes_from == SizesFrom::kHeader    ? "as its header says"
                     : report.sizes_from == SizesFrom::kOptions ? "as the options say"
                                                                : "found by search";
  return fmt::format("{} blocks of {} and {} writer slots, {}", format_count(g.block_count),
                     format_size(g.block_bytes), format_count(g.writer_count), from);
}

void tell(const RecoverReport& report, std::uint64_t shown, std::uint64_t no_otlp) {
  for (const Finding& finding : report.findings) {
    complain(kVerb, fmt::format("{}: {}", finding.where, escaped(finding.what)));
  }
  if (report.sizes_from != SizesFrom::kHeader) complain(kVerb, sizes_text(report));
  complain(
      kVerb,
      fmt::format("{} records recovered, {} of them doubtful; {} are missing, {} are no valid OTLP; {} bytes "
                  "could not be read",
                  format_count(shown), format_count(report.doubtful), format_count(report.missing),
                  format_count(no_otlp), format_count(report.unread_bytes)));
}

int recover_ring(const RecoverArguments& arguments) {
  const std::string path = arguments.ring.path().string();
  if (arguments.block_bytes > kMaxBlockBytes) {
    complain(kVerb, "no ring has blocks of " + format_size(arguments.block_bytes));
    return kUsage;
  }
  Destination destination;
  if (!destination.open(arguments.output_file, path)) return kUsage;
  std::uint64_t shown = 0;
  std::uint64_t no_otlp = 0;
  const auto report = recover(path, options_of(arguments), [&](Slice&& slice) {
    CheckedRecords records(slice);
    destination.write(slice_text(records, slice.key.signal, arguments.format));
    no_otlp += records.unreadable();
    shown += slice.key.records() - records.unreadable();
  });
  if (!report) return cannot_open(kVerb, report.error());
  tell(*report, shown, no_otlp);
  if (!destination.close()) {
    complain(kVerb, "not everything could be written to " + escaped(arguments.output_file));
    return kBadNews;
  }
  return report->is_complete() && no_otlp == 0 ? kFine : kBadNews;
}

/// Freeing slots recovers no records: none of the other options goes with it.
void refuse_other_options(const CLI::App& verb, const CLI::Option& free_slot) {
  for (const CLI::Option* option : verb.get_options()) {
    if (option == &free_slot || option->get_positional() || option->count() == 0) continue;
    throw CLI::ValidationError(free_slot.get_name(), "does not go with " + option->get_name());
  }
}

}  // namespace

void add_recover(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<RecoverArguments>();
  CLI::App* verb =
      app.add_subcommand(kVerb,
                         "Extract all committed records from a ring's file, however damaged; or free a "
                         "writer slot whose holder nobody can prove gone");
  add_ring(*verb, arguments->ring);
  add_format(*verb, arguments->format);
  verb->add_option("--output-file", arguments->output_file, "where the records go; left out: standard output")
      ->type_name("FILE");
  verb->add_flag("--all", arguments->all, "also what was exported already, as far as it is still there");
  add_size(*verb, "--block-size", arguments->block_bytes,
           "of the ring, where its header does not say (any more)");
  verb->add_option("--blocks", arguments->blocks, "likewise: how many")->type_name("COUNT");
  verb->add_option("--writers", arguments->writers, "likewise: how many writer slots")->type_name("COUNT");
  const CLI::Option* free_slot =
      verb->add_option("--free-slot", arguments->free_slots,
                       "free this writer slot and do nothing else (repeatable): you know that its holder is "
                       "gone; `shmring status` lists those whom nobody can prove gone")
          ->type_name("SLOT")
          ->allow_extra_args(false);
  verb->callback([arguments, &run, verb, free_slot] {
    if (!arguments->free_slots.empty()) refuse_other_options(*verb, *free_slot);
    run = [arguments] {
      return arguments->free_slots.empty() ? recover_ring(*arguments)
                                           : free_slots(kVerb, arguments->ring.path(), arguments->free_slots);
    };
  });
}

}  // namespace shmring::tools
