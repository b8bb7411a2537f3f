// SPDX-License-Identifier: Apache-2.0
// A ring as a program that emits sees it: open or create it once, then take loggers, tracers and writers from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "shmring/attribute.hpp"
#include "shmring/clock.hpp"
#include "shmring/layout.hpp"
#include "shmring/resource_attributes.hpp"
#include "shmring/result.hpp"
#include "shmring/writer.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

class Logger;
class Tracer;

/// How a ring file is made. One line per option: default, unit, meaning.
struct CreateOptions {
  std::filesystem::path path = {};  // empty: $SHMRING_PATH, else /dev/shm/shmring-<uid>/default.ring
  std::uint64_t capacity_bytes = 32ULL << 20U;  // bytes of all blocks together; allocated at once
  std::uint32_t block_bytes =
      16U << 10U;  // a power of two from 4 KiB to 1 MiB; a larger record takes neighbouring blocks
  std::uint32_t writers = 1024;  // threads that can write at the same time, 1 to 65536
  FullPolicy on_full = FullPolicy::kDropNewest;
  std::chrono::microseconds block_timeout{10000};  // policy block: an emit waits at most this long
  std::uint32_t max_record_bytes =
      kDefaultMaxRecordBytes;  // encoded, 1 MiB; at most 1.5 MiB, and half of the ring
  std::uint32_t mode = 0600;   // of the file; 0660 only together with a group
  std::string group = {};      // empty: the creator's; else the group of a flusher with another uid
};

/// Who writes. What is not said comes from OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
struct ResourceOptions {
  std::string service_name =
      {};  // empty: OTEL_SERVICE_NAME, service.name of OTEL_RESOURCE_ATTRIBUTES, unknown_service:<exe>
  ResourceAttributes attributes = {};  // beat those of the environment
  std::string schema_url = {};         // of the attributes; empty: none
};

struct OpenOptions {
  std::filesystem::path path = {};              // see CreateOptions
  std::uint64_t capacity_bytes = 32ULL << 20U;  // used where the ring is created; see CreateOptions for these
  std::uint32_t block_bytes = 16U << 10U;
  std::uint32_t writers = 1024;
  FullPolicy on_full = FullPolicy::kDropNewest;
  std::chrono::microseconds block_timeout{10000};
  std::uint32_t max_record_bytes = kDefaultMaxRecordBytes;
  ResourceOptions resource = {};
  std::optional<Clock> clock =
      {};  // of this process's records; nullopt: SHMRING_CLOCK (realtime, coarse or tsc), else kRealtime
};

/// Where a ring lies when nobody says: $SHMRING_PATH, else /dev/shm/shmring-<uid>/default.ring. Thread-safe unless
/// another thread changes the environment.
std::filesystem::path default_ring_path();

/// An instrumentation scope (OpenTelemetry specification, "Instrumentation scope"). In a block it takes at most a sixteenth: longer names and
/// versions are cut, a schema URL or an attribute that finds no room is left out as a whole; attributes left out are counted in
/// the scope's dropped_attributes_count.
struct ScopeOptions {
  std::string_view name = {};
  std::string_view version = {};
  Attributes attributes = {};
  std::string_view schema_url = {};
};

/// A handle to an attached ring. Copies mean the same ring. The mapping stays until the process ends, so that no
/// writer, in whatever thread, can lose it under its feet: opening the same file again gives the same mapping.
///
/// All functions are thread-safe. In a forked child a Ring goes on working: each thread there registers anew, with a
/// resource of its own, on its first record.
class Ring {
 public:
  /// Attaches to the ring, creating it (and the default folder) first if there is none. Any number of processes may do so
  /// at once: one creates, the others attach. Not async-signal-safe. Errors: every ErrorCode but kAlreadyExists and kBusy.
  static Result<Ring> open_or_create(const OpenOptions& options = {});

  /// Attaches to an existing ring only.
  static Result<Ring> open(const std::filesystem::path& path, const ResourceOptions& resource = {});

  /// Makes a new ring file; kAlreadyExists when there is one.
  static Result<void> create(const CreateOptions& options = {});

  /// A logger for an instrumentation scope. Cheap to copy; keep it. Scopes that are the same in all they say share a number.
  Logger logger(std::string_view scope_name, std::string_view scope_version = {}) const;
  Logger logger(const ScopeOptions& scope) const;

  /// A tracer for an instrumentation scope, with the sampler of OTEL_TRACES_SAMPLER.
  Tracer tracer(std::string_view scope_name, std::string_view scope_version = {}) const;
  Tracer tracer(const ScopeOptions& scope) const;

  /// Zero-copy access: encode straight into the ring.
  Writer writer() const noexcept { return Writer(core_); }

  /// The number to give to Writer::try_reserve() for records of this scope. {0} when the process has used up its
  /// 65,535 scopes.
  ScopeId scope(const ScopeOptions& options) const;

  /// Registers the calling thread now rather than with its first record, which a signal handler on the alternate stack could not
  /// do: threads whose last words matter call it first. False: no writer slot, a thread that the C library does not
  /// know, or such a handler. Async-signal-safe.
  bool prepare_thread() const noexcept;

  const std::filesystem::path& path() const noexcept;
  std::uint64_t capacity_bytes() const noexcept;
  std::uint32_t block_bytes() const noexcept;

  /// What stamps this process's records: as its first opening of the ring asked, but kRealtime for a kTsc that cannot be relied on
  /// (no x86-64, no invariant TSC, or one that the kernel has found unstable).
  Clock clock() const noexcept;

  /// Largest payload that try_reserve() can grant, beside this process's resource and a scope: the ring's largest record, or half
  /// of a small ring; always as much as a fresh block holds.
  std::size_t max_payload() const noexcept;

  /// Records of lower severity are not written. Live: seen by every process at its next Logger::enabled().
  void set_min_severity(std::uint32_t severity_number) const noexcept;

  RingCore* core() const noexcept { return core_; }

 private:
  explicit Ring(RingCore* core) noexcept : core_(core) {}
  RingCore* core_;
};

/// Called at most once per cause and process when records are dropped, by the thread that dropped one, after it was
/// counted; never by a handler that interrupted an emit, or whose record was refused as nested. It must not emit, and be
/// async-signal-safe where handlers emit. nullptr: none (the default). The library itself prints nothing. Thread-safe.
using ErrorHandler = void (*)(DropCause cause, std::string_view message);
ErrorHandler set_error_handler(ErrorHandler handler) noexcept;

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
