// SPDX-License-Identifier: Apache-2.0
// Getting records out of a block whose words or bytes may be damaged.
#include "libshmring/block_image.hpp"

#include <algorithm>
#include <cstring>

#include "libshmring/record_walk.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/tick_times.hpp"

namespace shmring {
namespace {

std::uint64_t word_at(std::span<const std::byte> bytes, std::size_t offset) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

bool is_zero(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte each) { return each == std::byte{0}; });
}

/// Stretches of a block that can be followed; between them lies what cannot.
struct Framing {
  struct Stretch {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
  };
  std::vector<Stretch> stretches;
  std::uint64_t counted = 0;  // records from `begin` on
  bool begin_is_boundary = false;
};

/// Follows framing from `from` on and counts the records that begin at or behind `begin`.
Framing::Stretch stretch(std::span<const std::byte> bytes, std::uint32_t from, std::uint32_t begin,
                         Signal signal, Framing& framing) {
  std::uint32_t at = from;
  for (;;) {
    framing.begin_is_boundary = framing.begin_is_boundary || at == begin;
    const RecordStep step = step_record(bytes, at, signal);
    if (step.kind == RecordStep::Kind::kEnd || step.kind == RecordStep::Kind::kBroken) return {from, at};
    if (step.kind == RecordStep::Kind::kRecord && at >= begin) ++framing.counted;
    at = step.next;
  }
}

/// Behind a break: the first place from which framing leads exactly to the end. One record is expected to be lost there, so
/// a place that leaves as many as are promised but one is taken before one that leaves fewer; none may leave more.
std::uint32_t find_again(std::span<const std::byte> bytes, std::uint32_t broken_at, Signal signal,
                         std::uint64_t promised) {
  constexpr std::uint32_t kNowhere = ~0U;
  const std::size_t places = bytes.size() / kRecordAlignment;
  std::vector<std::uint32_t> left(places + 1,
                                  kNowhere);  // records from a place to the end, where it leads there
  left[places] = 0;
  std::uint32_t best = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t best_left = 0;
  for (std::size_t place = places; place-- > broken_at / kRecordAlignment + 1;) {
    const auto offset = static_cast<std::uint32_t>(place * kRecordAlignment);
    const RecordStep step = step_record(bytes, offset, signal);
    if (step.kind == RecordStep::Kind::kEnd || step.kind == RecordStep::Kind::kBroken ||
        step.header.ticks > kMaxTickFields)
      continue;
    const std::uint32_t behind = left[step.next / kRecordAlignment];
    if (behind == kNowhere) continue;
    left[place] = behind + (step.kind == RecordStep::Kind::kRecord ? 1 : 0);
    if (left[place] < promised && left[place] >= best_left) {
      best = offset;
      best_left = left[place];
    }
  }
  return best;
}

/// `promised`: how many records there should be from `begin` on.
Framing follow(std::span<const std::byte> bytes, std::uint32_t begin, Signal signal, std::uint64_t promised) {
  Framing framing;
  const auto size = static_cast<std::uint32_t>(bytes.size());
  const auto go_on = [&](std::uint32_t from) {
    framing.stretches.push_back(stretch(bytes, from, begin, signal, framing));
    return framing.stretches.back().to;
  };
  std::uint32_t at = go_on(0);
  // A break in what has left already: what has not begins at `begin`.
  if (at < begin && begin < size) {
    at = go_on(begin);
    if (at == begin) framing.begin_is_boundary = false;  // nothing does: it is no place to go on from
  }
  if (at >= size || promised <= framing.counted || size % kRecordAlignment != 0) return framing;
  at = find_again(bytes, at, signal, promised - framing.counted);
  if (at < size) go_on(at);
  return framing;
}

class Salvage {
 public:
  Salvage(std::uint32_t index, const BlockWords& words, std::span<const std::byte> bytes,
          std::uint32_t block_bytes, Take take)
      : index_(index), words_(words), bytes_(bytes), block_bytes_(block_bytes), take_(take) {}

  Salvaged run() {
    if (!words_.may_hold_records() || is_recycling()) return std::move(result_);
    check_state();
    check_counters();
    if (!cut_to_committed()) return std::move(result_);
    std::uint32_t begin = take_ == Take::kAll ? 0 : believable_begin();
    const Signal signal = likely_signal(begin);
    Framing framing = follow(bytes_, begin, signal, limit());
    if (!framing.begin_is_boundary && begin != bytes_.size()) {
      doubt("exported, at byte " + std::to_string(begin) +
            ", is inside of a record: all that it holds is given");
      begin = 0;
      framing = follow(bytes_, begin, signal, limit());
    }
    check_framing(framing);
    if (framing.counted != 0) result_.slice = cut_out(framing, begin, signal);
    return std::move(result_);
  }

 private:
  void wrong(std::string what) { result_.wrong.push_back(std::move(what)); }
  /// Wrong in a way that leaves open which of the records should be given.
  void doubt(std::string what) {
    result_.doubtful = true;
    wrong(std::move(what));
  }

  bool is_recycling() const noexcept {
    return take_ == Take::kPending && words_.committed.offset_bytes() == 0 &&
           nothing_left(words_.committed, words_.exported);
  }

  void check_state() {
    const BlockState state = words_.state.state;
    if (state == BlockState::kOpen || state == BlockState::kSealed || state == BlockState::kEvict) return;
    doubt("its state is " + std::to_string(static_cast<unsigned>(state)) +
          ", but its words say that it holds something");
  }

  void check_counters() {
    if (words_.promised() <= block_bytes_ / sizeof(RecordHeader)) {
      promised_ = words_.promised();
    } else {
      doubt("its counters promise " + std::to_string(words_.promised()) +
            " records, more than fit into a block");
    }
  }

  /// Records that there can be at most.
  std::uint64_t limit() const noexcept {
    return take_ == Take::kPending && promised_ ? *promised_ : block_bytes_ / sizeof(RecordHeader);
  }

  /// False: there is nothing, whatever the words say besides.
  bool cut_to_committed() {
    const std::uint32_t end = words_.committed.offset_bytes();
    if (end == 0 && words_.state.state == BlockState::kFree) return false;  // the crash rule
    if (end == 0 || end > block_bytes_) {
      if (end == 0 && words_.promised() == 0) return false;
      doubt("committed is at byte " + std::to_string(end) +
            ", which cannot be: its bytes are followed as far as they lead");
      bytes_ = bytes_.first(follow(bytes_, 0, likely_signal(0), 0).stretches.front().to);
      return true;
    }
    if (end > bytes_.size()) {
      result_.unread_bytes += end - bytes_.size();
      wrong("the file ends " + std::to_string(end - bytes_.size()) + " bytes before what was committed");
      // Behind the last whole record nothing leads to the end any more.
      Framing ignored;
      const std::uint32_t whole = stretch(bytes_, 0, 0, likely_signal(0), ignored).to;
      result_.unread_bytes += bytes_.size() - whole;
      bytes_ = bytes_.first(whole);
      return true;
    }
    bytes_ = bytes_.first(end);
    return true;
  }

  std::uint32_t believable_begin() {
    const std::uint32_t begin = words_.exported.offset_bytes;
    const std::uint32_t end = words_.committed.offset_bytes();
    if (begin <= bytes_.size()) return begin;
    if (begin <= end && end <= block_bytes_)
      return static_cast<std::uint32_t>(bytes_.size());  // truncated before it
    doubt("exported, at byte " + std::to_string(begin) +
          ", is ahead of committed: all that it holds is given");
    return 0;
  }

  /// The state word's signal, unless it makes nothing of the bytes and another one does.
  Signal likely_signal(std::uint32_t begin) {
    const auto readable = [&](Signal signal) { return follow(bytes_, begin, signal, 0).counted; };
    const bool is_known = static_cast<std::size_t>(words_.state.signal) < kSignalCount;
    Signal best = is_known ? words_.state.signal : Signal::kLogs;
    std::uint64_t most = readable(best);
    if (is_known && (most > 0 || words_.promised() == 0)) return best;
    for (const Signal signal : {Signal::kLogs, Signal::kTraces, Signal::kMetrics}) {
      const std::uint64_t count = readable(signal);
      if (count <= most) continue;
      most = count;
      best = signal;
    }
    if (best != words_.state.signal && most > 0 && !said_signal_) {
      said_signal_ = true;
      doubt("its state word says signal " + std::to_string(static_cast<unsigned>(words_.state.signal)) +
            ", its records are " + std::string(to_string(best)));
    }
    return best;
  }

  void check_framing(const Framing& framing) {
    for (std::size_t n = 0; n < framing.stretches.size(); ++n) {
      const std::uint32_t from = framing.stretches[n].to;
      const bool is_last = n + 1 == framing.stretches.size();
      const auto to = is_last ? static_cast<std::uint32_t>(bytes_.size()) : framing.stretches[n + 1].from;
      if (from == to) continue;
      result_.unread_bytes += to - from;
      wrong("the record at byte " + std::to_string(from) + " cannot be followed; " +
            std::to_string(to - from) + " bytes are left out");
    }
    if (take_ == Take::kAll || !promised_) return;
    if (framing.counted < *promised_) result_.missing = *promised_ - framing.counted;
    if (framing.counted > *promised_) {
      doubt("it holds " + std::to_string(framing.counted) + " records, its counters promise " +
            std::to_string(*promised_));
    }
  }

  /// The stretches side by side, so that whoever walks the slice gets to its end.
  Slice cut_out(const Framing& framing, std::uint32_t begin, Signal signal) const {
    Slice slice;
    std::uint32_t begin_in_slice = 0;
    for (const Framing::Stretch& each : framing.stretches) {
      if (begin >= each.from)
        begin_in_slice =
            static_cast<std::uint32_t>(slice.bytes.size()) + std::min(begin, each.to) - each.from;
      const auto part = bytes_.subspan(each.from, each.to - each.from);
      slice.bytes.insert(slice.bytes.end(), part.begin(), part.end());
    }
    convert_ticks(slice.bytes, signal);
    slice.key = {.block = index_,
                 .block_generation = words_.state.block_generation,
                 .begin = begin_in_slice,
                 .end = static_cast<std::uint32_t>(slice.bytes.size()),
                 .begin_count = 0,
                 .end_count = framing.counted,
                 .signal = signal};
    return slice;
  }

  std::uint32_t index_;
  const BlockWords& words_;
  std::span<const std::byte> bytes_;
  std::uint32_t block_bytes_;
  Take take_;
  std::optional<std::uint64_t> promised_;  // by the counters, where these can be right
  Salvaged result_;
  bool said_signal_ = false;
};

}  // namespace

BlockWords BlockWords::of(std::span<const std::byte, sizeof(BlockDescriptor)> bytes) noexcept {
  BlockWords words;
  words.state = StateWord::unpack(word_at(bytes, offsetof(BlockDescriptor, state)));
  words.committed = {word_at(bytes, offsetof(BlockDescriptor, committed))};
  words.exported = ExportedWord::unpack(word_at(bytes, offsetof(BlockDescriptor, exported)));
  words.ticket = word_at(bytes, offsetof(BlockDescriptor, ticket));
  std::uint64_t sum = 0;
  constexpr std::size_t kSetBytes = sizeof(std::uint64_t) * kSignalCount * kOutcomeCells;
  const std::size_t set = offsetof(BlockDescriptor, outcomes) + words.exported.set * kSetBytes;
  for (std::size_t cell = 0; cell < kSignalCount * kOutcomeCells; ++cell) {
    if (cell % kOutcomeCells >= kOutcomeCount) continue;
    sum += OutcomeCell::unpack(word_at(bytes, set + cell * sizeof(std::uint64_t))).records;
  }
  words.outcomes_fit = (sum & kCountMask) == words.exported.count;
  words.reserved_zero =
      is_zero(bytes.subspan(offsetof(BlockDescriptor, reserved0), sizeof(BlockDescriptor::reserved0))) &&
      is_zero(bytes.subspan(offsetof(BlockDescriptor, reserved1), sizeof(BlockDescriptor::reserved1)));
  return words;
}

bool BlockWords::may_hold_records() const noexcept {
  if (state.state == BlockState::kOpen || state.state == BlockState::kSealed ||
      state.state == BlockState::kEvict)
    return true;
  return committed.offset_bytes() != 0 || promised() != 0;
}

Salvaged salvage(std::uint32_t index, const BlockWords& words, std::span<const std::byte> bytes,
                 std::uint32_t block_bytes, Take take) {
  return Salvage(index, words, bytes, block_bytes, take).run();
}

bool fits_exactly(const BlockWords& words, std::span<const std::byte> bytes) noexcept {
  const std::uint32_t end = words.committed.offset_bytes();
  if (static_cast<std::size_t>(words.state.signal) >= kSignalCount || end == 0 || end > bytes.size())
    return false;
  Framing framing;
  const Framing::Stretch whole =
      stretch(bytes.first(end), 0, words.exported.offset_bytes, words.state.signal, framing);
  return whole.to == end && framing.begin_is_boundary && framing.counted == words.promised();
}

}  // namespace shmring
