// SPDX-License-Identifier: Apache-2.0
// Who writes: the encoded OTLP Resource at the head of every section of a block, in two parts. Protobuf
// concatenates: the fixed part is encoded once, when the ring is opened; the process part names this process,
// and is written by each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shmring/result.hpp"
#include "shmring/ring.hpp"

namespace shmring {

struct FixedResource {
  std::string encoded;                    // the schema URL (layout.hpp), and fields of an OTLP Resource
  bool has_instance_id = false;           // the user gave service.instance.id: the process part leaves it out
  std::string process = {};               // the process part of who encoded it: a child's differs in digits
  std::size_t instance_at = 0;            // where its service.instance.id begins
  std::vector<std::string> ignored = {};  // as in ProducerConfig
};

/// The attributes that do not change in a forked child (specification "Resource SDK"; semantic conventions
/// "Resource"). What comes first here wins:
///
///   ResourceOptions::service_name, then ::attributes
///   OTEL_SERVICE_NAME
///   OTEL_RESOURCE_ATTRIBUTES   key=value,... ; both percent-decoded; ignored as a whole when it is malformed
///   detected                   service.name (unknown_service:<executable>), process.executable.name,
///                              host.name, telemetry.sdk.name, telemetry.sdk.language, telemetry.sdk.version
///
/// process.pid is never taken from the user: it would be wrong in the first child. Attributes are sorted by
/// key, so equal resources are equal bytes. Attribute limits do not apply to resources. Error:
/// kInvalidArgument for an empty key in the options.
Result<FixedResource> encode_fixed_resource(const ResourceOptions& options);

/// Bytes that encode_process_resource() writes at most, and those behind them that it touches.
inline constexpr std::size_t kProcessResourceMax = 96;

/// Writes process.pid and, unless the user gave one, service.instance.id: the UUID (version 4) of these 128
/// random bits. Returns the number of bytes. Async-signal-safe. REQUIRES: room for kProcessResourceMax bytes.
std::size_t encode_process_resource(std::byte* out, const FixedResource& fixed, std::uint32_t pid,
                                    std::uint64_t instance_high, std::uint64_t instance_low) noexcept;

}  // namespace shmring
