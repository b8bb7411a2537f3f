// SPDX-License-Identifier: Apache-2.0
// Records that are no OTLP, on their way to the dead letters.

#include "flusher/invalid_records.hpp"

#include <fmt/format.h>

#include <string>

namespace shmring::flusher {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;  // of a letter, unless one record alone is larger

}  // namespace

void InvalidRecords::add(const CheckedSlice& slice) {
  if (store_ == nullptr) return;
  Lot& lot = lots_[static_cast<std::size_t>(slice.key.signal)];
  for (const BadRecord& record : slice.bad) add(lot, slice.contexts[record.context], record);
}

void InvalidRecords::add(Lot& lot, const RecordContext& context, const BadRecord& record) {
  const otlp::RequestBuilder::Group group = lot.builder.group(context.resource, context.scope);
  if (!lot.builder.is_empty() && !lot.builder.has_room_for(group, record.bytes.size(), kMostBytes)) {
    ++lot.left_out;
    return;
  }
  lot.builder.add(group, record.bytes);
  ++lot.reasons[static_cast<std::size_t>(record.reason)];
}

void InvalidRecords::keep() {
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    if (!lots_[s].builder.is_empty()) keep(static_cast<Signal>(s), lots_[s]);
  }
}

void InvalidRecords::keep(Signal signal, Lot& lot) {
  std::string reason = "no OTLP:";
  for (std::size_t r = 0; r < lot.reasons.size(); ++r) {
    if (lot.reasons[r] == 0) continue;
    reason += fmt::format(" {} ({}),", otlp::to_string(static_cast<otlp::Reason>(r)), lot.reasons[r]);
  }
  reason.pop_back();
  if (lot.left_out > 0)
    reason += fmt::format("; {} more came at the same time and were not kept", lot.left_out);
  const std::uint64_t records = lot.builder.record_count();
  std::string request;
  lot.builder.finish(request);
  store_->keep({.signal = signal,
                .request = request,
                .records = records,
                .destination = kNoDestination,
                .reason = reason});
  lot.reasons = {};
  lot.left_out = 0;
}

}  // namespace shmring::flusher
