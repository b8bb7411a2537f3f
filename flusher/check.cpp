// SPDX-License-Identifier: Apache-2.0
// --check: tries every place that records would go to.

#include "flusher/check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "flusher/endpoint.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/file_exporter.hpp"
#include "flusher/otlp_exporter.hpp"

namespace shmring::flusher {
namespace {

constexpr std::chrono::seconds kLongest{10};

void add(CheckResult& result, std::string_view what, std::string_view where, bool is_fine,
         std::string_view verdict) {
  result.text += fmt::format("{:<8} {}\n  {}: {}\n", what, where, is_fine ? "fine" : "NOT FINE", verdict);
  result.is_fine = result.is_fine && is_fine;
}

using Answers = std::array<std::optional<SendResult>, kSignalCount>;

/// All at once: who has one server for all signals waits for it once.
Answers ask_all(const Config& config) {
  EventLoop loop;
  auto targets = config.otlp;
  for (OtlpTarget& target : targets)
    target.timeout = std::min<std::chrono::microseconds>(target.timeout, kLongest);
  OtlpExporter exporter(loop, targets);
  Answers answers;
  std::size_t open = kSignalCount;
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    exporter.submit(std::make_shared<const Batch>(Batch{.signal = static_cast<Signal>(i)}),
                    [&answers, &open, i](const SendResult& result) {
                      answers[i] = result;
                      --open;
                    });
  }
  while (open > 0) loop.turn(Clock::now() + kLongest);
  return answers;
}

void check_otlp(const Config& config, CheckResult& result) {
  Answers answers = ask_all(config);
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const OtlpTarget& target = config.otlp[i];
    const std::string where = fmt::format("{} ({})", without_secrets(target.url), to_string(target.protocol));
    const auto say = [&](bool is_fine, std::string_view verdict) {
      add(result, to_string(static_cast<Signal>(i)), where, is_fine, verdict);
    };
    SendResult& answer = *answers[i];
    if (const std::string prefix = without_secrets(target.url) + ": "; answer.reason.starts_with(prefix))
      answer.reason.erase(0, prefix.size());  // it stands in the line before
    switch (answer.outcome) {
      case SendOutcome::kAccepted:
        say(true, answer.reason.empty() ? "takes requests" : "takes requests, and says: " + answer.reason);
        break;
      case SendOutcome::kRetryable:
        say(false, "takes none now, which would be tried again: " + answer.reason);
        break;
      default:
        say(false, "refuses requests for good: " + answer.reason);
        break;
    }
  }
}

/// Whether the file, or where there is none its folder, can be written to; nothing is changed.
void check_file(const Config& config, CheckResult& result) {
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const auto signal = static_cast<Signal>(i);
    const std::filesystem::path file = file_of(config.file, signal);
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
    const bool is_there = ::access(file.c_str(), F_OK) == 0;
    const bool can =
        is_there ? ::access(file.c_str(), R_OK | W_OK) == 0 : ::access(folder.c_str(), W_OK | X_OK) == 0;
    const std::string why = can ? "" : std::strerror(errno);
    add(result, to_string(signal), file.string(), can,
        can ? "can be written" : fmt::format("{}: {}", is_there ? file.string() : folder.string(), why));
  }
}

}  // namespace

CheckResult try_destinations(const Config& config) {
  CheckResult result;
  for (const ExporterKind kind : config.exporters) {
    switch (kind) {
      case ExporterKind::kOtlp:
        check_otlp(config, result);
        break;
      case ExporterKind::kFile:
        check_file(config, result);
        break;
      case ExporterKind::kConsole:
        add(result, "console", "standard output", true, "can be written");
        break;
    }
  }
  return result;
}

}  // namespace shmring::flusher
