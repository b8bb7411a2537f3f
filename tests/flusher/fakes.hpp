// SPDX-License-Identifier: Apache-2.0
// Slices made by hand, exporters that wait for orders, timers that run when told: the pipeline's parts without the rest.
#pragma once

#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flusher/batch_spool.hpp"
#include "flusher/exporter.hpp"
#include "flusher/slice_source.hpp"
#include "flusher/timers.hpp"
#include "shmring/layout.hpp"

namespace shmring::testing {

namespace logs_v1 = opentelemetry::proto::logs::v1;
using LogsRequest = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;

inline std::string log_payload(const std::string& body) {
  logs_v1::LogRecord record;
  record.mutable_body()->set_string_value(body);
  return record.SerializeAsString();
}

inline std::string resource_payload(const std::string& service) {
  opentelemetry::proto::resource::v1::Resource resource;
  auto* const attribute = resource.add_attributes();
  attribute->set_key("service.name");
  attribute->mutable_value()->set_string_value(service);
  return resource.SerializeAsString();
}

/// Bytes of a block, record after record.
class BlockMaker {
 public:
  explicit BlockMaker(std::uint32_t block, Signal signal = Signal::kLogs) : block_(block), signal_(signal) {
    append(RecordKind::kResource, resource_payload("svc"));
  }

  void append(RecordKind kind, const std::string& payload) {
    const RecordHeader header{static_cast<std::uint32_t>(payload.size()), static_cast<std::uint8_t>(kind), 0,
                              0};
    std::string record(record_bytes(payload.size()), '\0');
    std::memcpy(record.data(), &header, sizeof header);
    std::memcpy(record.data() + sizeof header, payload.data(), payload.size());
    bytes_ += record;
    if (kind != RecordKind::kResource && kind != RecordKind::kScope) ++count_;
  }
  void add_log(const std::string& body) { append(RecordKind::kLog, log_payload(body)); }
  void add_bad() { append(kind_of(signal_), "\xff\xff\xff"); }
  /// A record that the counters promise, and that is not there.
  void count_one_too_many() { ++count_; }

  /// What was appended since the last slice.
  Slice take() {
    Slice slice;
    slice.key = {.block = block_,
                 .block_generation = 7,
                 .begin = taken_,
                 .end = static_cast<std::uint32_t>(bytes_.size()),
                 .begin_count = taken_count_,
                 .end_count = count_,
                 .signal = signal_};
    const auto* const begin = reinterpret_cast<const std::byte*>(bytes_.data());
    slice.bytes.assign(begin, begin + bytes_.size());
    taken_ = slice.key.end;
    taken_count_ = count_;
    return slice;
  }

 private:
  std::uint32_t block_;
  Signal signal_;
  std::string bytes_;
  std::uint64_t count_ = 100;  // the block had an earlier life
  std::uint32_t taken_ = 0;
  std::uint64_t taken_count_ = 100;
};

inline std::vector<std::string> bodies_of(const std::string& request) {
  LogsRequest parsed;
  std::vector<std::string> out;
  if (!parsed.ParseFromString(request)) return {"(no request)"};
  for (const auto& resource : parsed.resource_logs()) {
    for (const auto& scope : resource.scope_logs()) {
      for (const auto& record : scope.log_records()) out.push_back(record.body().string_value());
    }
  }
  return out;
}

/// Takes batches, and answers when told.
class FakeExporter final : public flusher::Exporter {
 public:
  struct Taken {
    std::shared_ptr<const flusher::Batch> batch;
    Done done;
  };
  std::vector<Taken> taken;
  flusher::Patience patience = flusher::Patience::kRetry;  // the last that was set

  void submit(std::shared_ptr<const flusher::Batch> batch, Done done) override {
    taken.push_back({std::move(batch), std::move(done)});
  }
  void set_patience(Signal, flusher::Patience wanted) override { patience = wanted; }
  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> out;
    for (const Taken& each : taken) out.push_back(each.batch->number);
    return out;
  }
  void answer(std::size_t index, const flusher::SendResult& result = {}) {
    const Done done = taken.at(index).done;  // the vector may grow meanwhile
    done(result);
  }
};

/// Keeps what it is told to, or refuses it, when told.
class FakeSpool final : public flusher::BatchSpool {
 public:
  struct Offered {
    std::vector<flusher::Handover> batches;
    Kept kept;
  };
  std::vector<Offered> offered;

  void keep(std::vector<flusher::Handover> batches, Kept kept) override {
    offered.push_back({std::move(batches), std::move(kept)});
  }
  void answer(std::size_t index, bool is_kept) {
    const Kept kept = offered.at(index).kept;  // the vector may grow meanwhile
    kept(is_kept);
  }
  std::vector<std::uint64_t> numbers(std::size_t index) const {
    std::vector<std::uint64_t> out;
    for (const auto& handover : offered.at(index).batches) out.push_back(handover.batch->number);
    return out;
  }
};

/// Always answers at once.
class InstantExporter final : public flusher::Exporter {
 public:
  std::vector<std::shared_ptr<const flusher::Batch>> taken;
  void submit(std::shared_ptr<const flusher::Batch> batch, Done done) override {
    taken.push_back(std::move(batch));
    done({});
  }
};

class FakeTimers final : public flusher::Timers {
 public:
  std::vector<std::pair<flusher::Clock::duration, std::function<void()>>> waiting;
  void after(flusher::Clock::duration delay, std::function<void()> action) override {
    waiting.emplace_back(delay, std::move(action));
  }
  void run_all() {
    for (auto& [delay, action] : std::exchange(waiting, {})) action();
  }
};

/// Slices that wait to be drained, and what was acknowledged.
class FakeSource : public flusher::SliceSource {
 public:
  std::vector<Slice> slices;
  std::vector<std::pair<SliceKey, OutcomeCounts>> acknowledged;
  std::uint64_t possible_duplicates = 0;
  bool is_superseded = false;

  DrainReport drain(const DrainBudget& budget, const std::function<bool(Slice&&)>& sink) override {
    DrainReport report;
    DrainBudget left = budget;
    std::vector<Slice> kept;
    for (Slice& slice : slices) {
      auto& room = left[static_cast<std::size_t>(slice.key.signal)];
      const std::uint64_t bytes = slice.key.end - slice.key.begin;
      if (bytes > room) {
        room = 0;
        report.more = true;
        report.left[static_cast<std::size_t>(slice.key.signal)] = true;
        kept.push_back(std::move(slice));
        continue;
      }
      room -= bytes;
      report.records += slice.key.records();
      sink(std::move(slice));
    }
    slices = std::move(kept);
    return report;
  }
  Reader::Acknowledged acknowledge(const SliceKey& key, const OutcomeCounts& counts) override {
    if (is_superseded) return Reader::Acknowledged::kSuperseded;
    acknowledged.emplace_back(key, counts);
    return Reader::Acknowledged::kDone;
  }
  void count_possible_duplicates(Signal, std::uint64_t records) override { possible_duplicates += records; }
};

inline std::uint64_t count_of(const OutcomeCounts& counts, Outcome outcome) {
  return counts[static_cast<std::size_t>(outcome)];
}

}  // namespace shmring::testing
