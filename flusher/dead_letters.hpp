// SPDX-License-Identifier: Apache-2.0
// Where records go that a destination refused for good, or that are no OTLP: kept for people to read and to send again.
#pragma once

#include <cstdint>
#include <string_view>

#include "shmring/signal.hpp"

namespace shmring::flusher {

/// Of records that nobody was asked to take, for they are no OTLP.
inline constexpr std::string_view kNoDestination = "none";

struct DeadLetter {
  Signal signal = Signal::kLogs;
  std::string_view request;      // an encoded Export<Signal>ServiceRequest
  std::uint64_t records = 0;     // in the request
  std::string_view destination;  // who refused it, as in the log; or kNoDestination
  std::string_view reason;       // for people; may hold a server's words
};

class DeadLetters {
 public:
  virtual ~DeadLetters() = default;

  /// False: not kept (no store, no room, no disk), and its records count as rejected.
  virtual bool keep(const DeadLetter& letter) = 0;
};

}  // namespace shmring::flusher
