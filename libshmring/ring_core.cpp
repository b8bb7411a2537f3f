// SPDX-License-Identifier: Apache-2.0
// An attached ring inside a producing process.
#include "libshmring/ring_core.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <utility>

#include "libshmring/fork_page.hpp"
#include "libshmring/scope.hpp"
#include "libshmring/system.hpp"
#include "libshmring/tick_clock.hpp"

namespace shmring {
namespace {

constexpr std::uint32_t kMaxScopes = 1U << 16U;  // what a record header can name

// Every ring that this process is attached to. Grows only.
constinit std::atomic<RingCore*> all_rings{nullptr};

/// Runs in a child of fork(): only where the forking thread had a slot open there is something to do (R19).
[[gnu::hot]] void in_forked_child() {
  note_forked();
  for (WriterState* state = this_thread_writers; state != nullptr; state = state->next) {
    const bool holds_slot =
        std::any_of(std::begin(state->levels), std::end(state->levels), [](const auto& level) {
          return level.busy.load(std::memory_order_relaxed) !=
                 WriterLevel::kFree;  // relaxed: this thread's own, copied by the fork
        });
    if (holds_slot) state->ring->detach_inherited_mapping();
  }
  // The parent's: its thread lives on there. Whoever is not told (the child of _Fork()) finds out by the generation.
  inherited_writers = std::exchange(this_thread_writers, nullptr);
}

Result<void> watch_forks() {
  static const int error = ::pthread_atfork(&note_fork, nullptr, &in_forked_child);
  if (error != 0) return system_error("register", "a fork handler", error);
  return {};
}

/// Memory that costs nothing until it is touched, and lives as long as the process.
std::byte* map_pages(std::size_t bytes) {
  void* memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

constexpr std::uint32_t kStatesInPage = RingCore::kPage / sizeof(WriterState);
static_assert(kStatesInPage >= 1);

RingCore* find_ring(const FileKey& key) noexcept {
  RingCore* ring = all_rings.load(std::memory_order_acquire);  // P10
  while (ring != nullptr && ring->file().key() != key) ring = ring->next();
  return ring;
}

}  // namespace

// No destructor, no initialiser that runs: it also loads in a dlopen'ed extension, and a thread that ends does nothing.
constinit thread_local WriterState* this_thread_writers = nullptr;
constinit thread_local const WriterState* inherited_writers = nullptr;

Result<RingCore*> RingCore::adopt(RingFile file, const ProcessOptions& options) {
  if (RingCore* existing = find_ring(file.key())) return existing;
  auto page = prepare_fork_page();
  if (!page) return page.error();
  if (auto watched = watch_forks(); !watched) return watched.error();
  static_cast<void>(remembered_pid_namespace());  // so that children need not ask for it
  auto core = std::unique_ptr<RingCore>(new RingCore(std::move(file), *page));
  if (auto prepared = core->prepare(options); !prepared) return prepared.error();
  core->next_ = all_rings.load(std::memory_order_acquire);  // P10
  do {
    // Two threads that open the same ring at once: the second finds the first's.
    if (RingCore* existing = find_ring(core->file().key())) return existing;
  } while (!all_rings.compare_exchange_weak(core->next_, core.get(), std::memory_order_acq_rel));  // P10
  return core.release();  // for ever: a writer may use it until the process ends
}

RingCore::~RingCore() {
  if (states_ != nullptr) ::munmap(states_, state_pages_ * kPage);
  std::free(scopes_);
}

Result<void> RingCore::prepare(const ProcessOptions& options) {
  config_ = read_producer_config();
  clock_ = usable(options.clock.value_or(config_.clock));
  calibration_ = calibration_now();  // whatever the clock: a logger may have another
  auto fixed = encode_fixed_resource(options.resource);
  if (!fixed) return fixed.error();
  resource_ = std::move(*fixed);
  const std::size_t block = file_.geometry().block_bytes;
  const std::size_t context = record_bytes(resource_.encoded.size() + kProcessResourceMax);
  if (context > block / 4) {
    return Error{ErrorCode::kInvalidArgument,
                 "the resource attributes take " + human_bytes(context) + " of every block of " +
                     human_bytes(block) +
                     "; at most a quarter is allowed: shorten OTEL_RESOURCE_ATTRIBUTES, or create the ring "
                     "with larger blocks"};
  }
  const std::size_t beside =
      context + record_bytes(scope_limit(block)) + kClockRecordBytes + sizeof(RecordHeader);
  // A run takes half of the ring at most, and ends where `committed` can still say so.
  const std::size_t longest_run =
      std::min<std::size_t>(file_.geometry().block_count / 2 * block, kLargestRunBytes);
  const std::uint32_t limit =
      header().max_record_bytes.load(std::memory_order_relaxed);  // relaxed: set at creation
  max_payload_ =
      std::max(block, std::min(longest_run, std::size_t{std::min(limit, kLargestMaxRecordBytes)} + beside)) -
      beside;
  state_pages_ = (file_.geometry().writer_count + kStatesInPage - 1) / kStatesInPage;
  states_ = map_pages(state_pages_ * kPage);
  // From the heap, which a leak checker follows: a program that is tested with one must not be told of our scopes. Large
  // enough that untouched pages cost nothing here either.
  scopes_ = static_cast<std::atomic<const std::string*>*>(std::calloc(kMaxScopes, sizeof(*scopes_)));
  if (states_ == nullptr || scopes_ == nullptr)
    return system_error("map", "memory for the ring's writers", errno);
  return {};
}

ScopeId RingCore::intern_scope(const ScopeOptions& scope) {
  std::string encoded = encode_scope_within(scope, scope_limit(file_.geometry().block_bytes));
  if (encoded.empty()) return {};
  const std::uint32_t known = std::min(scope_count_.load(std::memory_order_acquire), kMaxScopes - 1);  // P10
  for (std::uint32_t id = 1; id <= known; ++id) {
    const std::string* other = scopes_[id].load(std::memory_order_acquire);  // P10
    if (other != nullptr && *other == encoded) return {static_cast<std::uint16_t>(id)};
  }
  if (known + 1 >= kMaxScopes) return {};
  // No lock that a fork could leave held: two threads that race for a new scope give it two numbers, which does no harm.
  const std::uint32_t id = scope_count_.fetch_add(1, std::memory_order_acq_rel) + 1;  // P10
  if (id >= kMaxScopes) return {};
  scopes_[id].store(new std::string(std::move(encoded)), std::memory_order_release);  // P10
  return {static_cast<std::uint16_t>(id)};
}

[[gnu::hot]] std::string_view RingCore::scope(ScopeId id) const noexcept {
  const std::string* encoded = scopes_[id.value].load(std::memory_order_acquire);  // P10
  return encoded == nullptr ? std::string_view{} : std::string_view{*encoded};
}

bool RingCore::may_ask_proc() noexcept {
  constexpr std::uint64_t kEveryNs = 100'000'000;
  const std::uint64_t now = monotonic_ns();
  std::uint64_t last = last_asked_proc_ns_.load(std::memory_order_relaxed);  // relaxed: decides only who asks
  if (last != 0 && now - last < kEveryNs) return false;
  return last_asked_proc_ns_.compare_exchange_strong(last, now,
                                                     std::memory_order_relaxed);  // relaxed: likewise
}

void RingCore::detach_inherited_mapping() noexcept {
  std::byte* inherited = file_.base();
  const auto bytes = static_cast<std::size_t>(file_.geometry().file_bytes);
  // mremap(2): an old size of zero makes a second mapping of the same shared pages. Works after the descriptor was closed.
  void* moved = ::mremap(inherited, 0, bytes, MREMAP_MAYMOVE);
  // The program may have closed our descriptor, and a shorter file may bear its number now.
  struct stat info {};
  const bool is_ring = ::fstat(file_.fd(), &info) == 0 && FileKey{info.st_dev, info.st_ino} == file_.key();
  void* copy = MAP_FAILED;
  if (is_ring)
    copy = ::mmap(inherited, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file_.fd(), 0);
  if (copy == MAP_FAILED) {
    copy = ::mmap(inherited, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  // Without a second mapping the child's records would go into its private copy, and count as committed: better none.
  if (moved == MAP_FAILED || copy == MAP_FAILED) {
    ring_lost_in_child_ = true;
    return;
  }
  file_.move_mapping(static_cast<std::byte*>(moved));
}

const ProducerConfig& producer_config(const RingCore& ring) noexcept { return ring.config(); }
const std::atomic<std::uint32_t>* min_severity(const RingCore& ring) noexcept {
  return &ring.header().min_severity;
}

}  // namespace shmring
