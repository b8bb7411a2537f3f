// SPDX-License-Identifier: Apache-2.0
// A span's context as it travels between processes: the W3C Trace Context headers, level 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shmring/ids.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

/// Where a context comes from (specification "Trace API", IsRemote).
enum class ContextOrigin : std::uint8_t { kUnknown = 0, kLocal = 1, kRemote = 2 };

/// Specification "Trace API", SpanContext. What a child span or a link needs to know of a span.
struct SpanContext : TraceContext {
  std::string trace_state = {};  // the tracestate header, passed through as it is
  ContextOrigin origin = ContextOrigin::kUnknown;
};

inline constexpr std::size_t kTraceparentSize = 55;  // 00-<32 digits>-<16 digits>-<2 digits>

/// Reads a traceparent header (W3C Trace Context, 3.2) and takes `trace_state` along; the origin is kRemote.
///
/// nullopt, and the caller starts a new trace: another length (a version above 00 may go on after a further
/// '-'), version ff, digits other than 0-9a-f, an id of zeroes. Of the flags only `sampled` is kept: level 1
/// has no other, and asks for zero in their place. White space around the header is the HTTP library's to
/// remove. A trace state too large for memory is left out. Thread-safe; not async-signal-safe.
std::optional<SpanContext> parse_traceparent(std::string_view header,
                                             std::string_view trace_state = {}) noexcept;

/// The traceparent header of version 00 for this context, without a terminating zero. A context that is not
/// valid has no header: nullopt. Thread-safe and async-signal-safe.
std::optional<std::array<char, kTraceparentSize>> format_traceparent(const TraceContext& context) noexcept;

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
