// SPDX-License-Identifier: Apache-2.0
// A sink for spdlog: what a program logs is in the ring when the call returns. Header-only, for spdlog 1.8 and newer; needs nothing of shmring
// but the library itself.
#pragma once

#include <spdlog/common.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/sinks/sink.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "shmring/logger.hpp"
#include "shmring/ring.hpp"

namespace shmring::sinks {

/// Writes each message as a log record:
///
///   auto ring = shmring::Ring::open_or_create();
///   spdlog::logger log("shop.orders", std::make_shared<shmring::sinks::SpdlogSink>(*ring));
///   log.warn("order {} is late", 4711);
///
/// The text is the body, the logger's name the instrumentation scope, the level the severity (critical: FATAL) and its text; thread.id and, where the
/// message has them, code.file.path, code.line.number and code.function.name are attributes (OpenTelemetry semantic conventions "Code",
/// "Thread"). Patterns and formatters do not apply: a record has fields.
///
/// All functions are thread-safe and take no lock: a child forked while another thread logs goes on logging. Nothing has to be flushed, and nothing is
/// lost by an asynchronous logger's thread that is not there in a child, as long as the logger itself is a synchronous one.
class SpdlogSink final : public spdlog::sinks::sink {
 public:
  /// What tells the trace that the calling thread works for; nullptr: nothing does.
  using CurrentTrace = TraceContext (*)() noexcept;

  explicit SpdlogSink(Ring ring, CurrentTrace current_trace = nullptr) noexcept
      : ring_(ring), current_trace_(current_trace) {}
  ~SpdlogSink() override {
    const Scope* scope = scopes_.load(std::memory_order_acquire);  // P10
    while (scope != nullptr) delete std::exchange(scope, scope->next);
  }
  SpdlogSink(const SpdlogSink&) = delete;
  SpdlogSink& operator=(const SpdlogSink&) = delete;

  void log(const spdlog::details::log_msg& message) override {
    const std::string_view name = text(message.logger_name);
    const std::string_view level = text(spdlog::level::to_string_view(message.level));
    std::array<Attribute, 4> attributes{{{"thread.id", message.thread_id}}};
    std::size_t count = 1;
    if (message.source.filename != nullptr && message.source.line > 0) {
      attributes[count++] = {"code.file.path", message.source.filename};
      attributes[count++] = {"code.line.number", message.source.line};
      if (message.source.funcname != nullptr)
        attributes[count++] = {"code.function.name", message.source.funcname};
    }
    const auto time = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(message.time.time_since_epoch()).count());
    logger_of(name).emit(LogRecord{.severity = severity_of(message.level),
                                   .severity_text = level,
                                   .body = text(message.payload),
                                   .attributes = std::span<const Attribute>(attributes.data(), count),
                                   .time_unix_nano = time,
                                   .observed_time_unix_nano = time,
                                   .trace = current_trace_ == nullptr ? TraceContext{} : current_trace_()});
  }
  /// Nothing to do: a record is where it belongs when log() returns.
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  /// SeverityNumber of a level (specification "Logs Data Model", Mapping of SeverityNumber).
  static Severity severity_of(spdlog::level::level_enum level) noexcept {
    switch (level) {
      case spdlog::level::trace:
        return Severity::kTrace;
      case spdlog::level::debug:
        return Severity::kDebug;
      case spdlog::level::info:
        return Severity::kInfo;
      case spdlog::level::warn:
        return Severity::kWarn;
      case spdlog::level::err:
        return Severity::kError;
      case spdlog::level::critical:
        return Severity::kFatal;
      default:
        return Severity::kUnspecified;
    }
  }

 private:
  /// The logger of an instrumentation scope. A list that only grows: there are few.
  struct Scope {
    std::string name;
    Logger logger;
    const Scope* next;
  };

  static std::string_view text(spdlog::string_view_t text) noexcept { return {text.data(), text.size()}; }

  const Logger& logger_of(std::string_view name) {
    const Scope* head = scopes_.load(std::memory_order_acquire);  // P10
    for (const Scope* scope = head; scope != nullptr; scope = scope->next) {
      if (scope->name == name) return scope->logger;
    }
    auto* const added = new Scope{std::string(name), ring_.logger(name), head};
    // Two threads may add the same name: the list has it twice then, and the ring one scope.
    while (!scopes_.compare_exchange_weak(
        added->next, added, std::memory_order_release,  // P10
        std::memory_order_relaxed)) {                   // relaxed: the list is not looked into then
    }
    return added->logger;
  }

  Ring ring_;
  CurrentTrace current_trace_;
  std::atomic<const Scope*> scopes_{nullptr};
};

}  // namespace shmring::sinks
