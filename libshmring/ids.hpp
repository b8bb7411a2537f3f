// SPDX-License-Identifier: Apache-2.0
// Random numbers for trace and span ids.
#pragma once

#include <cstdint>

#include "shmring/ids.hpp"

namespace shmring {

/// 64 random bits. From the calling thread's writer state, which is seeded anew in every thread and every
/// forked child, where it has one in this process; else from the kernel (a system call each time). No
/// thread-local state of its own. Thread-safe and async-signal-safe: a handler that interrupts it gets
/// another number. Not for secrets.
std::uint64_t random_u64() noexcept;

/// Never all zero.
TraceId random_trace_id() noexcept;
SpanId random_span_id() noexcept;

}  // namespace shmring
