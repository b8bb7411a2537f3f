// SPDX-License-Identifier: Apache-2.0
// Narrows down what is refused.

#include "flusher/splitting.hpp"

#include <bit>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "flusher/request_parts.hpp"

namespace shmring::flusher {

/// Records of a batch, begin to end - 1.
struct SplittingExporter::Range {
  enum class Is : std::uint8_t {
    kCut,         // for its size: says nothing about its records
    kFirstHalf,   // of one that holds bad data; the second half is sent next
    kSecondHalf,  // likewise; the first one has its answer
  };
  std::size_t begin = 0;
  std::size_t end = 0;
  Is is = Is::kCut;

  std::size_t records() const noexcept { return end - begin; }
};

struct SplittingExporter::Splitting {
  struct Refused {
    Range range;
    std::string reason;
  };

  std::shared_ptr<const Batch> batch;
  Done done;
  RequestParts parts;
  std::vector<Range> waiting = {};  // the last one is sent next
  std::optional<Refused> suspect =
      {};  // a first half that was refused; what becomes of it depends on the second
  std::vector<Refused> refused = {};
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;                                       // by partial success
  std::string reason = {};                                          // the first that was given
  std::size_t too_large = std::numeric_limits<std::size_t>::max();  // bytes of the smallest request that was
  std::size_t refused_in_a_row = 0;

  bool is_hopeless() const {
    return refused_in_a_row >= 4 * (std::bit_width(std::max<std::size_t>(parts.records(), 2)) - 1);
  }
  void refuse(Range range, std::string why) { refused.push_back({range, std::move(why)}); }
  void note(const std::string& words) {
    if (reason.empty()) reason = words;
  }
  /// REQUIRES: it holds more than one record.
  void halve(const Range& range, Range::Is first, Range::Is second) {
    const std::size_t middle = range.begin + (range.records() + 1) / 2;
    waiting.push_back({middle, range.end, second});
    waiting.push_back({range.begin, middle, first});
  }
  void cut(const Range& range) { halve(range, Range::Is::kCut, Range::Is::kCut); }
  void bisect(const Range& range) { halve(range, Range::Is::kFirstHalf, Range::Is::kSecondHalf); }
  void clear_suspect() {
    if (!suspect) return;
    const Refused first = *std::exchange(suspect, std::nullopt);
    if (first.range.records() > 1) {
      bisect(first.range);
    } else {
      refuse(first.range, first.reason);
    }
  }
};

SplittingExporter::SplittingExporter(std::unique_ptr<Exporter> next, Options options)
    : options_(std::move(options)), next_(std::move(next)) {}

SplittingExporter::~SplittingExporter() = default;

void SplittingExporter::submit(std::shared_ptr<const Batch> batch, Done done) {
  next_->submit(batch, [this, batch, done = std::move(done)](const SendResult& result) {
    if (result.outcome != SendOutcome::kRejected) return done(result);
    on_first(batch, done, result);
  });
}

void SplittingExporter::on_first(const std::shared_ptr<const Batch>& batch, const Done& done,
                                 const SendResult& result) {
  const bool is_worth_splitting = result.refusal == Refusal::kTooLarge ||
                                  (result.refusal == Refusal::kBadData && options_.bisect == Bisect::kYes);
  auto parts = is_worth_splitting && batch->records > 1 ? RequestParts::of(batch->request) : std::nullopt;
  if (!parts || parts->records() < 2) {
    SendResult out = result;
    out.dead_lettered = keep(*batch, batch->request, batch->records, result.reason);
    return done(out);
  }
  const Range all{0, parts->records()};
  const auto splitting =
      std::make_shared<Splitting>(Splitting{.batch = batch, .done = done, .parts = std::move(*parts)});
  if (result.refusal == Refusal::kTooLarge) splitting->too_large = batch->request.size();
  under_way_.insert(splitting);
  on_part(splitting, all, result);
}

void SplittingExporter::send_next(const Shared& splitting) {
  while (!splitting->waiting.empty()) {
    const Range range = splitting->waiting.back();
    splitting->waiting.pop_back();
    if (splitting->is_hopeless()) {
      splitting->refuse(range, splitting->reason);
      continue;
    }
    const auto part =
        std::make_shared<const Batch>(Batch{.signal = splitting->batch->signal,
                                            .number = splitting->batch->number,
                                            .request = splitting->parts.encode(range.begin, range.end),
                                            .records = range.records()});
    if (range.is == Range::Is::kCut && range.records() > 1 && part->request.size() >= splitting->too_large) {
      splitting->cut(range);
      continue;
    }
    return next_->submit(part,
                         [this, splitting, range, bytes = part->request.size()](const SendResult& result) {
                           if (result.outcome == SendOutcome::kRetryable) return give_back(splitting, result);
                           if (result.refusal == Refusal::kTooLarge)
                             splitting->too_large = std::min(splitting->too_large, bytes);
                           on_part(splitting, range, result);
                         });
  }
  finish(splitting);
}

void SplittingExporter::on_part(const Shared& splitting, const Range& range, const SendResult& result) {
  if (!result.reason.empty()) splitting->note(result.reason);
  if (result.outcome == SendOutcome::kAccepted) {
    splitting->accepted += range.records();
    splitting->rejected += std::min<std::uint64_t>(result.rejected, range.records());
    splitting->refused_in_a_row = 0;
    if (range.is == Range::Is::kSecondHalf) splitting->clear_suspect();
  } else {
    ++splitting->refused_in_a_row;
    on_refused(*splitting, range, result);
  }
  send_next(splitting);
}

void SplittingExporter::on_refused(Splitting& splitting, const Range& range, const SendResult& result) {
  using Is = Range::Is;
  const bool is_bad = result.refusal == Refusal::kBadData && options_.bisect == Bisect::kYes;
  if (is_bad && range.is == Is::kFirstHalf) {
    splitting.suspect = {range, result.reason};
    return;
  }
  if (is_bad && range.is == Is::kSecondHalf && splitting.suspect) {
    const auto first = std::exchange(splitting.suspect, std::nullopt);
    return splitting.refuse({first->range.begin, range.end}, result.reason);
  }
  if (range.is == Is::kSecondHalf) splitting.clear_suspect();
  if (range.records() > 1 && is_bad) return splitting.bisect(range);
  if (range.records() > 1 && result.refusal == Refusal::kTooLarge) return splitting.cut(range);
  splitting.refuse(range, result.reason);
}

void SplittingExporter::finish(const Shared& splitting) {
  splitting->clear_suspect();
  if (!splitting->waiting.empty()) return send_next(splitting);
  under_way_.erase(splitting);
  SendResult out{.outcome = splitting->accepted > 0 ? SendOutcome::kAccepted : SendOutcome::kRejected,
                 .rejected = splitting->rejected,
                 .reason = splitting->reason};
  for (const auto& [range, reason] : splitting->refused) {
    const std::string request = splitting->parts.encode(range.begin, range.end);
    const std::uint64_t kept = keep(*splitting->batch, request, range.records(), reason);
    out.dead_lettered += kept;
    out.rejected += range.records() - kept;
  }
  splitting->done(out);
}

/// All of it comes again, though some of it was taken. What was refused is so again: nothing is kept of that yet.
void SplittingExporter::give_back(const Shared& splitting, const SendResult& result) {
  under_way_.erase(splitting);
  if (splitting->accepted > 0) {
    options_.on_possible_duplicates({.signal = splitting->batch->signal, .records = splitting->accepted});
  }
  splitting->done(result);
}

void SplittingExporter::abandon_all() {
  for (const Shared& splitting : std::exchange(under_way_, {})) {
    if (splitting->accepted == 0) continue;
    options_.on_possible_duplicates({.signal = splitting->batch->signal, .records = splitting->accepted});
  }
}

/// The number of records that were kept.
std::uint64_t SplittingExporter::keep(const Batch& batch, std::string_view request, std::uint64_t records,
                                      std::string_view reason) {
  const bool is_kept =
      options_.dead_letters != nullptr && options_.dead_letters->keep({.signal = batch.signal,
                                                                       .request = request,
                                                                       .records = records,
                                                                       .destination = options_.name,
                                                                       .reason = reason});
  return is_kept ? records : 0;
}

}  // namespace shmring::flusher
