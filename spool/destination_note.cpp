// SPDX-License-Identifier: Apache-2.0
// What each destination took and refused, noted beside the ring.

#include "spool/destination_note.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "libshmring/names.hpp"
#include "libshmring/system.hpp"

namespace shmring::spool {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestNote = 64U << 10U;  // bytes; some hundred destinations

/// The path may hold another ring by now.
std::string id_of(const RingFile& ring) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : ring.header().identity.uuid) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xfU];
  }
  return out;
}

template <typename Number>
Number number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<Number>() : Number{0};
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// An object where there is none, too.
const Json& part_of(const Json& object, const char* key) {
  static const Json kNothing = Json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : kNothing;
}

Json as_json(const DestinationBooks& books) {
  Json out{{"name", books.name}};
  for (const Signal signal : kSignals) {
    const LaneBooks& lane = books.lanes[static_cast<std::size_t>(signal)];
    out[std::string(to_string(signal))] = {{"accepted", lane.accepted},
                                           {"rejected", lane.rejected},
                                           {"dead_lettered", lane.dead_lettered},
                                           {"last_success_ms", lane.last_success_ms}};
  }
  if (books.last_error) {
    out["last_error"] = {{"text", books.last_error->text},
                         {"signal", to_string(books.last_error->signal)},
                         {"at_ms", books.last_error->at_ms}};
  }
  return out;
}

DestinationBooks from_json(const Json& object) {
  DestinationBooks books{.name = text_in(object, "name")};
  const Json& error = part_of(object, "last_error");
  const std::string of_error = text_in(error, "signal");
  if (!error.empty())
    books.last_error = {.text = text_in(error, "text"), .at_ms = number_in<std::int64_t>(error, "at_ms")};
  for (const Signal signal : kSignals) {
    const std::string name(to_string(signal));
    const Json& lane = part_of(object, name.c_str());
    books.lanes[static_cast<std::size_t>(signal)] = {
        .accepted = number_in<std::uint64_t>(lane, "accepted"),
        .rejected = number_in<std::uint64_t>(lane, "rejected"),
        .dead_lettered = number_in<std::uint64_t>(lane, "dead_lettered"),
        .last_success_ms = number_in<std::int64_t>(lane, "last_success_ms")};
    if (books.last_error && of_error == name) books.last_error->signal = signal;
  }
  return books;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string read_note(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string text(fd.valid() ? kLongestNote : 0, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(fd.get(), text.data() + size, text.size() - size);
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

}  // namespace

LaneBooks DestinationBooks::total() const {
  LaneBooks sum;
  for (const LaneBooks& lane : lanes) {
    sum.accepted += lane.accepted;
    sum.rejected += lane.rejected;
    sum.dead_lettered += lane.dead_lettered;
    sum.last_success_ms = std::max(sum.last_success_ms, lane.last_success_ms);
  }
  return sum;
}

std::filesystem::path destinations_path(const std::filesystem::path& ring) {
  std::filesystem::path path = ring;
  return path.replace_filename("." + ring.filename().string() + ".destinations");
}

Result<void> note_destinations(const RingFile& ring, const std::vector<DestinationBooks>& books) {
  Json note{{"ring", id_of(ring)}, {"destinations", Json::array()}};
  for (const DestinationBooks& each : books) note["destinations"].push_back(as_json(each));
  const std::string text = note.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::filesystem::path path = destinations_path(ring.path());
  const std::filesystem::path fresh = path.string() + ".new";
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid() || !write_all(fd.get(), text)) return system_error("write", fresh.string(), errno);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("rename", fresh.string(), errno);
  return {};
}

std::vector<DestinationBooks> destinations_of(const RingFile& ring) {
  const Json note = Json::parse(read_note(destinations_path(ring.path())), nullptr, false);
  if (!note.is_object() || text_in(note, "ring") != id_of(ring)) return {};
  const auto list = note.find("destinations");
  std::vector<DestinationBooks> out;
  if (list == note.end() || !list->is_array()) return out;
  for (const Json& each : *list) {
    if (each.is_object()) out.push_back(from_json(each));
  }
  return out;
}

}  // namespace shmring::spool
