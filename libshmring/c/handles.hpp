// SPDX-License-Identifier: Apache-2.0
// What is behind the handles of the C interface, and how its functions fail.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "shmring/logger.hpp"
#include "shmring/result.hpp"
#include "shmring/ring.hpp"
#include "shmring/shmring.h"
#include "shmring/span.hpp"
#include "shmring/tracer.hpp"

struct shmring_ring {
  shmring::Ring ring;
};
struct shmring_logger {
  shmring::Logger logger;
};
struct shmring_tracer {
  shmring::Tracer tracer;
  const shmring::RingCore* ring;
};
struct shmring_span {
  shmring::Span span;
  const shmring::RingCore* ring;
  std::uint64_t process_generation;  // of who started it
};

namespace shmring::c {

/// Keeps the message for shmring_error_message(). Gives the number.
int fail(int error, std::string_view message) noexcept;
int fail(const Error& error) noexcept;

/// Runs `body`, which gives 0 or an error; no exception leaves it.
template <typename Body>
int guarded(const Body& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return fail(SHMRING_E_NO_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(SHMRING_E_SYSTEM, error.what());
  }
}

}  // namespace shmring::c
