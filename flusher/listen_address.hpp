// SPDX-License-Identifier: Apache-2.0
// ADDR:PORT as people write it, and a listening socket there.
#pragma once

#include <cstdint>
#include <string>

#include "shmring/result.hpp"

namespace shmring::flusher {

struct HostAndPort {
  std::string host;  // a numeric address; without the brackets of IPv6
  std::uint16_t port = 0;
};

/// ADDR:PORT, [ADDR]:PORT; PORT alone means 127.0.0.1.
Result<HostAndPort> parse_listen_address(const std::string& text);

struct Listening {
  int fd = -1;          // the caller's, does not block
  std::string address;  // with the port that it got
};

Result<Listening> listen_on(const std::string& address);

}  // namespace shmring::flusher
