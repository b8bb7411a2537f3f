// SPDX-License-Identifier: Apache-2.0
// Opening rings: attach, or create and attach, whoever else does the same at this moment.
#include "shmring/ring.hpp"

#include <unistd.h>

#include <thread>

#include "libshmring/earlier_boot.hpp"
#include "libshmring/fork_page.hpp"
#include "libshmring/ring_core.hpp"
#include "libshmring/ring_path.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

CreateOptions creation_of(const OpenOptions& options) {
  CreateOptions create;
  create.path = options.path;
  create.capacity_bytes = options.capacity_bytes;
  create.block_bytes = options.block_bytes;
  create.writers = options.writers;
  create.on_full = options.on_full;
  create.block_timeout = options.block_timeout;
  create.max_record_bytes = options.max_record_bytes;
  return create;
}

/// Others may be creating the same ring at this moment: one links it into place, and meanwhile all the rest may find the
/// file system full (each allocates before it links). So both answers mean: look again.
Result<RingFile> attach_or_create(const OpenOptions& options) {
  constexpr int kAttempts = 24;
  for (int attempt = 1;; ++attempt) {
    auto file = RingFile::attach(options.path);
    if (file && file->of_an_earlier_boot()) {
      if (auto aside = set_aside(*file); !aside) return aside.error();
    } else if (file || file.error().code != ErrorCode::kNotFound) {
      return file;
    }
    auto created = RingFile::create(creation_of(options));
    if (created) continue;
    const ErrorCode code = created.error().code;
    const bool look_again = code == ErrorCode::kAlreadyExists || code == ErrorCode::kNoSpace;
    if (!look_again || attempt >= kAttempts) return created.error();
    if (code == ErrorCode::kNoSpace || attempt > 2) {
      std::this_thread::sleep_for(std::chrono::microseconds(200U * static_cast<unsigned>(attempt) +
                                                            static_cast<unsigned>(::getpid()) % 977U));
    }
  }
}

}  // namespace

Result<Ring> Ring::open_or_create(const OpenOptions& options) {
  auto file = attach_or_create(options);
  if (!file) return file.error();
  auto core = RingCore::adopt(std::move(*file), {options.resource, options.clock});
  if (!core) return core.error();
  return Ring(*core);
}

Result<Ring> Ring::open(const std::filesystem::path& path, const ResourceOptions& resource) {
  auto file = RingFile::attach(path);
  if (!file) return file.error();
  if (file->of_an_earlier_boot()) {
    return Error{
        ErrorCode::kIncompatibleVersion,
        file->path().string() +
            " is a ring of an earlier boot: it can be drained, not written to; open_or_create() sets it "
            "aside and makes a new one"};
  }
  auto core = RingCore::adopt(std::move(*file), {resource});
  if (!core) return core.error();
  return Ring(*core);
}

Result<void> Ring::create(const CreateOptions& options) { return RingFile::create(options); }

ScopeId Ring::scope(const ScopeOptions& options) const { return core_->intern_scope(options); }

[[gnu::hot]] bool Ring::prepare_thread() const noexcept {
  if (find_writer(*core_) != nullptr) return true;
  writer().meet_ring();
  DropCause cause{};
  return register_thread(*core_, cause) != nullptr;
}

const std::filesystem::path& Ring::path() const noexcept { return core_->file().path(); }
Clock Ring::clock() const noexcept { return core_->clock(); }
std::uint64_t Ring::capacity_bytes() const noexcept { return core_->file().geometry().capacity_bytes(); }
std::uint32_t Ring::block_bytes() const noexcept { return core_->file().geometry().block_bytes; }
std::size_t Ring::max_payload() const noexcept { return core_->max_payload(); }

void Ring::set_min_severity(std::uint32_t severity_number) const noexcept {
  core_->header().min_severity.store(severity_number, std::memory_order_relaxed);  // relaxed: a setting
}

}  // namespace shmring
