// SPDX-License-Identifier: Apache-2.0
// Stage "validate".

#include "flusher/validator.hpp"

namespace shmring::flusher {
namespace {

bool is_same(otlp::Bytes a, otlp::Bytes b) { return a.data() == b.data() && a.size() == b.size(); }

}  // namespace

const CheckedSlice& Validator::check(const Slice& slice) {
  checked_.key = slice.key;
  checked_.records.clear();
  checked_.contexts.clear();
  mended_.clear();
  SliceWalk walk(slice);
  while (const auto record = walk.next()) {
    const otlp::Verdict verdict = otlp::validate(slice.key.signal, record->payload, scratch_);
    CheckedRecord checked{.offset = record->offset, .context = context_of(*record), .payload = std::nullopt};
    if (verdict.outcome == otlp::Outcome::kInvalid) {
      ++invalid_[static_cast<std::size_t>(verdict.reason)];
    } else {
      checked.payload = keep(verdict);
    }
    checked_.records.push_back(checked);
  }
  checked_.corrupt = walk.corrupt();
  return checked_;
}

std::uint32_t Validator::context_of(const RecordView& record) {
  const bool is_known = !checked_.contexts.empty() && is_same(seen_.resource, record.resource) &&
                        is_same(seen_.scope, record.scope);
  if (!is_known) {
    seen_ = {record.resource, record.scope};
    // The record's own verdict may still point into the scratch buffer: contexts are mended in one of their own.
    checked_.contexts.push_back({checked_context(otlp::MessageType::kResource, record.resource),
                                 checked_context(otlp::MessageType::kInstrumentationScope, record.scope)});
  }
  return static_cast<std::uint32_t>(checked_.contexts.size() - 1);
}

otlp::Bytes Validator::checked_context(otlp::MessageType type, otlp::Bytes bytes) {
  if (bytes.empty()) return {};
  std::vector<std::byte> buffer;
  const otlp::Verdict verdict = otlp::validate(type, bytes, buffer);
  if (verdict.outcome == otlp::Outcome::kInvalid) return {};
  if (verdict.outcome == otlp::Outcome::kValid) return verdict.payload;
  return mended_.emplace_back(std::move(buffer));
}

otlp::Bytes Validator::keep(const otlp::Verdict& verdict) {
  if (verdict.outcome == otlp::Outcome::kValid) return verdict.payload;
  return mended_.emplace_back(verdict.payload.begin(), verdict.payload.end());
}

}  // namespace shmring::flusher
