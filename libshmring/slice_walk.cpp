// SPDX-License-Identifier: Apache-2.0
// Walks a slice: each record with the resource and scope that hold where it lies.
#include "libshmring/reader.hpp"
#include "libshmring/record_walk.hpp"

namespace shmring {
namespace {

constexpr std::uint16_t kLowScopes = 256;

}  // namespace

std::optional<RecordView> SliceWalk::next() {
  const std::span<const std::byte> bytes(slice_->bytes);
  // Never more than the counters promise: a record exists only if `committed` has counted it.
  while (seen_ < slice_->key.records()) {
    const RecordStep step = step_record(bytes, offset_, slice_->key.signal);
    if (step.kind == RecordStep::Kind::kEnd || step.kind == RecordStep::Kind::kBroken) return std::nullopt;
    const std::uint32_t at = offset_;
    const auto payload = bytes.subspan(at + sizeof(RecordHeader), step.header.size);
    offset_ = step.next;
    if (step.kind == RecordStep::Kind::kContext) {
      remember(step.header, payload);
      continue;
    }
    if (at + slice_->left_out < slice_->key.begin) continue;
    ++seen_;
    return RecordView{.kind = static_cast<RecordKind>(step.header.kind),
                      .offset = at + slice_->left_out,
                      .payload = payload,
                      .resource = resource_,
                      .scope = find_scope(step.header.scope)};
  }
  return std::nullopt;
}

std::uint64_t SliceWalk::corrupt() const noexcept { return slice_->key.records() - seen_; }

void SliceWalk::remember(const RecordHeader& header, std::span<const std::byte> payload) {
  if (header.kind == static_cast<std::uint8_t>(RecordKind::kClock)) return;  // its ticks are converted
  if (header.kind == static_cast<std::uint8_t>(RecordKind::kResource)) {
    resource_ = payload;
    low_scopes_.clear();  // another writer's section: its ids mean other scopes
    high_scopes_.clear();
  } else if (header.scope < kLowScopes) {
    if (header.scope >= low_scopes_.size()) low_scopes_.resize(header.scope + std::size_t{1});
    low_scopes_[header.scope] = payload;
  } else {
    high_scopes_[header.scope] = payload;
  }
}

std::span<const std::byte> SliceWalk::find_scope(std::uint16_t id) const noexcept {
  if (id < kLowScopes) return id < low_scopes_.size() ? low_scopes_[id] : std::span<const std::byte>{};
  const auto found = high_scopes_.find(id);
  return found == high_scopes_.end() ? std::span<const std::byte>{} : found->second;
}

}  // namespace shmring
