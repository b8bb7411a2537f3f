// SPDX-License-Identifier: Apache-2.0
// The C interface: rings, raw records, accounting.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "libshmring/accounting.hpp"
#include "libshmring/c/handles.hpp"
#include "libshmring/c/scopes.hpp"
#include "libshmring/c/values.hpp"
#include "libshmring/ring_core.hpp"

namespace shmring::c {
namespace {

constexpr const char* kNoRing = "the ring's handle is null";

std::optional<Clock> clock_of(std::uint32_t clock) noexcept {
  if (clock == SHMRING_CLOCK_DEFAULT) return std::nullopt;
  return static_cast<Clock>(clock - SHMRING_CLOCK_REALTIME);
}
static_assert(static_cast<int>(Clock::kCoarse) == SHMRING_CLOCK_COARSE - SHMRING_CLOCK_REALTIME &&
              static_cast<int>(Clock::kTsc) == SHMRING_CLOCK_TSC - SHMRING_CLOCK_REALTIME);
static_assert(static_cast<int>(FullPolicy::kBlock) == SHMRING_BLOCK &&
              static_cast<int>(FullPolicy::kDropOldest) == SHMRING_DROP_OLDEST);
static_assert(static_cast<int>(RecordKind::kLog) == SHMRING_RECORD_LOG &&
              static_cast<int>(RecordKind::kMetric) == SHMRING_RECORD_METRIC);
static_assert(static_cast<int>(DropCause::kUnsupportedProcess) == SHMRING_DROP_UNSUPPORTED_PROCESS &&
              kDropCauseCount == SHMRING_DROP_CAUSES && std::size(shmring_status{}.dropped) == kDropCells);

/// 0 or an error. Zero is the default of each.
int read_options(const shmring_open_options& given, OpenOptions& options) {
  if (given.clock > SHMRING_CLOCK_TSC) return fail(SHMRING_E_INVALID_ARGUMENT, "clock is no shmring_clock");
  if (given.on_full > SHMRING_DROP_OLDEST)
    return fail(SHMRING_E_INVALID_ARGUMENT, "on_full is no shmring_full_policy");
  if (given.path != nullptr) options.path = given.path;
  if (given.capacity_bytes != 0) options.capacity_bytes = given.capacity_bytes;
  if (given.block_bytes != 0) options.block_bytes = given.block_bytes;
  if (given.writers != 0) options.writers = given.writers;
  options.on_full = static_cast<FullPolicy>(given.on_full);
  if (given.block_timeout_us != 0) options.block_timeout = std::chrono::microseconds(given.block_timeout_us);
  if (given.max_record_bytes != 0) options.max_record_bytes = given.max_record_bytes;
  options.clock = clock_of(given.clock);
  if (given.service_name != nullptr) options.resource.service_name = given.service_name;
  Converter converter;
  options.resource.attributes = converter.attributes(given.resource);
  options.resource.schema_url = text_of(given.resource_schema_url);
  return SHMRING_OK;
}

Result<Ring> open(const OpenOptions& options, bool attach_only) {
  if (attach_only) {
    auto file = RingFile::attach(options.path);
    if (!file) return file.error();
  }
  return Ring::open_or_create(options);
}

bool is_record(std::uint32_t kind) noexcept {
  return kind >= SHMRING_RECORD_LOG && kind <= SHMRING_RECORD_METRIC;
}

Slot& slot_in(shmring_slot& slot) noexcept {
  static_assert(sizeof(Slot) <= sizeof(slot.state) && alignof(Slot) <= alignof(std::uint64_t));
  return *std::launder(reinterpret_cast<Slot*>(slot.state));
}

std::atomic<shmring_error_handler> c_handler{nullptr};
void hand_on(DropCause cause, std::string_view message) {
  // relaxed: the address of a function, and nothing is behind it
  if (const shmring_error_handler handler = c_handler.load(std::memory_order_relaxed))
    handler(static_cast<std::uint32_t>(cause), message.data(), message.size());
}

}  // namespace
}  // namespace shmring::c

using namespace shmring;     // NOLINT: the functions below are C's
using namespace shmring::c;  // NOLINT

extern "C" {

int shmring_open(const shmring_open_options* given, shmring_ring** ring) {
  if (ring == nullptr) return fail(SHMRING_E_INVALID_ARGUMENT, "no place for the ring's handle");
  *ring = nullptr;
  return guarded([&] {
    shmring_open_options sized;
    if (!read(given, sized) && given != nullptr)
      return fail(SHMRING_E_INCOMPATIBLE_VERSION,
                  "shmring_open_options: its size is not set, or it says what this library does not know");
    OpenOptions options;
    if (const int error = read_options(sized, options)) return error;
    auto opened = open(options, sized.attach_only != 0);
    if (!opened) return fail(opened.error());
    *ring = new shmring_ring{*opened};
    return int{SHMRING_OK};
  });
}

void shmring_close(shmring_ring* ring) { delete ring; }

const char* shmring_path(const shmring_ring* ring) {
  return ring == nullptr ? "" : ring->ring.path().c_str();
}

std::size_t shmring_max_payload(const shmring_ring* ring) {
  return ring == nullptr ? 0 : ring->ring.max_payload();
}

int shmring_set_min_severity(const shmring_ring* ring, std::uint32_t severity_number) {
  if (ring == nullptr) return fail(SHMRING_E_INVALID_ARGUMENT, kNoRing);
  if (severity_number > 24) return fail(SHMRING_E_INVALID_ARGUMENT, "severity numbers go from 0 to 24");
  ring->ring.set_min_severity(severity_number);
  return SHMRING_OK;
}

int shmring_prepare_thread(const shmring_ring* ring) {
  if (ring == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  return ring->ring.prepare_thread() ? SHMRING_OK : SHMRING_E_DROPPED;
}

int shmring_scope(const shmring_ring* ring, shmring_text name, shmring_text version, std::uint16_t* scope) {
  const shmring_scope_options options = named_scope(name, version);
  return shmring_scope_for(ring, &options, scope);
}

int shmring_scope_for(const shmring_ring* ring, const shmring_scope_options* given, std::uint16_t* scope) {
  if (ring == nullptr || scope == nullptr)
    return fail(SHMRING_E_INVALID_ARGUMENT, "no ring, or no place for the scope's number");
  return with_scope(given, [&](const ScopeOptions& options) { *scope = ring->ring.scope(options).value; });
}

int shmring_reserve(const shmring_ring* ring, std::uint32_t record_kind, std::uint16_t scope,
                    std::size_t size, shmring_slot* slot) {
  if (slot == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  slot->data = nullptr;
  slot->size = 0;
  // A scope that nobody has been given has no name to be written.
  if (ring == nullptr || !is_record(record_kind) ||
      (scope != 0 && ring->ring.core()->scope(ScopeId{scope}).data() == nullptr))
    return SHMRING_E_INVALID_ARGUMENT;
  Slot* const reserved = ::new (static_cast<void*>(slot->state))
      Slot(ring->ring.writer().try_reserve(static_cast<RecordKind>(record_kind), size, ScopeId{scope}));
  if (!*reserved) return SHMRING_E_DROPPED;
  slot->data = reserved->payload().data();
  slot->size = reserved->payload().size();
  return SHMRING_OK;
}

int shmring_commit(shmring_slot* slot, std::size_t used) {
  if (slot == nullptr || slot->data == nullptr) return SHMRING_E_INVALID_ARGUMENT;
  if (used > slot->size) {
    shmring_abandon(slot);
    return SHMRING_E_INVALID_ARGUMENT;
  }
  slot->data = nullptr;
  return std::move(slot_in(*slot)).commit(used) ? SHMRING_OK : SHMRING_E_DROPPED;
}

void shmring_abandon(shmring_slot* slot) {
  if (slot == nullptr || slot->data == nullptr) return;
  slot->data = nullptr;
  slot_in(*slot).abandon();
}

int shmring_write(const shmring_ring* ring, std::uint32_t record_kind, std::uint16_t scope, const void* data,
                  std::size_t size) {
  if (data == nullptr && size != 0) return SHMRING_E_INVALID_ARGUMENT;
  shmring_slot slot;
  if (const int error = shmring_reserve(ring, record_kind, scope, size, &slot)) return error;
  if (size != 0) std::memcpy(slot.data, data, size);
  return shmring_commit(&slot, size);
}

int shmring_get_status(const shmring_ring* ring, shmring_status* status) {
  if (ring == nullptr || status == nullptr || status->size < sizeof(status->size))
    return fail(SHMRING_E_INVALID_ARGUMENT, "no ring, or a status whose size is not set");
  return guarded([&] {
    const Accounting books = account(ring->ring.core()->file());
    const auto outcome = [&](Outcome each) { return books.total.outcomes[static_cast<std::size_t>(each)]; };
    shmring_status found{};
    found.size = status->size;
    found.attempted = books.total.attempted();
    found.written = books.total.written;
    std::copy(books.total.dropped.begin(), books.total.dropped.end(), std::begin(found.dropped));
    found.pending = books.total.pending;
    found.accepted = outcome(Outcome::kAccepted);
    found.rejected = outcome(Outcome::kRejected);
    found.dead_lettered = outcome(Outcome::kDeadLettered);
    found.invalid = outcome(Outcome::kInvalid);
    found.corrupt = outcome(Outcome::kCorrupt);
    found.evicted = outcome(Outcome::kEvicted) + outcome(Outcome::kSpoolEvicted);
    found.spooled = outcome(Outcome::kSpooled);
    found.duplicates_possible = books.total.duplicates_possible;
    found.closes = books.closing == Closing::kCloses ? 1 : 0;
    found.blocks = books.blocks.total;
    found.free_blocks = books.blocks.free;
    std::memcpy(status, &found, std::min(found.size, sizeof(found)));
    return int{SHMRING_OK};
  });
}

void shmring_set_error_handler(shmring_error_handler handler) {
  c_handler.store(handler, std::memory_order_relaxed);  // relaxed: as above
  set_error_handler(handler == nullptr ? nullptr : hand_on);
}

}  // extern "C"
