// SPDX-License-Identifier: Apache-2.0
// What a server says in the body of its answer: an Export<Signal>ServiceResponse or a google.rpc.Status, as protobuf or JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shmring/signal.hpp"

namespace shmring::flusher {

inline constexpr std::size_t kMaxReason = 300;  // characters of the server's words that go into the log

enum class Encoding : std::uint8_t { kProtobuf, kJson };

struct PartialSuccess {
  std::uint64_t rejected = 0;  // records
  std::string message = {};
};

/// An empty body is a full success. nullopt: the body is no such response.
std::optional<PartialSuccess> read_partial_success(Signal signal, Encoding encoding, std::string_view body);

/// The message of a google.rpc.Status; empty: there is none, or the body is none.
std::string read_status_message(Encoding encoding, std::string_view body);

}  // namespace shmring::flusher
