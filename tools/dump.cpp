// SPDX-License-Identifier: Apache-2.0
// shmring dump: all records that the ring holds at this moment. It takes none of them away.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "libshmring/ring_file.hpp"
#include "libshmring/snapshot.hpp"
#include "tools/cut_short.hpp"
#include "tools/record.hpp"
#include "tools/slice_text.hpp"
#include "tools/units.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "dump";

struct DumpArguments {
  RingArgument ring;
  Format format = Format::kJson;
  std::optional<Signal> signal;
};

int dump(const DumpArguments& arguments) {
  const auto ring = RingFile::attach(arguments.ring.path(), Access::kReadOnly);
  if (!ring) return cannot_open(kVerb, ring.error());
  const PageGuard guard(*ring);
  std::uint64_t unreadable = 0;
  peek_all(*ring, [&](Slice&& slice) {
    if (arguments.signal && slice.key.signal != *arguments.signal) return;
    CheckedRecords records(slice);
    print(slice_text(records, slice.key.signal, arguments.format));
    unreadable += records.unreadable();
  });
  if (unreadable == 0) return unless_cut_short(kVerb, *ring, guard, kFine);
  complain(kVerb, fmt::format("{} records are no valid OTLP and are not shown", format_count(unreadable)));
  return unless_cut_short(kVerb, *ring, guard, kBadNews);
}

}  // namespace

void add_dump(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<DumpArguments>();
  CLI::App* verb = app.add_subcommand(kVerb, "All records that the ring holds; takes none away");
  add_ring(*verb, arguments->ring);
  add_format(*verb, arguments->format);
  add_signal(*verb, [arguments](Signal signal) { arguments->signal = signal; });
  verb->callback([arguments, &run] { run = [arguments] { return dump(*arguments); }; });
}

}  // namespace shmring::tools
