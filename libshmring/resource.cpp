// SPDX-License-Identifier: Apache-2.0
// The fixed and the process part of a resource.

#include "libshmring/resource.hpp"

#include <unistd.h>

#include <array>
#include <climits>
#include <optional>
#include <utility>

#include "libshmring/copy_here.hpp"
#include "libshmring/environment.hpp"
#include "libshmring/fields.hpp"
#include "libshmring/text.hpp"
#include "shmring/plain_encoder.hpp"
#include "shmring/value_encoder.hpp"
#include "shmring/version.hpp"

namespace shmring {
namespace {

constexpr std::uint32_t kResourceAttributes = 1;  // field number of opentelemetry.proto.resource.v1.Resource
constexpr std::string_view kServiceName = "service.name";
constexpr std::string_view kInstanceId = "service.instance.id";
constexpr std::string_view kPid = "process.pid";

// Empty when /proc does not tell.
std::string executable_name() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return {};
  std::string_view name(path.data(), static_cast<std::size_t>(size));
  name.remove_prefix(name.rfind('/') + 1);
  constexpr std::string_view kDeleted =
      " (deleted)";  // the kernel's note on a program replaced while it runs
  if (name.ends_with(kDeleted)) name.remove_suffix(kDeleted.size());
  return std::string(name);
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

ResourceAttributes detected_attributes() {
  ResourceAttributes detected;
  const std::string executable = executable_name();
  detected.set(kServiceName, executable.empty() ? "unknown_service" : "unknown_service:" + executable);
  if (!executable.empty()) detected.set("process.executable.name", executable);
  if (const std::string host = host_name(); !host.empty()) detected.set("host.name", host);
  detected.set("telemetry.sdk.name", "shmring");
  detected.set("telemetry.sdk.language", "cpp");
  detected.set("telemetry.sdk.version", kVersion);
  return detected;
}

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = ascii_lower(c);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a') + 10;
  return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    decoded.push_back(static_cast<char>(*high << 4U | *low));
    i += 2;
  }
  return decoded;
}

// OTEL_RESOURCE_ATTRIBUTES: W3C Baggage's list without properties. An empty member (a comma at the end) is no
// mistake.
std::optional<ResourceAttributes> parsed_attributes(std::string_view list) {
  ResourceAttributes attributes;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view member = trimmed(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    auto key = percent_decoded(trimmed(member.substr(0, equals)));
    auto value = percent_decoded(trimmed(member.substr(equals + 1)));
    if (!key || key->empty() || !value) return std::nullopt;
    attributes.set(*key, *value);
  }
  return attributes;
}

std::string encoded(std::string_view schema_url, const ResourceAttributes& attributes) {
  std::string bytes;
  if (!schema_url.empty())
    append_fields(bytes, [schema_url](auto& sink) { wire::put_text(sink, kSchemaUrlField, schema_url); });
  for (const auto& [key, field] : attributes.fields()) bytes += field;
  return bytes;
}

// RFC 9562: eight, four, four, four and twelve digits; version 4, variant 10. By arithmetic: a table would lie on a page that a new
// process has not read yet.
[[gnu::hot]] void write_uuid(char* text, std::uint64_t high, std::uint64_t low) noexcept {
  high = (high & ~std::uint64_t{0xF000}) | 0x4000U;
  low = (low & ~(std::uint64_t{3} << 62U)) | std::uint64_t{2} << 62U;
  for (unsigned digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) *text++ = '-';
    const auto value = static_cast<unsigned>((digit < 16 ? high : low) >> (60 - 4 * (digit % 16)) & 15U);
    *text++ = static_cast<char>('0' + value + (value > 9 ? 'a' - '0' - 10 : 0));
  }
}

constexpr std::size_t kUuid = 36;
using Uuid = std::array<char, kUuid>;

/// The process part, in full. REQUIRES: room for kProcessResourceMax bytes.
std::byte* write_process(std::byte* out, std::uint32_t pid, const Uuid* instance) noexcept {
  out = wire::write_site_attribute<kResourceAttributes, "process.pid">(out, pid, kUnlimited);
  if (instance == nullptr) return out;
  return wire::write_site_attribute<kResourceAttributes, "service.instance.id">(
      out, std::string_view(instance->data(), instance->size()), kUnlimited);
}

// In the process part: behind tag, length, the key with both of its own, tag and length of the value, and the number's tag.
constexpr std::size_t kPidAt = 4 + kPid.size() + 3;

}  // namespace

Result<FixedResource> encode_fixed_resource(const ResourceOptions& options) {
  FixedResource fixed;
  ResourceAttributes attributes = detected_attributes();
  if (const auto list = environment("OTEL_RESOURCE_ATTRIBUTES")) {
    if (const auto parsed = parsed_attributes(*list)) {
      attributes.set(*parsed);
    } else {
      fixed.ignored.push_back("OTEL_RESOURCE_ATTRIBUTES=" + std::string(*list) +
                              " is ignored: not a list of key=value, percent-encoded, with commas between");
    }
  }
  if (const auto name = environment("OTEL_SERVICE_NAME")) attributes.set(kServiceName, *name);
  if (options.attributes.contains("")) {
    return Error{ErrorCode::kInvalidArgument,
                 "a resource attribute of the options has an empty key: give it a name"};
  }
  attributes.set(options.attributes);
  if (!options.service_name.empty()) attributes.set(kServiceName, options.service_name);
  attributes.remove(kPid);
  fixed.has_instance_id = attributes.contains(kInstanceId);
  fixed.encoded = encoded(options.schema_url, attributes);
  std::array<std::byte, kProcessResourceMax> process{};
  const Uuid any{};
  const auto pid = static_cast<std::uint32_t>(::getpid());
  const std::byte* const end = write_process(process.data(), pid, fixed.has_instance_id ? nullptr : &any);
  fixed.process.assign(reinterpret_cast<const char*>(process.data()),
                       static_cast<std::size_t>(end - process.data()));
  fixed.instance_at = kPidAt + wire::varint_size(pid);
  return fixed;
}

[[gnu::hot]] std::size_t encode_process_resource(std::byte* out, const FixedResource& fixed,
                                                 std::uint32_t pid, std::uint64_t instance_high,
                                                 std::uint64_t instance_low) noexcept {
  const std::size_t digits = wire::varint_size(pid);
  const std::size_t size = fixed.process.size();
  const std::size_t behind_pid = fixed.has_instance_id ? 0 : size - fixed.instance_at;
  if (size == kPidAt + digits + behind_pid) [[likely]] {
    copy_here(out, fixed.process.data(), size);
    std::uint32_t left = pid;
    for (std::size_t n = 0; n < digits; ++n, left >>= 7U)
      out[kPidAt + n] = static_cast<std::byte>((left & 0x7FU) | (n + 1 < digits ? 0x80U : 0U));
    if (!fixed.has_instance_id)
      write_uuid(reinterpret_cast<char*>(out) + size - kUuid, instance_high, instance_low);
    return size;
  }
  Uuid instance{};
  write_uuid(instance.data(), instance_high, instance_low);
  return static_cast<std::size_t>(write_process(out, pid, fixed.has_instance_id ? nullptr : &instance) - out);
}

}  // namespace shmring
