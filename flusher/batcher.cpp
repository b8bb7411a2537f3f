// SPDX-License-Identifier: Apache-2.0
// Stages "batch" and "encode".

#include "flusher/batcher.hpp"

#include <utility>

namespace shmring::flusher {
namespace {

/// An empty piece that begins where `key` does.
Piece piece_at(SliceKey key) {
  key.end = key.begin;
  key.end_count = key.begin_count;
  return {.key = key};
}

/// Ends the piece before `offset` and gives the one that begins there.
Piece cut(Piece& piece, std::uint32_t offset) {
  piece.key.end = offset;
  piece.key.end_count = (piece.key.begin_count + piece.records()) & kCountMask;
  SliceKey rest = piece.key;
  rest.begin = rest.end;
  rest.begin_count = rest.end_count;
  return piece_at(rest);
}

}  // namespace

Batcher::Batcher(Signal signal, const BatchLimits& limits, Emit emit)
    : signal_(signal), limits_(limits), emit_(std::move(emit)) {}

void Batcher::add(const CheckedSlice& slice) {
  groups_.assign(slice.contexts.size(), std::nullopt);
  Piece piece = piece_at(slice.key);
  for (const CheckedRecord& record : slice.records) {
    if (!record.payload) {
      ++piece.invalid;
      continue;
    }
    if (is_full_for(group_of(slice, record.context), record.payload->size())) {
      Piece rest = cut(piece, record.offset);
      if (piece.records() > 0) {
        pieces_.push_back(piece);
      } else {
        rest.key.begin = piece.key.begin;  // nothing lies before: the context in front belongs to the rest
      }
      piece = rest;
      flush();
      groups_.assign(slice.contexts.size(), std::nullopt);  // groups are of one request
    }
    builder_.add(group_of(slice, record.context), *record.payload);
    ++piece.valid;
  }
  piece.corrupt = slice.corrupt;
  piece.key.end = slice.key.end;
  piece.key.end_count = slice.key.end_count;
  pieces_.push_back(piece);
}

void Batcher::flush() {
  if (pieces_.empty()) return;
  Batch batch{.signal = signal_, .number = next_number_++, .request = {}, .records = builder_.record_count()};
  batch.request.reserve(builder_.encoded_size());
  builder_.finish(batch.request);
  batch.pieces = std::exchange(pieces_, {});
  emit_(std::move(batch));
}

otlp::RequestBuilder::Group Batcher::group_of(const CheckedSlice& slice, std::uint32_t context) {
  auto& group = groups_[context];
  if (!group) group = builder_.group(slice.contexts[context].resource, slice.contexts[context].scope);
  return *group;
}

bool Batcher::is_full_for(otlp::RequestBuilder::Group group, std::size_t payload) const {
  if (builder_.is_empty()) return false;  // a record larger than the limit travels alone
  return builder_.record_count() >= limits_.records || !builder_.has_room_for(group, payload, limits_.bytes);
}

}  // namespace shmring::flusher
