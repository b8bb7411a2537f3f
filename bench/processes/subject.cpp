// SPDX-License-Identifier: Apache-2.0
// The ring that is measured, and its drain.
#include "bench/processes/subject.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "libshmring/lease.hpp"
#include "libshmring/reader.hpp"

namespace shmring::bench {
namespace {

template <typename T>
T value_or_exit(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "shmring-process-bench: %s\n", result.error().message.c_str());
  std::exit(1);
}

/// One pass: everything that it hands out is acknowledged as accepted.
std::uint64_t drain_once(Reader& reader) {
  std::uint64_t records = 0;
  std::vector<SliceKey> keys;
  reader.consume_wake();
  reader.drain(std::numeric_limits<std::uint64_t>::max(), [&](Slice&& slice) {
    keys.push_back(slice.key);
    return true;
  });
  for (const SliceKey& key : keys) {
    OutcomeCounts counts{};
    counts[static_cast<std::size_t>(Outcome::kAccepted)] = key.records();
    if (reader.acknowledge(key, counts) == Reader::Acknowledged::kDone) records += key.records();
  }
  return records;
}

OpenOptions in_folder(OpenOptions options, const ScratchFolder& folder) {
  options.path = folder.path() / "bench.ring";
  options.resource = {.service_name = "shop"};
  return options;
}

}  // namespace

Subject::Subject(OpenOptions options)
    : ring_(value_or_exit(Ring::open_or_create(in_folder(std::move(options), folder_)))),
      file_(value_or_exit(RingFile::attach(ring_.path()))),
      log_(ring_.logger("shop.orders", "1.4.0")) {}

bool Subject::emit(Signal signal) const noexcept {
  if (signal == Signal::kLogs) return emit(std::uint64_t{0});
  auto slot = ring_.writer().try_reserve(kind_of(signal), kRecordBytes);
  if (!slot) return false;
  std::memset(slot.payload().data(), 0, slot.payload().size());
  return std::move(slot).commit();
}

std::uint64_t Subject::drain() const {
  const Lease lease = value_or_exit(Lease::try_take(file_));
  const auto reader = value_or_exit(Reader::create(file_, lease));
  std::uint64_t all = 0;
  for (std::uint64_t records = drain_once(*reader); records != 0; records = drain_once(*reader))
    all += records;
  return all;
}

void Subject::touch(std::uint32_t blocks) const {
  const std::uint32_t in_a_quarter = file_.geometry().block_count / 4;
  for (std::uint32_t left = blocks; left > 0;) {
    const std::uint32_t now = left < in_a_quarter ? left : in_a_quarter;
    for (std::uint32_t n = 0; n < now * (file_.geometry().block_bytes / 512); ++n) {
      auto slot = ring_.writer().try_reserve(RecordKind::kLog, 512 - sizeof(RecordHeader));
      if (slot) static_cast<void>(std::move(slot).commit());
    }
    drain();
    left -= now;
  }
}

DrainProcess::DrainProcess(const Subject& subject)
    : child_(Child::forked([&] { return run(subject.file(), *page_); })) {
  if (!wait_until([&] { return passes() > 0; })) std::fputs("shmring-process-bench: no drain\n", stderr);
}

int DrainProcess::run(const RingFile& file, Page& page) {
  const Lease lease = value_or_exit(Lease::try_take(file));
  const auto reader = value_or_exit(Reader::create(file, lease));
  for (bool last = false;;) {
    const std::uint64_t records = drain_once(*reader);
    page.delivered += records;
    ++page.passes;
    if (last && records == 0) return 0;
    last = page.stop.load();
    if (!last && records == 0) reader->wait_for_wake(5);
  }
}

bool DrainProcess::finish() {
  page_->stop = true;
  return child_.wait();
}

}  // namespace shmring::bench
