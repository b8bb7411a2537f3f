// SPDX-License-Identifier: Apache-2.0
// How grave a log record is: the 24 severity numbers of the OpenTelemetry log data model and their short
// names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shmring {

/// SeverityNumber (specification "Logs Data Model", Field: SeverityNumber). A higher number is graver. A
/// number of another scheme may be cast to it; receivers know 0 to 24.
enum class Severity : std::uint8_t {
  // clang-format off
  kUnspecified = 0,
  kTrace = 1,  kTrace2, kTrace3, kTrace4,
  kDebug = 5,  kDebug2, kDebug3, kDebug4,
  kInfo = 9,   kInfo2,  kInfo3,  kInfo4,
  kWarn = 13,  kWarn2,  kWarn3,  kWarn4,
  kError = 17, kError2, kError3, kError4,
  kFatal = 21, kFatal2, kFatal3, kFatal4,
  // clang-format on
};

/// The short name (same section, "Displaying Severity"); empty for 0 and for numbers that the model does not
/// have.
///
/// It is not put into records unless asked: SeverityText is meant for the name that the *source* gave a
/// level, and every receiver can derive this one from the number. Who wants it writes `.severity_text =
/// to_string(severity)`.
constexpr std::string_view to_string(Severity severity) noexcept {
  constexpr std::string_view kNames[] = {"",       "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2",
                                         "DEBUG3", "DEBUG4", "INFO",   "INFO2",  "INFO3",  "INFO4",  "WARN",
                                         "WARN2",  "WARN3",  "WARN4",  "ERROR",  "ERROR2", "ERROR3", "ERROR4",
                                         "FATAL",  "FATAL2", "FATAL3", "FATAL4"};
  const auto number = static_cast<std::size_t>(severity);
  return number < sizeof(kNames) / sizeof(kNames[0]) ? kNames[number] : std::string_view{};
}

}  // namespace shmring
