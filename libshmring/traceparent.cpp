// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context, level 1: the traceparent header.

#include "shmring/traceparent.hpp"

#include <algorithm>
#include <new>

namespace shmring {
namespace {

//   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//   0  3                                36               53
constexpr std::size_t kTraceIdAt = 3;
constexpr std::size_t kSpanIdAt = 36;
constexpr std::size_t kFlagsAt = 53;

using Byte = Id<1, struct ByteTag>;

}  // namespace

std::optional<SpanContext> parse_traceparent(std::string_view header, std::string_view trace_state) noexcept {
  if (header.size() < kTraceparentSize) return std::nullopt;
  if (header[kTraceIdAt - 1] != '-' || header[kSpanIdAt - 1] != '-' || header[kFlagsAt - 1] != '-')
    return std::nullopt;
  const auto version = Byte::from_hex(header.substr(0, 2));
  const auto trace_id = TraceId::from_hex(header.substr(kTraceIdAt, 32));
  const auto span_id = SpanId::from_hex(header.substr(kSpanIdAt, 16));
  const auto flags = Byte::from_hex(header.substr(kFlagsAt, 2));
  if (!version || !trace_id || !span_id || !flags) return std::nullopt;
  if (version->bytes[0] == 0xFF || !trace_id->is_valid() || !span_id->is_valid()) return std::nullopt;
  if (header.size() > kTraceparentSize) {
    // A later version may say more, and what we know of it still stands where it stood (3.2.4, Versioning).
    if (version->bytes[0] == 0 || header[kTraceparentSize] != '-') return std::nullopt;
  }
  SpanContext context;
  context.trace_id = *trace_id;
  context.span_id = *span_id;
  context.flags = flags->bytes[0] & kSampledFlag;
  context.origin = ContextOrigin::kRemote;
  try {
    context.trace_state = trace_state;
  } catch (const std::bad_alloc&) {
    context.trace_state.clear();
  }
  return context;
}

std::optional<std::array<char, kTraceparentSize>> format_traceparent(const TraceContext& context) noexcept {
  if (!context.is_valid()) return std::nullopt;
  std::array<char, kTraceparentSize> header{'0', '0', '-'};
  std::ranges::copy(context.trace_id.hex(), header.begin() + kTraceIdAt);
  header[kSpanIdAt - 1] = '-';
  std::ranges::copy(context.span_id.hex(), header.begin() + kSpanIdAt);
  header[kFlagsAt - 1] = '-';
  header[kFlagsAt] = '0';
  header[kFlagsAt + 1] = context.is_sampled() ? '1' : '0';
  return header;
}

}  // namespace shmring
