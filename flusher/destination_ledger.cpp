// SPDX-License-Identifier: Apache-2.0
// What each destination took and refused.

#include "flusher/destination_ledger.hpp"

#include <algorithm>

namespace shmring::flusher {
namespace {

constexpr auto kBetweenNotes = std::chrono::seconds(1);

std::int64_t unix_ms() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Its beginning, cut between two characters.
std::string short_text(std::string_view text) {
  if (text.size() <= DestinationLedger::kLongestError) return std::string(text);
  std::size_t size = DestinationLedger::kLongestError;
  const auto is_within = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
  };
  while (size > 0 && is_within(size)) --size;
  return std::string(text.substr(0, size)) + "...";
}

}  // namespace

Settled settled(std::uint64_t records, const SendResult& result) {
  Settled out;
  out.dead_lettered = std::min(result.dead_lettered, records);
  const std::uint64_t rest = records - out.dead_lettered;
  out.rejected = result.outcome == SendOutcome::kAccepted ? std::min(result.rejected, rest) : rest;
  out.accepted = rest - out.rejected;
  return out;
}

void DestinationLedger::begin(const RingFile& ring, const std::vector<std::string>& names) {
  books_ = spool::destinations_of(ring);
  for (const std::string& name : names) of(name);
  has_changed_ = true;
  next_note_ = {};
}

spool::DestinationBooks& DestinationLedger::of(const std::string& name) {
  const auto found = std::find_if(books_.begin(), books_.end(),
                                  [&](const spool::DestinationBooks& each) { return each.name == name; });
  return found != books_.end() ? *found : books_.emplace_back(spool::DestinationBooks{.name = name});
}

void DestinationLedger::on_settled(const std::string& destination, Signal signal, std::uint64_t records,
                                   const SendResult& result) {
  spool::LaneBooks& lane = of(destination).lanes[static_cast<std::size_t>(signal)];
  const Settled fates = settled(records, result);
  lane.accepted += fates.accepted;
  lane.rejected += fates.rejected;
  lane.dead_lettered += fates.dead_lettered;
  if (result.outcome == SendOutcome::kAccepted) lane.last_success_ms = unix_ms();
  has_changed_ = true;
}

void DestinationLedger::on_attempt_ended(const std::string& destination, Signal signal,
                                         const SendResult& result) {
  const bool is_fine = result.outcome == SendOutcome::kAccepted && result.rejected == 0;
  if (is_fine || result.is_given_up) return;
  of(destination).last_error = {.text = short_text(result.reason), .signal = signal, .at_ms = unix_ms()};
  has_changed_ = true;
}

Result<void> DestinationLedger::note(const RingFile& ring, TimePoint now) {
  if (!has_changed_ || now < next_note_) return {};
  next_note_ = now + kBetweenNotes;
  return note_now(ring);
}

Result<void> DestinationLedger::note_now(const RingFile& ring) {
  if (!has_changed_) return {};
  auto noted = spool::note_destinations(ring, books_);
  has_changed_ = !noted;
  return noted;
}

}  // namespace shmring::flusher
