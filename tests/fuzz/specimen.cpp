// SPDX-License-Identifier: Apache-2.0
// The ring that fuzzers damage.
#include "tests/fuzz/specimen.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "libshmring/liveness.hpp"
#include "libshmring/robust_mutex.hpp"
#include "tests/fuzz/check.hpp"

namespace shmring::fuzz {
namespace {

std::filesystem::path new_folder() {
  std::string name = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  name += "/shmring-fuzz-" + std::to_string(::getpid()) +
          "-XXXXXX";  // scripts/fuzz.sh removes what a crash leaves
  check(::mkdtemp(name.data()) != nullptr, "a folder can be made");
  return name;
}

RingFile make_ring(const std::filesystem::path& path) {
  CreateOptions options;
  options.path = path;
  options.block_bytes = kBlockBytes;
  options.capacity_bytes = std::uint64_t{kBlockBytes} * kBlocks;
  options.writers = kWriters;
  const auto created = RingFile::create(options);
  check(created.has_value(), created ? "" : created.error().message);
  auto file = RingFile::attach(path);
  check(file.has_value(), file ? "" : file.error().message);
  return std::move(*file);
}

enum class Holder : std::uint8_t { kAlive, kGone };

void hold_slot(WriterSlot& slot, std::uint32_t generation, Holder holder) {
  const auto tid = static_cast<std::uint32_t>(::gettid());
  const std::uint32_t word = holder == Holder::kAlive ? tid : kFutexOwnerDied;
  std::memcpy(slot.mutex + kFutexWordOffset, &word, sizeof(word));
  slot.tid = tid;
  slot.pid = static_cast<std::uint32_t>(::getpid());
  slot.pid_namespace = pid_namespace();
  slot.registered_ns = boottime_ns();
  slot.command[0] = 0x6D6963657073;  // "specim", little-endian
  slot.claim = ClaimWord{.generation = generation,
                         .phase = SlotPhase::kHeld,
                         .tid = tid,
                         .namespace_tag = static_cast<std::uint32_t>(pid_namespace() & 0xFFFFFU)}
                   .pack();
}

/// Appends to a block as its writer does.
class Appender {
 public:
  Appender(std::byte* block, CommittedWord from) : block_(block), committed_(from) {}

  void append(RecordKind kind, std::uint16_t scope, std::string_view text) {
    const RecordHeader header{static_cast<std::uint32_t>(text.size()), static_cast<std::uint8_t>(kind), 0,
                              scope};
    std::memcpy(block_ + committed_.offset_bytes(), &header, sizeof(header));
    std::memcpy(block_ + committed_.offset_bytes() + sizeof(header), text.data(), text.size());
    const bool counted = kind != RecordKind::kResource && kind != RecordKind::kScope;
    committed_ = committed_.advanced(record_bytes(text.size()), counted ? 1 : 0);
  }
  CommittedWord committed() const noexcept { return committed_; }

 private:
  std::byte* block_;
  CommittedWord committed_;
};

}  // namespace

Specimen::Specimen() : folder_(new_folder()), path_(folder_ / "a.ring"), file_(make_ring(path_)) {
  hold_slot(file_.slots()[0], 1, Holder::kGone);
  hold_slot(file_.slots()[1], 7, Holder::kGone);
  hold_slot(file_.slots()[2], 3, Holder::kAlive);
  const auto descriptors = file_.descriptors();
  const auto begin = [&](std::uint32_t block, std::uint64_t before) {
    descriptors[block].outcomes[0][0][0] = OutcomeCell{.records = before}.pack();
    descriptors[block].exported = ExportedWord{.count = before}.pack();
    descriptors[block].ticket = block;
    descriptors[block].opened_ns = boottime_ns();
    return Appender(file_.block(block), CommittedWord::of(0, 0, before));
  };
  const auto add = [&](Appender& appender, std::uint32_t block, RecordKind kind, std::uint16_t scope,
                       const std::string& resource, std::size_t size) {
    const std::string text =
        std::to_string(block) + "." + std::to_string(records_[block].size()) + std::string(size, '~');
    appender.append(kind, scope, text);
    records_[block].push_back(text);
    resources_[block].push_back(resource);
  };

  Appender logs = begin(0, 5);
  logs.append(RecordKind::kResource, 0, "resource of 0");
  logs.append(RecordKind::kScope, 1, "scope");
  logs.append(RecordKind::kLog, 1, "exported");
  const ExportedWord exported{.offset_bytes = logs.committed().offset_bytes(),
                              .count = logs.committed().count()};
  descriptors[0].outcomes[0][0][0] = OutcomeCell{.records = 6}.pack();
  descriptors[0].exported = exported.pack();
  for (std::size_t n = 0; n < 4; ++n) add(logs, 0, RecordKind::kLog, 1, "resource of 0", n * 300);
  descriptors[0].committed = logs.committed().word;
  descriptors[0].state = StateWord{.state = BlockState::kSealed, .writer = 0, .writer_generation = 1}.pack();

  Appender spans = begin(1, 0);
  spans.append(RecordKind::kResource, 0, "first");
  for (std::size_t n = 0; n < 3; ++n) add(spans, 1, RecordKind::kSpan, 0, "first", n);
  spans.append(RecordKind::kResource, 0, "adopter");
  spans.append(RecordKind::kScope, 2, "scope two");
  for (std::size_t n = 0; n < 2; ++n) add(spans, 1, RecordKind::kSpan, 2, "adopter", n);
  descriptors[1].committed = spans.committed().word;
  descriptors[1].state =
      StateWord{.state = BlockState::kOpen, .signal = Signal::kTraces, .writer = 1, .writer_generation = 7}
          .pack();

  Appender metrics = begin(2, 100);
  metrics.append(RecordKind::kResource, 0, "metrics");
  for (std::size_t n = 0; n < 3; ++n) add(metrics, 2, RecordKind::kMetric, 0, "metrics", 8);
  descriptors[2].committed = metrics.committed().word;
  descriptors[2].state =
      StateWord{.state = BlockState::kOpen, .signal = Signal::kMetrics, .writer = 2, .writer_generation = 3}
          .pack();

  begin(3, 9);
  descriptors[3].committed = CommittedWord::of(0, 1, 9).word;
  descriptors[3].state = StateWord{.block_generation = 1}.pack();

  Appender large = begin(4, 2);
  begin(5, 0);
  large.append(RecordKind::kResource, 0, "resource of the run");
  add(large, 4, RecordKind::kLog, 0, "resource of the run", kBlockBytes);
  descriptors[4].committed = large.committed().word;
  descriptors[4].state = StateWord{.state = BlockState::kSealed, .writer = 0, .writer_generation = 1}.pack();
  descriptors[5].state = StateWord{.state = BlockState::kCont, .writer = 0, .writer_generation = 1}.pack();
  file_.header().ticket = kBlocks;
  file_.header().free_blocks = 1;
  sound_.assign(file_.base(), file_.base() + file_.geometry().file_bytes);
}

Specimen::~Specimen() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

const Specimen& Specimen::get() {
  static const Specimen specimen;
  return specimen;
}

void Specimen::restore() const { std::memcpy(file_.base(), sound_.data(), sound_.size()); }

}  // namespace shmring::fuzz
