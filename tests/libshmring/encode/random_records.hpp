// SPDX-License-Identifier: Apache-2.0
// Records made at random, the same for the same seed: as libprotobuf's message, and as what a program would
// emit.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "encoded.hpp"

namespace shmring::test {

class RandomRecords {
 public:
  explicit RandomRecords(std::uint64_t seed) : random_(seed) {}

  otlp::logs::v1::LogRecord log();
  otlp::trace::v1::Span span();

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::uint64_t number();  // of any magnitude
  std::string text();
  std::string id(std::size_t size);
  void fill(otlp::common::v1::AnyValue& value, unsigned depth);
  template <typename Message>
  void add_attributes(Message& message);

  std::mt19937_64 random_;
};

/// The views of a message that our encoder takes; owns the lists that they point into, not the texts.
class Views {
 public:
  LogRecord of(const otlp::logs::v1::LogRecord& message);
  SpanRecord of(const otlp::trace::v1::Span& message);
  AttributeValue of(const otlp::common::v1::AnyValue& message);

 private:
  template <typename List>
  Attributes attributes(const List& list);

  std::deque<std::vector<Attribute>> attributes_;
  std::deque<std::vector<AttributeValue>> values_;
  std::deque<std::vector<SpanEvent>> events_;
  std::deque<std::vector<SpanLink>> links_;
};

}  // namespace shmring::test
