// SPDX-License-Identifier: Apache-2.0
// A log statement whose constant part is encoded by the compiler: severity, body and keys. What is left to do at run time is to copy
// them, and to write the values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shmring/fixed_text.hpp"
#include "shmring/log_encoder.hpp"
#include "shmring/plain_encoder.hpp"
#include "shmring/severity.hpp"
#include "shmring/site_key.hpp"

namespace shmring {

/// Given to Logger::emit() with a value for each key, in their order:
///
///   inline constexpr shmring::LogSite<shmring::Severity::kInfo, "order placed", "order.id", "customer"> kOrderPlaced;
///   log.emit(kOrderPlaced, trace, 4711, name);
///
/// The record is the same as that of log.emit(Severity::kInfo, "order placed", {{"order.id", 4711}, {"customer", name}}, trace).
/// In the place of a key constant("peer.service", "billing") is an attribute that all records of the site have; it takes no value,
/// and comes before those that do.
/// Keys are checked when the program is compiled: not empty, each once, none longer than 100 bytes. An empty body is left out.
template <Severity Level, FixedText Body, SiteKey... Keys>
struct LogSite {
  static_assert(wire::are_keys<Keys...>(), "each key once, and none without a name");
  static_assert(((Keys.size() <= 100) && ...), "a key of 100 bytes at most");
  static_assert(sizeof...(Keys) <= kMaxAttributes, "no record has more attributes");
};

namespace wire {

/// A record's beginning: room for both times, the severity, the body, the constant attributes.
template <Severity Level, FixedText Body, SiteKey... Keys>
inline constexpr auto kLogHead = [] {
  constexpr std::size_t kText = Body.size();
  constexpr std::size_t kValue = 1 + varint_size(kText) + kText;
  constexpr std::size_t kBody = kText == 0 ? 0 : 1 + varint_size(kValue) + kValue;
  constexpr std::size_t kSeverity =
      Level == Severity::kUnspecified ? 0 : 1 + varint_size(static_cast<std::uint8_t>(Level));
  constexpr std::size_t kConstants = constants_size<Keys...>(log_record::kAttributes);
  std::array<std::byte, 18 + kSeverity + kBody + kConstants> head{};
  head[0] = static_cast<std::byte>(tag(log_record::kTime, Type::kFixed64));
  head[9] = static_cast<std::byte>(tag(log_record::kObservedTime, Type::kFixed64));
  ByteSink sink(head.data() + 18);
  if constexpr (kSeverity != 0)
    put_varint(sink, log_record::kSeverityNumber, static_cast<std::uint8_t>(Level));
  if constexpr (kText != 0) {
    put_length(sink, log_record::kBody, kValue);
    put_text(sink, any_value::kString, Body.view());
  }
  (put_constant<Keys>(sink, log_record::kAttributes), ...);
  return head;
}();

}  // namespace wire
}  // namespace shmring
