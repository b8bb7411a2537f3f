// SPDX-License-Identifier: Apache-2.0
// Sends what was refused once more.

#include "flusher/dead_letter_replay.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "flusher/dead_letter_files.hpp"
#include "flusher/destinations.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/invocation.hpp"

namespace shmring::flusher {
namespace {

struct Sums {
  std::uint64_t taken = 0;  // letters
  std::uint64_t left = 0;
  std::uint64_t unsendable = 0;
};

/// Until it has its answer, or the time for all of them is up.
std::optional<SendResult> send(EventLoop& loop, Exporter& exporter, StoredLetter& letter,
                               TimePoint deadline) {
  std::optional<SendResult> answer;
  exporter.submit(
      std::make_shared<const Batch>(
          Batch{.signal = letter.signal, .request = std::move(letter.request), .records = letter.records}),
      [&answer](const SendResult& result) { answer = result; });
  while (!answer && Clock::now() < deadline) loop.turn(deadline);
  return answer;
}

bool is_taken(const std::optional<SendResult>& answer) {
  return answer && answer->outcome == SendOutcome::kAccepted && answer->rejected == 0;
}

}  // namespace

int replay_dead_letters(const Config& config, Log& log) {
  EventLoop loop;
  auto destinations =
      Destinations::create(config, loop, log, {.on_possible_duplicates = [](const Batch&) {}});
  if (!destinations) {
    log.write(LogLevel::kError, "cannot_export", {field("reason", destinations.error().message)});
    return kExitCannotOpen;
  }
  // A server that refuses says so; one that is away is waited for no longer than at a flusher's end.
  for (const Destination& each : destinations->all()) {
    for (std::size_t s = 0; s < kSignalCount; ++s)
      each.exporter->set_patience(static_cast<Signal>(s), Patience::kGiveBack);
  }
  Sums sums;
  for (const auto& path : dead_letters_in(config.dead_letter)) {
    auto letter = read_dead_letter(path);
    if (letter && letter->destination == kNoDestination) {  // no OTLP: no server takes it, ever
      ++sums.unsendable;
      continue;
    }
    const auto all = destinations->all();
    const auto to = std::find_if(all.begin(), all.end(), [&](const Destination& each) {
      return letter && each.name == letter->destination;
    });
    std::string reason =
        !letter ? letter.error().message : "its destination " + letter->destination + " is not configured";
    if (letter && to != all.end()) {
      const auto answer = send(loop, *to->exporter, *letter, Clock::now() + config.shutdown_timeout);
      std::error_code ignored;
      if (is_taken(answer) && std::filesystem::remove(path, ignored)) {
        ++sums.taken;
        continue;
      }
      reason = answer ? answer->reason : "no answer in time";
      if (!answer) destinations->abandon_all();
    }
    ++sums.left;
    log.write_limited(LogLevel::kWarning, "dead_letter_stays", "",
                      {field("file", path.string()), field("reason", reason)});
  }
  log.write(LogLevel::kInfo, "dead_letters_replayed",
            {field("taken", sums.taken), field("left", sums.left), field("no_otlp", sums.unsendable)});
  return sums.left == 0 ? kExitFine : kExitBadNews;
}

}  // namespace shmring::flusher
