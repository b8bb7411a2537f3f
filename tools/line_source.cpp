// SPDX-License-Identifier: Apache-2.0
// What emit and exec share: a ring to write to, and lines that become log records.
#include "tools/line_source.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "shmring/log_encoder.hpp"
#include "tools/units.hpp"

namespace shmring::tools {
namespace {

const char* reporting_verb = "";

// Body, time, severity and their tags and lengths: what a record takes beside its attributes and the bytes of its line.
constexpr std::size_t kRecordFrame = 128;
constexpr std::size_t kLeastLine = 64;

}  // namespace

Result<Ring> open_to_write(const RingArgument& ring, std::string service) {
  ResourceOptions resource;
  resource.service_name = std::move(service);
  // A path that somebody typed is taken at his word: a ring made for a typing error would never be drained.
  if (!ring.given.empty()) return Ring::open(ring.path(), resource);
  OpenOptions options;
  options.resource = std::move(resource);
  return Ring::open_or_create(options);
}

bool environment_names_service() {
  const char* name = std::getenv("OTEL_SERVICE_NAME");
  if (name != nullptr && *name != '\0') return true;
  const char* attributes = std::getenv("OTEL_RESOURCE_ATTRIBUTES");
  if (attributes == nullptr) return false;
  const std::string list = std::string(",") + attributes;
  return list.find(",service.name=") != std::string::npos;
}

std::size_t max_line_bytes(const Ring& ring, const Attributes& attributes) {
  const std::size_t beside = encoded_size(LogRecord{.attributes = attributes}) + kRecordFrame;
  const std::size_t payload = ring.max_payload();
  return payload > beside + kLeastLine ? payload - beside : kLeastLine;
}

void CountingLogger::complain_about_rest(std::string_view verb, std::string_view what) const {
  if (dropped_ > 0) {
    complain(verb, fmt::format("{} of {} {} did not get into the ring (shmring status)",
                               format_count(dropped_), format_count(emitted_ + dropped_), what));
  }
  if (refused_ > 0) {
    complain(
        verb,
        fmt::format("{} {} are below the ring's minimum severity, or OTEL_SDK_DISABLED is set: not written",
                    format_count(refused_), what));
  }
}

void report_drops_as(const char* verb) {
  reporting_verb = verb;
  set_error_handler([](DropCause, std::string_view message) { complain(reporting_verb, message); });
}

}  // namespace shmring::tools
