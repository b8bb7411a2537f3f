// SPDX-License-Identifier: Apache-2.0
// What a ring's own books say.

#include "flusher/ring_metrics.hpp"

#include <atomic>
#include <cstring>

#include "libshmring/accounting.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/names.hpp"

namespace shmring::flusher {
namespace {

constexpr unsigned kLooks = 4;  // at a block that moves; a figure that is one behind is no harm
constexpr double kNanoseconds = 1e-9;

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_blocks(const Accounting& accounting, const RingFile& ring, MetricSink& sink) {
  const BlockCensus& blocks = accounting.blocks;
  const auto state = [&](const char* name, std::uint32_t count) {
    sink.gauge("shmring_ring_blocks", "Blocks of the ring, by state.", count, {{"state", name}});
  };
  state("free", blocks.free);
  state("open", blocks.open);
  state("sealed", blocks.sealed);
  state("unknown", blocks.unknown);
  sink.gauge("shmring_ring_pinned_blocks", "Blocks of which something is being exported.", blocks.pinned);
  sink.gauge("shmring_ring_size_bytes", "Of all blocks.", number(ring.geometry().capacity_bytes()));
  sink.gauge("shmring_ring_fill_ratio", "Part of the blocks that is in use.",
             blocks.total == 0 ? 0 : 1 - number(blocks.free) / number(blocks.total));
}

void add_records(const Accounting& accounting, MetricSink& sink) {
  const auto each = [&](auto&& add) {
    for (const Signal signal : kSignals)
      add(to_string(signal), accounting.signals[static_cast<std::size_t>(signal)]);
  };
  each([&](std::string_view signal, const SignalAccounting& books) {
    sink.counter("shmring_ring_written_records_total", "Records that writers committed.",
                 number(books.written), {{"signal", signal}});
  });
  each([&](std::string_view signal, const SignalAccounting& books) {
    for (std::size_t fate = 0; fate < kOutcomeCount; ++fate) {
      sink.counter("shmring_ring_records_total", "Records that left the ring, by fate.",
                   number(books.outcomes[fate]), {{"signal", signal}, {"fate", kOutcomeNames[fate]}});
    }
  });
  each([&](std::string_view signal, const SignalAccounting& books) {
    for (std::size_t cause = 0; cause < kDropCauseCount; ++cause) {
      sink.counter("shmring_ring_dropped_records_total", "Records that did not get into the ring, by cause.",
                   number(books.dropped[cause]), {{"signal", signal}, {"cause", kDropNames[cause]}});
    }
  });
  each([&](std::string_view signal, const SignalAccounting& books) {
    sink.gauge("shmring_ring_pending_records", "Records in the ring.", number(books.pending),
               {{"signal", signal}});
  });
  each([&](std::string_view signal, const SignalAccounting& books) {
    sink.counter("shmring_ring_possible_duplicates_total",
                 "Records that were sent again although they may have arrived.",
                 number(books.duplicates_possible), {{"signal", signal}});
  });
}

/// Its holder's, as a label can hold it: another process wrote it.
std::string program_of(const WriterSlot& slot) {
  char bytes[sizeof slot.command];
  for (std::size_t i = 0; i < std::size(slot.command); ++i) {
    const std::uint64_t word = slot.command[i].load(std::memory_order_relaxed);  // for people
    std::memcpy(bytes + i * sizeof word, &word, sizeof word);
  }
  std::string name(bytes, strnlen(bytes, sizeof bytes));
  for (char& c : name) {
    if (c < ' ' || c > '~') c = '?';
  }
  return name.empty() ? "unknown" : name;
}

std::array<std::uint64_t, kDropCauseCount> drops_of(const WriterSlot& slot) {
  std::array<std::uint64_t, kDropCauseCount> out{};
  for (const auto& signal : slot.dropped) {
    for (std::size_t cause = 0; cause < kDropCauseCount; ++cause)
      out[cause] += signal[cause].load(std::memory_order_relaxed);  // counters of others, for people
  }
  return out;
}

}  // namespace

void add_ring_metrics(const RingFile& ring, MetricSink& sink) {
  const Accounting accounting = account(ring, kLooks);
  add_blocks(accounting, ring, sink);
  add_records(accounting, sink);
  const std::uint64_t now = boottime_ns();
  const std::uint64_t oldest = accounting.oldest_opened_ns;
  sink.gauge("shmring_ring_oldest_record_age_seconds",
             "Since the oldest block with something pending was opened; 0: nothing is pending.",
             oldest == 0 || now < oldest ? 0 : number(now - oldest) * kNanoseconds);
}

void add_delivery_metrics(const Delivery& delivery, const std::vector<Destination>& destinations,
                          MetricSink& sink) {
  const auto each = [&](auto&& add) {
    for (std::size_t i = 0; i < destinations.size(); ++i) {
      for (const Signal signal : kSignals)
        add(i, signal, MetricLabels{{"destination", destinations[i].name}, {"signal", to_string(signal)}});
    }
  };
  each([&](std::size_t i, Signal signal, const MetricLabels& labels) {
    sink.gauge("shmring_waiting_records", "Records in memory that wait for a destination, sent or not.",
               number(delivery.waiting_records(i, signal)), labels);
  });
  each([&](std::size_t i, Signal signal, const MetricLabels& labels) {
    sink.gauge("shmring_destination_away", "1: the destination stays away, and its batches go to the spool.",
               delivery.is_away(i, signal) ? 1 : 0, labels);
  });
  for (const Signal signal : kSignals) {
    sink.gauge("shmring_batch_memory_bytes", "Of batches that are under way or wait.",
               number(delivery.memory(signal)), {{"signal", to_string(signal)}});
  }
}

void add_spool_metrics(const spool::SpoolSize& size, MetricSink& sink) {
  sink.gauge("shmring_spool_bytes", "In use in the spool's database.", number(size.bytes));
  sink.gauge("shmring_spool_batches", "Batches in the spool.", number(size.rows));
  sink.gauge("shmring_spool_oldest_batch_age_seconds", "0: the spool is empty.",
             static_cast<double>(size.oldest_age.count()) * kNanoseconds);
}

DropsByProgram::DropsByProgram(const RingFile& ring) : ring_(ring) {
  for (const WriterSlot& slot : ring.slots()) seen_.push_back(drops_of(slot));
}

void DropsByProgram::add_metrics(MetricSink& sink) {
  std::size_t index = 0;
  for (const WriterSlot& slot : ring_.slots()) {
    const Counts now = drops_of(slot);
    Counts& seen = seen_[index++];
    if (now == seen) continue;
    std::string program = program_of(slot);
    if (programs_.count(program) == 0 && programs_.size() >= kMostPrograms) program = "other";
    Counts& counts = programs_[program];
    for (std::size_t cause = 0; cause < kDropCauseCount; ++cause)
      counts[cause] += now[cause] > seen[cause] ? now[cause] - seen[cause] : 0;
    seen = now;
  }
  for (const auto& [program, counts] : programs_) {
    for (std::size_t cause = 0; cause < kDropCauseCount; ++cause) {
      if (counts[cause] == 0) continue;
      sink.counter("shmring_program_dropped_records_total",
                   "Drops since this flusher began to serve the ring, by program and cause.",
                   number(counts[cause]), {{"program", program}, {"cause", kDropNames[cause]}});
    }
  }
}

}  // namespace shmring::flusher
