// SPDX-License-Identifier: Apache-2.0
// The bytes of a ring: the one place that says what lies where, who writes it when, and what holds after a crash.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "shmring/signal.hpp"

// clang-format off
//
//  A ring is one file, mapped by every process that writes to it or drains it. All sizes are fixed at creation.
//
//    0 +--------------------+
//      | RingHeader         |  4096 bytes: identity and geometry (constant), then one cache line per concern
//      +--------------------+  slots_offset
//      | WriterSlot[W]      |  512 bytes each: one per producing thread
//      +--------------------+  descriptors_offset
//      | BlockDescriptor[N] |  512 bytes each: the life of a block and the fate of every record it ever held
//      +--------------------+  blocks_offset (a multiple of 4096)
//      | Block[N]           |  block_bytes each: records, appended, never moved
//      +--------------------+  file_bytes
//
//  THE CRASH RULE. A record exists if and only if its block's `committed` word has passed it.
//
//  A block holds records of one signal. After claiming or adopting it, its writer first appends a resource record
//  (an encoded OTLP Resource); a scope record (an encoded InstrumentationScope) precedes the first record that
//  names its id. A resource record begins a new writer's section: it forgets the scope ids declared before it.
//
//    block   | resource | scope 1 | log | log | scope 2 | log | resource (an adopter) | scope 1 | log |  unused  |
//            0                                                                        committed -----^
//    record  | u32 size | u8 kind | u8 ticks | u16 scope | payload (size bytes) | zero to seven bytes of padding |
//
//  TICKS: a record may bear times as the time stamp counter gave them: its first `ticks` fields (0 to 2) are fixed64 ones that hold
//  ticks. A clock record (a ClockAnchor) precedes the first such record of a section, and others follow at most a second of records
//  apart; the latest before a record says what its ticks mean. Whoever reads converts, in its own copy; without a clock a time is 0.
//
//  SCHEMA URLS: OTLP has them beside a resource or a scope, not in it. Here the record of one that has a schema URL begins with it: a field
//  kSchemaUrlField, a string, in front of the message; anywhere else that number means nothing. Who makes a request of the record
//  cuts it off, and puts the text where OTLP has it. A reader that does not know of it takes it for a field of a later OTLP and hands
//  it on within the message, where parsers pass over it: the URL is lost to that reader, and nothing else. So no version tells of it,
//  and a ring that an earlier library made may hold such records.
//
//  LIFE OF A BLOCK (the state word; every change is a CAS from the exact word read)
//
//         claim: by a writer                   seal: by its owner when full, or by the
//    FREE ------------------------------> OPEN   flusher once the owner is gone and all is exported
//     ^                                   |  ^   ------------------------------> SEALED
//     |                                   +--+                                      |
//     |        adopt: (OPEN, gone owner, unpinned) -> (OPEN, me)                    |
//     +-----------------------------------------------------------------------------+
//        recycle: by the flusher, when every record in it has its outcome
//
//  Policy drop-oldest: (SEALED or orphan, unpinned) --CAS--> EVICT(me): what is left in it is counted as evicted by one CAS
//  of `exported`, its words are reset as in a recycling, then EVICT(me) --CAS--> OPEN(me) or FREE in its next life. An EVICT
//  block whose owner is gone counts as SEALED.
//
//  RUN OF BLOCKS: one record that is larger than a block. A head, FREE -> OPEN(me), and the blocks to its right, FREE -> CONT(me),
//  claimed upwards, never across the ring's end. Bytes go on from block to block; the head's words speak for all of them.
//
//    blocks  |      head, OPEN       |         CONT          |    CONT    |  others'
//            | resource | scope | log  . . . . . . . . . . . . . |  unused |
//            0                                          committed ---^   of the head: beyond block_bytes
//
//    commit:    one store of the head's `committed`; then the head is sealed. Before it `committed` ends behind the context, in the head.
//    given up:  CONT(me) -> FREE downwards, the topmost first; the head is an ordinary block then, or goes back too when still empty.
//    recycled:  the head's words are reset, then CONT -> FREE downwards, each only while the head's state word is still the one
//               read; the head last. So is a run whose claim its owner never finished: by whoever recycles or evicts the head.
//
//  NESTING: an emit of a signal handler that interrupted an emit of its thread works on a level of its own (two levels): blocks of
//  its own, under the thread's one slot. In the ring nothing tells them apart. A thread that was torn out of a claim by longjmp
//  has forgotten a block; its next claim seals what bears its name and is in none of its lists.
//
//  INVARIANTS
//    I1  A state word names its block's owner: (writer index, writer generation). Nothing else does.
//    I2  `committed` is stored by the live owner of an OPEN block only; the flusher resets its offset by CAS.
//    I3  `exported` is changed by CAS only, by the flusher that holds the lease; its `epoch` field names that flusher. Or by the
//        live owner of an EVICT block, who leaves the epoch as it is.
//    I4  exported.offset <= committed.offset, but for a recycling that was interrupted: (counts equal, exported ahead).
//    I5  The sum of the valid outcome cells of a descriptor equals exported.count (modulo 2^40), at every instant.
//    I6  A FREE block has committed.offset == exported.offset == 0 and equal counts.
//    I7  A pinned block is neither adopted nor evicted: its bytes from exported to committed stay what they are. A pin
//        names the lease that set it; a new holder renames the pins that it finds, and nobody removes another's.
//    I8  The bytes of a block below `committed` do not change while it is OPEN or SEALED.
//    I9  A slot is taken by CAS of its `claim` word; only who won that CAS touches the slot's mutex. Each claim has the next
//        generation, but none shows generation 0: before a wrap it keeps the last one, and who gets to HELD in generation 0 has
//        sealed all blocks of the slot before.
//    I10 Whoever resets the offset of `committed` raises its life, so that no value of it comes back.
//    I11 A CONT block belongs to the nearest block to its left that is no CONT: a head, never FREE. Its own words are those of a
//        FREE block (I6). Only who holds the head makes it FREE: its owner (OPEN), its recycler (SEALED), its evictor (EVICT).
//
//  PAIRS: every release and acquire in the sources bears the tag of its row; scripts/check_pair_tags.py checks it.
//
//  P1  descriptor.committed   release: writer's commit          acquire: reader, adopter, walker     the bytes of the records below it
//  P2  descriptor.state FREE  release: recycle, give back       acquire: claim                       the reset words; nobody reads the old bytes any more
//  P3  descriptor.state OPEN  release: claim, adopt, seal, pin  acquire: reader, adopter, walker     an owner that can be looked up; after a seal, the last `committed`
//  P4  descriptor.exported    release: acknowledge, reset       acquire: reader, adopter, walker     the outcome cells of the set that it makes valid
//  P5  slot.claim             release: register (HELD), vacate  acquire: register, liveness          the slot's identity (tid, namespace, time)
//  P6  slot.mutex word        release: kernel                   acquire: liveness                    the death of the owner: all its stores came before
//  P7  header.freed           release: recycle                  acquire: blocked writer              the FREE block that the waiter will find
//  P8  header.wake            release: claim below the mark     acquire: flusher                     the state of the ring that asked for an early drain
//  P9  fork_page.generation   release: first emit in a child    acquire: every slow path             the child's identity (process-private memory)
//  P10 ring_core tables       release: scope and ring interning acquire: claim                       encoded bytes behind a pointer (process-private memory)
//  P11 header.epoch           release: lease taken              acquire: acknowledge                 a later holder exists
//  P12 writer_state.busy      release: commit, abandon          acquire: register                    the private state that a dead thread left behind
//  P13 outcome cells          release: acknowledge              acquire: acknowledge, accounting     the tag that fences; and a look at `exported` that follows
//  P14 header.ticket          release: claim, adopt, evict      acquire: drain                       the blocks that the same thread opened before
//
//  Each row is a release store (or CAS) read by an acquire load of the same word, so the C++ model orders it on any machine; docs/design.md
//  argues them one by one. P6's release end is the kernel: exit_robust_list() runs after the last user instruction of the
//  thread and writes the word with a full-barrier cmpxchg.
//
// clang-format on

namespace shmring {

inline constexpr std::uint64_t kRingMagic = 0x00474E49524D4853;  // "SHMRING\0", little-endian
inline constexpr std::uint16_t kLayoutMajor = 1;                 // another major is another format: refused
inline constexpr std::uint16_t kLayoutMinor = 0;  // a later minor only adds what an older library may ignore
inline constexpr std::uint32_t kKnownIncompatibleFeatures = 0;  // a ring with any other bit is refused

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kHeaderBytes = 4096;
inline constexpr std::size_t kRecordAlignment = 8;
inline constexpr std::uint32_t kMinBlockBytes = 4096;
inline constexpr std::uint32_t kMaxBlockBytes = 1U << 20U;
inline constexpr std::uint32_t kMaxBlocks = 1U << 22U;
inline constexpr std::uint32_t kMinBlocks = 4;
inline constexpr std::uint32_t kMaxWriters = 1U << 16U;
inline constexpr std::uint32_t kMaxNesting = 2;  // levels: an emit, and one of a handler that interrupted it
inline constexpr std::uint32_t kDefaultMaxRecordBytes = 1U
                                                        << 20U;  // largest payload; more than a block: a run
inline constexpr std::uint32_t kLargestMaxRecordBytes = 3U << 19U;  // 1.5 MiB
inline constexpr std::uint32_t kLargestRunBytes =
    (2U << 20U) - 8;  // the largest offset that `committed` can say

// ---------------------------------------------------------------------------------------------------------- records

/// What a record is. Resource, scope and clock records give context and are not counted.
enum class RecordKind : std::uint8_t {
  kResource = 1,
  kScope = 2,
  kLog = 3,
  kSpan = 4,
  kMetric = 5,
  kClock = 6
};

/// REQUIRES: kind is kLog, kSpan or kMetric.
constexpr Signal signal_of(RecordKind kind) noexcept {
  return static_cast<Signal>(static_cast<std::uint8_t>(kind) - static_cast<std::uint8_t>(RecordKind::kLog));
}
constexpr RecordKind kind_of(Signal signal) noexcept {
  return static_cast<RecordKind>(static_cast<std::uint8_t>(signal) +
                                 static_cast<std::uint8_t>(RecordKind::kLog));
}

struct RecordHeader {
  std::uint32_t size;   // of the payload in bytes, without padding
  std::uint8_t kind;    // RecordKind
  std::uint8_t ticks;   // leading fixed64 fields of the payload that hold ticks: 0 to kMaxTickFields
  std::uint16_t scope;  // id of a scope record of the same section; 0: none
};
static_assert(sizeof(RecordHeader) == 8 && std::is_trivially_copyable_v<RecordHeader>);

/// Bytes that a record with a payload of `size` bytes takes in a block.
constexpr std::size_t record_bytes(std::size_t size) noexcept {
  return sizeof(RecordHeader) + ((size + kRecordAlignment - 1) & ~(kRecordAlignment - 1));
}

inline constexpr std::uint8_t kMaxTickFields = 2;

/// Of what a resource or scope record may begin with. No field of OTLP can ever have it: Protocol Buffers keeps 19000 to 19999 to itself.
inline constexpr std::uint32_t kSchemaUrlField = 19001;

/// The payload of a clock record: a moment by both clocks, and how they run.
struct ClockAnchor {
  std::uint64_t ticks;
  std::uint64_t unix_ns;
  std::uint64_t rate;  // nanoseconds for 2^32 ticks
};
static_assert(sizeof(ClockAnchor) == 24 && std::is_trivially_copyable_v<ClockAnchor>);
inline constexpr std::size_t kClockRecordBytes = record_bytes(sizeof(ClockAnchor));

// ------------------------------------------------------------------------------------------------ descriptor's words

enum class BlockState : std::uint8_t {
  kFree = 0,
  kOpen = 1,
  kSealed = 2,
  kCont = 3,
  kEvict = 4
};  // kCont: of a run
constexpr bool holds_records(BlockState state) noexcept {
  return state == BlockState::kOpen || state == BlockState::kSealed || state == BlockState::kEvict;
}

/// Whether a flusher reads the block, and under which lease: 1 to 3, by the lease's epoch.
enum class Pin : std::uint8_t { kUnpinned = 0, kPinned = 1 };
constexpr Pin pin_of(std::uint64_t epoch) noexcept { return static_cast<Pin>((epoch + 2) % 3 + 1); }

/// descriptor.state:  | block generation 20 | writer generation 20 | writer index 16 | signal 3 | pin 2 | state 3 |
struct StateWord {
  static constexpr std::uint32_t kGenerationMask = (1U << 20U) - 1;

  BlockState state = BlockState::kFree;
  Pin pin = Pin::kUnpinned;
  Signal signal = Signal::kLogs;
  std::uint16_t writer = 0;
  std::uint32_t writer_generation = 0;
  std::uint32_t block_generation = 0;

  constexpr std::uint64_t pack() const noexcept {
    return static_cast<std::uint64_t>(state) | static_cast<std::uint64_t>(pin) << 3U |
           static_cast<std::uint64_t>(signal) << 5U | static_cast<std::uint64_t>(writer) << 8U |
           static_cast<std::uint64_t>(writer_generation & kGenerationMask) << 24U |
           static_cast<std::uint64_t>(block_generation & kGenerationMask) << 44U;
  }
  static constexpr StateWord unpack(std::uint64_t word) noexcept {
    return {.state = static_cast<BlockState>(word & 7U),
            .pin = static_cast<Pin>(word >> 3U & 3U),
            .signal = static_cast<Signal>(word >> 5U & 7U),
            .writer = static_cast<std::uint16_t>(word >> 8U & 0xFFFFU),
            .writer_generation = static_cast<std::uint32_t>(word >> 24U) & kGenerationMask,
            .block_generation = static_cast<std::uint32_t>(word >> 44U) & kGenerationMask};
  }
};

/// Records ever, modulo 2^40: the upper 40 bits of `committed` and of `exported`. Never reset.
inline constexpr unsigned kCountShift = 24;
inline constexpr std::uint64_t kCountMask = (std::uint64_t{1} << 40U) - 1;
/// Offset in the block, or in the run that it heads, in units of 8 bytes: the lower 18 bits. Reset on recycling.
inline constexpr std::uint64_t kOffsetMask = (1U << 18U) - 1;

/// descriptor.committed:  | records ever 40 | life 6 | offset 18 |
/// The life counts resets of the offset: context records are not counted, so offset and count alone can come back.
struct CommittedWord {
  std::uint64_t word = 0;

  constexpr std::uint32_t offset_bytes() const noexcept {
    return static_cast<std::uint32_t>((word & kOffsetMask) * kRecordAlignment);
  }
  constexpr std::uint64_t count() const noexcept { return word >> kCountShift; }
  /// The word after one more record of `bytes` (record_bytes()), counted as `records` (0 for resource and scope).
  constexpr CommittedWord advanced(std::size_t bytes, std::uint64_t records) const noexcept {
    return {word + bytes / kRecordAlignment + (records << kCountShift)};
  }
  constexpr std::uint32_t life() const noexcept { return static_cast<std::uint32_t>(word >> 18U) & 63U; }
  /// The offset 0 of the next life; the count stays.
  constexpr CommittedWord reset() const noexcept { return of(0, life() + 1, count()); }
  static constexpr CommittedWord of(std::uint32_t offset_bytes, std::uint32_t life,
                                    std::uint64_t count) noexcept {
    return {(offset_bytes / kRecordAlignment & kOffsetMask) | static_cast<std::uint64_t>(life & 63U) << 18U |
            (count & kCountMask) << kCountShift};
  }
};

/// descriptor.exported:  | records ever 40 | valid outcome set 1 | flusher epoch 5 | offset 18 |
/// The epoch fences a flusher that lost its lease: its CAS expects an epoch that its successor has replaced.
struct ExportedWord {
  static constexpr std::uint32_t kEpochMask = 31;

  std::uint32_t offset_bytes = 0;
  std::uint32_t epoch = 0;
  std::uint32_t set = 0;
  std::uint64_t count = 0;

  constexpr std::uint64_t pack() const noexcept {
    return (offset_bytes / kRecordAlignment & kOffsetMask) |
           static_cast<std::uint64_t>(epoch & kEpochMask) << 18U |
           static_cast<std::uint64_t>(set & 1U) << 23U | (count & kCountMask) << kCountShift;
  }
  static constexpr ExportedWord unpack(std::uint64_t word) noexcept {
    return {.offset_bytes = static_cast<std::uint32_t>((word & kOffsetMask) * kRecordAlignment),
            .epoch = static_cast<std::uint32_t>(word >> 18U) & kEpochMask,
            .set = static_cast<std::uint32_t>(word >> 23U) & 1U,
            .count = word >> kCountShift};
  }
};

/// What became of a record that left the ring. Exactly one of these for each.
enum class Outcome : std::uint8_t {
  kAccepted = 0,      // by every destination
  kRejected = 1,      // by a destination's partial success
  kDeadLettered = 2,  // refused for good, kept in the dead-letter store
  kInvalid = 3,       // its payload is no valid OTLP message
  kCorrupt = 4,       // its block's framing is broken: the record cannot be found
  kEvicted = 5,       // overwritten by policy drop-oldest
  kSpoolEvicted = 6,  // dropped from a full spool
  kSpooled = 7,       // handed over to the spool on disk, whose books say what became of it
};
inline constexpr std::size_t kOutcomeCount = 8;
inline constexpr std::size_t kOutcomeCells = 8;
static_assert(kOutcomeCount <= kOutcomeCells);

/// An outcome cell:  | flusher epoch 16 | records 48 |. Written by CAS; a cell of a later epoch means superseded.
struct OutcomeCell {
  static constexpr std::uint64_t kRecordsMask = (std::uint64_t{1} << 48U) - 1;
  std::uint64_t records = 0;
  std::uint16_t epoch = 0;

  constexpr std::uint64_t pack() const noexcept {
    return (records & kRecordsMask) | static_cast<std::uint64_t>(epoch) << 48U;
  }
  static constexpr OutcomeCell unpack(std::uint64_t word) noexcept {
    return {.records = word & kRecordsMask, .epoch = static_cast<std::uint16_t>(word >> 48U)};
  }
};

// ----------------------------------------------------------------------------------------------------------- drops

/// Why a record did not get into the ring. Counted by signal where it happened.
enum class DropCause : std::uint8_t {
  kRingFull = 0,      // no free block, policy drop-newest
  kBlockTimeout = 1,  // no free block within the timeout of policy block
  kTooLarge = 2,      // larger than the ring's largest record
  kNoWriterSlot = 3,  // more live threads than writer slots
  kAfterFork = 4,     // a slot reserved before fork(), committed by the child
  kNested = 5,  // a handler's emit that interrupted an interrupting one, or a thread's first in a handler
  kUnsupportedProcess = 6,  // a raw clone(): the C library does not know this thread
};
inline constexpr std::size_t kDropCauseCount = 7;
inline constexpr std::size_t kDropCells = 8;  // reserved: one

enum class FullPolicy : std::uint32_t { kDropNewest = 0, kBlock = 1, kDropOldest = 2 };

// --------------------------------------------------------------------------------------------------------- regions

struct alignas(kCacheLine) BlockDescriptor {
  // The owner's line.
  std::atomic<std::uint64_t> state;      // StateWord; see the life of a block
  std::atomic<std::uint64_t> committed;  // CommittedWord; the crash rule
  std::atomic<std::uint64_t>
      ticket;  // of the claim or adoption: a thread's blocks in its order (the oldest goes first)
  std::atomic<std::uint64_t> opened_ns;  // CLOCK_BOOTTIME of the claim: the age of what is in it; for people
  std::uint64_t reserved0[4];
  // The flusher's line.
  alignas(kCacheLine) std::atomic<std::uint64_t> exported;  // ExportedWord
  std::uint64_t reserved1[7];
  // The fate of every record that this block ever held. exported.set says which set is valid.
  alignas(kCacheLine) std::atomic<std::uint64_t> outcomes[2][kSignalCount][kOutcomeCells];  // OutcomeCell
};
static_assert(sizeof(BlockDescriptor) == 512 && std::is_standard_layout_v<BlockDescriptor>);

enum class SlotPhase : std::uint8_t {
  kVacant =
      0,  // never taken, or its holder was proven gone though its mutex does not say so: initialise the mutex.
          // The generation is the last holder's or claimer's.
  kClaiming =
      1,  // somebody won the CAS and is about to lock the mutex; `tid` says who; the generation will be its own (at a wrap: the last one)
  kHeld = 2,  // the mutex tells whether its holder lives
};

/// slot.claim:  | namespace tag 20 | tid 22 | phase 2 | generation 20 |
struct ClaimWord {
  std::uint32_t generation = 0;
  SlotPhase phase = SlotPhase::kVacant;
  std::uint32_t tid = 0;            // of the claimer, in its own pid namespace
  std::uint32_t namespace_tag = 0;  // low bits of that namespace's inode

  constexpr std::uint64_t pack() const noexcept {
    return (generation & StateWord::kGenerationMask) | static_cast<std::uint64_t>(phase) << 20U |
           static_cast<std::uint64_t>(tid & 0x3FFFFFU) << 22U |
           static_cast<std::uint64_t>(namespace_tag & 0xFFFFFU) << 44U;
  }
  static constexpr ClaimWord unpack(std::uint64_t word) noexcept {
    return {.generation = static_cast<std::uint32_t>(word) & StateWord::kGenerationMask,
            .phase = static_cast<SlotPhase>(word >> 20U & 3U),
            .tid = static_cast<std::uint32_t>(word >> 22U) & 0x3FFFFFU,
            .namespace_tag = static_cast<std::uint32_t>(word >> 44U) & 0xFFFFFU};
  }
};

inline constexpr std::size_t kMutexBytes = 64;
inline constexpr std::uint32_t kNoBlock = 0;  // block hints hold index + 1

struct alignas(kCacheLine) WriterSlot {
  unsigned char
      mutex[kMutexBytes];  // pthread_mutex_t, robust and process-shared; its futex word tells who lives
  // Written by the holder while it registers; read by anyone who wonders whether it is still there.
  alignas(kCacheLine) std::atomic<std::uint64_t> claim;  // ClaimWord
  std::atomic<std::uint64_t> pid_namespace;              // inode of /proc/self/ns/pid; 0: unknown
  std::atomic<std::uint64_t>
      registered_ns;  // CLOCK_BOOTTIME; a thread of that tid that began later is another
  std::atomic<std::uint32_t> pid;
  std::atomic<std::uint32_t> tid;
  std::atomic<std::uint64_t> command[2];  // 16 bytes: the program's name (comm), for people
  std::uint64_t reserved0[2];
  // Where this slot's holders last opened a block, by signal and level, index + 1: where its next holder looks for one to adopt.
  alignas(kCacheLine) std::atomic<std::uint32_t> open_block[kSignalCount + 1][kMaxNesting];
  std::atomic<std::uint64_t> first_drop_unix_ns;
  std::atomic<std::uint64_t> last_drop_unix_ns;
  std::uint64_t reserved1[2];
  // Outlives the holder: totals of all holders of this slot.
  alignas(kCacheLine) std::atomic<std::uint64_t> dropped[kSignalCount][kDropCells];
  std::uint64_t reserved2[16];
};
static_assert(sizeof(WriterSlot) == 512 && std::is_standard_layout_v<WriterSlot>);

/// The constant part of the header: written before the file has a name, never changed, covered by `checksum`.
struct RingIdentity {
  std::uint64_t magic;
  std::uint16_t layout_major;
  std::uint16_t layout_minor;
  std::uint32_t abi_tag;  // libc, word size, byte order, size of its mutex and place of the futex word in it
  std::uint32_t incompatible_features;
  std::uint32_t compatible_features;
  std::uint64_t file_bytes;
  std::uint32_t block_bytes;
  std::uint32_t block_count;
  std::uint32_t writer_count;
  std::uint32_t creator_pid;
  std::uint64_t slots_offset;
  std::uint64_t descriptors_offset;
  std::uint64_t blocks_offset;
  std::uint64_t created_unix_ns;
  std::uint8_t uuid[16];
  std::uint8_t boot_id[16];
  std::uint64_t reserved[15];
  std::uint64_t checksum;  // FNV-1a, 64 bits, of all bytes before it
};
static_assert(sizeof(RingIdentity) == 240 && std::is_trivially_copyable_v<RingIdentity>);

/// A writer takes the lowest free block of its stretch first, by the number of its slot, and goes on into the next one: what it writes
/// next is what it wrote before, and lies in its processor's cache. A small ring is one stretch.
inline constexpr std::uint32_t kStretches = 8;
constexpr std::uint32_t stretch_blocks(std::uint32_t total) noexcept {
  return total >= 4 * kStretches ? total / kStretches : total;
}

/// Modulo the number of blocks; recycling lowers it. A hint: the claim's CAS decides.
struct alignas(kCacheLine) NextBlock {
  std::atomic<std::uint32_t> hint;
};

struct RingHeader {
  RingIdentity identity;

  // What every claim changes: once per block, not per record; on one line, so that it changes hands once for both.
  // `ticket` is given to the block that a claim wins, so that a thread's later block has a later one.
  alignas(kCacheLine) std::atomic<std::uint64_t> ticket;
  std::atomic<std::uint32_t> free_blocks;  // an estimate; recomputed by the flusher at each tick
  // Futex words.
  alignas(kCacheLine) std::atomic<std::uint32_t> wake;   // 0 -> 1: drain ahead of schedule
  alignas(kCacheLine) std::atomic<std::uint32_t> freed;  // raised for each block that becomes FREE
  std::atomic<std::uint32_t> waiters;  // writers blocked on `freed`: nobody wakes when nobody waits
  // Settings that can change while the ring is in use.
  alignas(kCacheLine) std::atomic<std::uint32_t> min_severity;  // records below it are not written; 0: all
  std::atomic<std::uint32_t> on_full;                           // FullPolicy
  std::atomic<std::uint32_t> block_timeout_us;
  std::atomic<std::uint32_t> max_record_bytes;  // largest payload
  // The flusher's lease holder, for status; the lease itself is a file lock.
  alignas(kCacheLine) std::atomic<std::uint64_t> epoch;  // raised by each holder
  std::atomic<std::uint64_t> flusher_pid_namespace;
  std::atomic<std::uint64_t> flusher_started_ns;  // CLOCK_BOOTTIME
  std::atomic<std::uint64_t> heartbeat_ns;        // CLOCK_BOOTTIME, at each tick
  std::atomic<std::uint32_t> flusher_pid;         // 0: left in order
  std::atomic<std::uint32_t> interval_ms;
  // Records that may have been delivered twice, because an acknowledgement was lost.
  alignas(kCacheLine) std::atomic<std::uint64_t> duplicates_possible[kSignalCount];
  // Drops of threads that had no slot to count them in.
  alignas(kCacheLine) std::atomic<std::uint64_t> dropped[kSignalCount][kDropCells];

  // Where the next scan begins, by the writer's stretch of the ring.
  NextBlock next_block[kStretches];

  alignas(kCacheLine) unsigned char reserved[2752];
};
static_assert(sizeof(RingHeader) == kHeaderBytes && std::is_standard_layout_v<RingHeader>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace shmring
