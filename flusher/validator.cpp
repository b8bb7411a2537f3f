// SPDX-License-Identifier: Apache-2.0
// Stage "validate".

#include "flusher/validator.hpp"

#include <cstring>

namespace shmring::flusher {
namespace {

bool is_same(otlp::Bytes a, otlp::Bytes b) { return a.data() == b.data() && a.size() == b.size(); }

bool is_equal(otlp::Bytes a, otlp::Bytes b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

const CheckedSlice& Validator::check(const Slice& slice) {
  checked_.key = slice.key;
  checked_.records.clear();
  checked_.contexts.clear();
  checked_.bad.clear();
  mended_.clear();
  ++slice_number_;
  SliceWalk walk(slice);
  while (const auto record = walk.next()) {
    const otlp::Verdict verdict = otlp::validate(slice.key.signal, record->payload, scratch_);
    CheckedRecord checked{
        .offset = record->offset, .context = context_of(slice, *record), .payload = std::nullopt};
    if (verdict.outcome == otlp::Outcome::kInvalid) {
      ++invalid_[static_cast<std::size_t>(verdict.reason)];
      checked_.bad.push_back(
          {.context = checked.context, .reason = verdict.reason, .bytes = record->payload});
    } else {
      checked.payload = keep(verdict);
    }
    checked_.records.push_back(checked);
  }
  checked_.corrupt = walk.corrupt();
  return checked_;
}

std::uint32_t Validator::context_of(const Slice& slice, const RecordView& record) {
  const bool is_seen = !checked_.contexts.empty() && is_same(seen_.resource, record.resource) &&
                       is_same(seen_.scope, record.scope);
  if (is_seen) return seen_context_;
  seen_ = {record.resource, record.scope};
  // A scope record belongs to the resource before it, so one offset names both. No context begins at offset 0: that one is none.
  const std::byte* const at = record.scope.data() != nullptr ? record.scope.data() : record.resource.data();
  const std::size_t index =
      at == nullptr ? 0 : static_cast<std::size_t>(at - slice.bytes.data()) / kRecordAlignment;
  if (index >= places_.size()) places_.resize(index + 1);
  Place& place = places_[index];
  if (place.slice != slice_number_) {
    place = {slice_number_, static_cast<std::uint32_t>(checked_.contexts.size())};
    // The record's own verdict may still point into the scratch buffer: contexts are mended in one of their own.
    checked_.contexts.push_back(
        {checked(otlp::MessageType::kResource, record.resource, known_.resource),
         checked(otlp::MessageType::kInstrumentationScope, record.scope, known_.scope)});
  }
  return seen_context_ = place.context;
}

otlp::Context Validator::checked(otlp::MessageType type, otlp::Bytes record, std::vector<std::byte>& known) {
  const otlp::Context as_it_is = otlp::split_context(record);
  if (record.empty() || is_equal(record, known)) return as_it_is;
  std::vector<std::byte> repaired;
  const otlp::Context context = otlp::checked_context(type, record, repaired);
  if (is_same(context.message, as_it_is.message) && context.schema_url.size() == as_it_is.schema_url.size())
    known.assign(record.begin(), record.end());
  if (!repaired.empty()) mended_.push_back(std::move(repaired));  // which moves none of its bytes
  return context;
}

otlp::Bytes Validator::keep(const otlp::Verdict& verdict) {
  if (verdict.outcome == otlp::Outcome::kValid) return verdict.payload;
  return mended_.emplace_back(verdict.payload.begin(), verdict.payload.end());
}

}  // namespace shmring::flusher
