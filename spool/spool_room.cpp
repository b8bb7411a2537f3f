// SPDX-License-Identifier: Apache-2.0
// Room for batches, within the limits and on the file system; and which of them go when there is none.

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "spool/spool_file.hpp"

namespace shmring::spool {
namespace {

// Of the file system: for what a few transactions write when batches leave.
constexpr std::uint64_t kLogRoom = 256U << 10U;
// More than a log ever holds: nothing has to be reckoned.
constexpr std::uint64_t kAmple = 64U << 20U;

}  // namespace

Result<SpoolFile::Extent> SpoolFile::extent() {
  auto pages = database_->prepare(
      "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size), "
      "(SELECT freelist_count FROM pragma_freelist_count) * (SELECT page_size FROM pragma_page_size)");
  if (!pages) return pages.error();
  if (const auto row = pages->step(); !row) return row.error();
  return Extent{.all = pages->number(0), .used = pages->number(0) - pages->number(1)};
}

std::uint64_t SpoolFile::free_bytes() const {
  struct statvfs file_system {};
  if (::statvfs(folder_.c_str(), &file_system) != 0) return UINT64_MAX;
  return std::uint64_t{file_system.f_bavail} * file_system.f_frsize;
}

/// What the file has still to grow by when the log goes into it.
std::uint64_t SpoolFile::growth_to_come(const Extent& extent) const {
  std::error_code unknown;
  const std::uint64_t there = std::filesystem::file_size(file(), unknown);
  return !unknown && extent.all > there ? extent.all - there : 0;
}

/// Whether the file system has room for that many bytes more. They come into the log first, and then the database grows: a spool
/// that took the last bytes for itself could not even be emptied any more.
SpoolFile::Shortage SpoolFile::disk_shortage(const Extent& extent, std::uint64_t bytes) const {
  const std::uint64_t more = extent.used + bytes > extent.all ? extent.used + bytes - extent.all : 0;
  const std::uint64_t needed =
      (more > 0 ? limits_.min_free : 0) + growth_to_come(extent) + more + bytes + 2 * kLogRoom;
  return {.is_short = free_bytes() < needed, .can_shrink = more > 0};
}

/// Before the log has taken what the database needs to take it in: batches that leave are written to it, too.
void SpoolFile::empty_log_in_time() {
  const std::uint64_t free = free_bytes();
  if (free >= kAmple) return;
  const auto extent = this->extent();
  if (extent && free < growth_to_come(*extent) + kLogRoom) empty_log();
}

/// A full spool refuses, and the ring keeps what it has, until the ring itself is in need: then the oldest rows go.
Result<void> SpoolFile::make_room(std::uint64_t bytes, WhenFull when_full) {
  for (;;) {
    const auto extent = this->extent();
    if (!extent) return extent.error();
    const bool is_over = extent->used + bytes > limits_.bytes;
    const Shortage disk = disk_shortage(*extent, bytes);
    if (!is_over && !disk.is_short) return {};
    if (when_full == WhenFull::kDropOldest && (is_over || disk.can_shrink)) {
      const auto dropped = drop_oldest();
      if (!dropped) return dropped.error();
      if (*dropped) continue;
    }
    return Error{ErrorCode::kNoSpace,
                 is_over ? fmt::format("the spool {} is full (--spool-size)", folder_.string())
                         : fmt::format("too little is free on the file system of {} (--spool-min-free)",
                                       folder_.string())};
  }
}

/// False: there is none that could go.
Result<bool> SpoolFile::drop_oldest() {
  auto oldest = database_->prepare("SELECT id FROM batches ORDER BY id LIMIT 64");
  if (!oldest) return oldest.error();
  for (;;) {
    const auto row = oldest->step();
    if (!row) return row.error();
    if (!*row) return false;
    const std::int64_t id = oldest->integer(0);
    if (held_.contains(id)) continue;
    const auto records = drop(id, "spool_evicted");
    if (!records) return records.error();
    ++dropped_.batches;
    dropped_.records += *records;
    return true;
  }
}

Result<Dropped> SpoolFile::drop_old() {
  Dropped sum;
  const std::int64_t age = std::chrono::nanoseconds(limits_.age).count();
  auto old = database_->prepare("SELECT id FROM batches WHERE at_ns < ? ORDER BY id LIMIT 256");
  if (!old) return old.error();
  old->bind(clock_.now_ns() - age);
  for (;;) {
    const auto row = old->step();
    if (!row) return row.error();
    if (!*row) return sum;
    if (held_.contains(old->integer(0))) continue;
    const auto records = drop(old->integer(0), "spool_evicted");
    if (!records) return records.error();
    ++sum.batches;
    sum.records += *records;
  }
}

Result<void> SpoolFile::tidy() {
  auto rows = database_->prepare("SELECT EXISTS(SELECT 1 FROM batches)");
  if (!rows) return rows.error();
  if (const auto row = rows->step(); !row) return row.error();
  const bool is_empty = rows->integer(0) == 0;
  rows->reset();
  if (!is_empty) return {};
  return database_->execute("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);");
}

}  // namespace shmring::spool
