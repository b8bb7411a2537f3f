// SPDX-License-Identifier: Apache-2.0
// A small ring whose words and bytes a test sets by hand.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "libshmring/lease.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/reader.hpp"
#include "libshmring/ring_file.hpp"
#include "libshmring/robust_mutex.hpp"
#include "shmring/ring.hpp"

namespace shmring::test {

/// A folder that goes away with the test.
class TestFolder {
 public:
  enum class Where { kMemory, kDisk };  // where there is either

  explicit TestFolder(Where where = Where::kMemory) {
    const char* base = std::getenv("TMPDIR");
    std::string name = base != nullptr ? base : where == Where::kDisk ? "/var/tmp" : "/tmp";
    if (where == Where::kMemory && ::access("/dev/shm", W_OK) == 0) name = "/dev/shm";
    name += "/shmring-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "cannot make " << name;
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct RingShape {
  std::uint32_t blocks = 4;
  std::uint32_t writers = 4;
  std::uint32_t block_bytes = 4096;
  FullPolicy on_full = FullPolicy::kDropNewest;
  std::chrono::microseconds block_timeout{10000};
};

inline RingFile make_ring(const std::filesystem::path& path, const RingShape& shape) {
  CreateOptions options;
  options.path = path;
  options.block_bytes = shape.block_bytes;
  options.capacity_bytes = std::uint64_t{shape.block_bytes} * shape.blocks;
  options.writers = shape.writers;
  options.on_full = shape.on_full;
  options.block_timeout = shape.block_timeout;
  if (auto created = RingFile::create(options); !created) {
    ADD_FAILURE() << created.error().message;
    std::abort();
  }
  auto file = RingFile::attach(path);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    std::abort();
  }
  return std::move(*file);
}

class TestRing {
 public:
  explicit TestRing(const RingShape& shape = {}) : file_(make_ring(folder_.path() / "test.ring", shape)) {}

  const RingFile& file() const { return file_; }
  const std::filesystem::path& path() const { return file_.path(); }
  const std::filesystem::path& folder() const { return folder_.path(); }
  RingHeader& header() const { return file_.header(); }
  WriterSlot& slot(std::uint32_t index) const { return file_.slots()[index]; }
  BlockDescriptor& descriptor(std::uint32_t index) const { return file_.descriptors()[index]; }

  StateWord state(std::uint32_t block) const { return StateWord::unpack(descriptor(block).state.load()); }
  CommittedWord committed(std::uint32_t block) const { return {descriptor(block).committed.load()}; }
  ExportedWord exported(std::uint32_t block) const {
    return ExportedWord::unpack(descriptor(block).exported.load());
  }
  std::uint64_t outcome(std::uint32_t block, Outcome outcome, Signal signal = Signal::kLogs) const {
    const auto& set = descriptor(block).outcomes[exported(block).set];
    return OutcomeCell::unpack(
               set[static_cast<std::size_t>(signal)][static_cast<std::size_t>(outcome)].load())
        .records;
  }
  std::uint64_t header_drops(DropCause cause, Signal signal = Signal::kLogs) const {
    return header().dropped[static_cast<std::size_t>(signal)][static_cast<std::size_t>(cause)].load();
  }
  std::uint64_t slot_drops(std::uint32_t index, DropCause cause, Signal signal = Signal::kLogs) const {
    return slot(index).dropped[static_cast<std::size_t>(signal)][static_cast<std::size_t>(cause)].load();
  }
  std::uint32_t blocks_in(BlockState wanted) const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < file_.geometry().block_count; ++i)
      count += state(i).state == wanted ? 1U : 0U;
    return count;
  }

  /// The ring as programs see it.
  Ring open() const {
    auto ring = Ring::open(path());
    if (!ring) {
      ADD_FAILURE() << ring.error().message;
      std::abort();
    }
    return *ring;
  }

 private:
  TestFolder folder_;
  RingFile file_;
};

// ------------------------------------------------------------------------------------------------- slots by hand

inline void set_futex_word(WriterSlot& slot, std::uint32_t word) {
  reinterpret_cast<std::atomic<std::uint32_t>*>(slot.mutex + kFutexWordOffset)->store(word);
}

/// A slot whose words say that thread `tid` of this pid namespace holds it.
inline void hold_slot(WriterSlot& slot, std::uint32_t generation, std::uint32_t tid) {
  set_futex_word(slot, tid);
  slot.tid.store(tid);
  slot.pid.store(tid);
  slot.pid_namespace.store(pid_namespace());
  slot.registered_ns.store(boottime_ns());
  slot.claim.store(ClaimWord{.generation = generation,
                             .phase = SlotPhase::kHeld,
                             .tid = tid,
                             .namespace_tag = static_cast<std::uint32_t>(pid_namespace() & 0xFFFFFU)}
                       .pack());
}

/// What the kernel does when a holder ends.
inline void mark_died(WriterSlot& slot) { set_futex_word(slot, kFutexOwnerDied); }

// ------------------------------------------------------------------------------------------------ blocks by hand

/// The bytes of a block as its writers append them.
class BlockText {
 public:
  explicit BlockText(Signal signal = Signal::kLogs) : signal_(signal) {}

  BlockText& resource(std::string_view text) { return append(RecordKind::kResource, 0, text, 0); }
  BlockText& scope(std::uint16_t id, std::string_view text) {
    return append(RecordKind::kScope, id, text, 0);
  }
  BlockText& record(std::string_view text, std::uint16_t scope = 0) {
    return append(kind_of(signal_), scope, text, 1);
  }

  Signal signal() const { return signal_; }
  std::uint64_t records() const { return records_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }

 private:
  BlockText& append(RecordKind kind, std::uint16_t scope, std::string_view text, std::uint64_t counted) {
    const RecordHeader header{static_cast<std::uint32_t>(text.size()), static_cast<std::uint8_t>(kind), 0,
                              scope};
    const std::size_t at = bytes_.size();
    bytes_.resize(at + record_bytes(text.size()));
    std::memcpy(bytes_.data() + at, &header, sizeof(header));
    std::memcpy(bytes_.data() + at + sizeof(header), text.data(), text.size());
    records_ += counted;
    return *this;
  }

  Signal signal_;
  std::uint64_t records_ = 0;
  std::vector<std::byte> bytes_;
};

/// Makes a block hold `text`, in a life that `before` records preceded (all accepted).
inline void fill_block(const TestRing& ring, std::uint32_t index, StateWord state, const BlockText& text,
                       std::uint64_t before = 0) {
  std::copy(text.bytes().begin(), text.bytes().end(), ring.file().block(index));
  BlockDescriptor& d = ring.descriptor(index);
  d.outcomes[0][0][static_cast<std::size_t>(Outcome::kAccepted)].store(OutcomeCell{.records = before}.pack());
  d.exported.store(ExportedWord{.count = before}.pack());
  d.committed.store(
      CommittedWord{(before & kCountMask) << kCountShift}.advanced(text.size(), text.records()).word);
  d.opened_ns.store(1);
  state.signal = text.signal();
  d.state.store(state.pack());
}

/// A sealed block with these records.
inline void seal_with(const TestRing& ring, std::uint32_t index, const std::vector<std::string>& records,
                      std::uint64_t before = 0) {
  BlockText text;
  text.resource("res");
  for (const std::string& record : records) text.record(record);
  fill_block(ring, index, {.state = BlockState::kSealed}, text, before);
}

// ------------------------------------------------------------------------------------------------------ draining

inline Lease take_lease(const TestRing& ring) {
  auto lease = Lease::try_take(ring.file());
  if (!lease) {
    ADD_FAILURE() << lease.error().message;
    std::abort();
  }
  return std::move(*lease);
}

/// A reader with the lease that it needs.
struct Flusher {
  explicit Flusher(const TestRing& ring)
      : lease(take_lease(ring)), reader(std::move(*Reader::create(ring.file(), lease))) {}

  std::vector<Slice> drain(std::uint64_t max_bytes = 1U << 30U) {
    std::vector<Slice> slices;
    report = reader->drain(max_bytes, [&slices](Slice&& slice) {
      slices.push_back(std::move(slice));
      return true;
    });
    return slices;
  }
  Reader::Acknowledged accept(const SliceKey& key) {
    OutcomeCounts counts{};
    counts[static_cast<std::size_t>(Outcome::kAccepted)] = key.records();
    return reader->acknowledge(key, counts);
  }
  /// Gives the lock up but knows nothing of it: a flusher that lost its lease.
  void lose_lease() { const Lease lost(std::move(lease)); }

  Lease lease;
  std::unique_ptr<Reader> reader;
  DrainReport report;
};

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::vector<std::string> texts(const Slice& slice) {
  std::vector<std::string> found;
  SliceWalk walk(slice);
  while (const auto record = walk.next()) found.push_back(text_of(record->payload));
  return found;
}

inline std::vector<std::string> texts(const std::vector<Slice>& slices) {
  std::vector<std::string> found;
  for (const Slice& slice : slices) {
    for (std::string& text : texts(slice)) found.push_back(std::move(text));
  }
  return found;
}

// ------------------------------------------------------------------------------------------------------- writing

/// Emits `text` as the payload of a record.
inline bool emit(const Ring& ring, std::string_view text, RecordKind kind = RecordKind::kLog,
                 ScopeId scope = {}) {
  auto slot = ring.writer().try_reserve(kind, text.size(), scope);
  if (!slot) return false;
  std::memcpy(slot.payload().data(), text.data(), text.size());
  return std::move(slot).commit();
}

/// Waits, with a generous deadline, until something holds.
template <typename Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Runs `body` in a forked child; its result is the exit code. A signal that ends it gives 128 + its number.
template <typename Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(static_cast<int>(body()));
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The id of a process that has ended.
inline std::uint32_t dead_tid() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return static_cast<std::uint32_t>(child);
}

inline std::uint32_t own_tid() { return static_cast<std::uint32_t>(::gettid()); }

}  // namespace shmring::test
