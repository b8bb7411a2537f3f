// SPDX-License-Identifier: Apache-2.0
// Schedules as text.
#include "tests/schedules/schedule.hpp"

#include <charconv>

namespace shmring::testing {
namespace {

std::optional<Turn> read_turn(std::string_view text) {
  if (text.empty() || (text[0] != 'a' && text[0] != 'b')) return std::nullopt;
  Turn turn{.actor = static_cast<unsigned>(text[0] - 'a')};
  text.remove_prefix(1);
  if (!text.empty() && text.back() == 'x') {
    turn.dies = true;
    text.remove_suffix(1);
  }
  if (text.empty()) return turn;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), turn.until);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return turn;
}

}  // namespace

std::string written(const Schedule& schedule) {
  std::string text;
  for (const Turn& turn : schedule) {
    if (!text.empty()) text += ',';
    text += static_cast<char>('a' + turn.actor);
    if (turn.until != kToItsEnd) text += std::to_string(turn.until);
    if (turn.dies) text += 'x';
  }
  return text;
}

std::optional<Schedule> read_schedule(std::string_view text) {
  Schedule schedule;
  for (;;) {
    const std::size_t comma = text.find(',');
    const auto turn = read_turn(text.substr(0, comma));
    if (!turn) return std::nullopt;
    schedule.push_back(*turn);
    if (comma == std::string_view::npos) return schedule;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace shmring::testing
