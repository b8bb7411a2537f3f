// SPDX-License-Identifier: Apache-2.0
// gRPC over HTTP/2: how messages, times and words are written in bodies and headers.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace shmring::flusher {

inline constexpr std::size_t kGrpcFrameHeader = 5;  // compressed or not, and the length, big-endian

enum class IsCompressed : bool { kNo, kYes };

/// What stands in front of a message of `length` bytes. REQUIRES: length below 4 GiB.
std::string grpc_frame_header(IsCompressed compressed, std::size_t length);

struct GrpcFrame {
  IsCompressed compressed = IsCompressed::kNo;
  std::string_view message = {};
};

/// The one message of a body. nullopt: there is none, or more than one.
std::optional<GrpcFrame> one_frame(std::string_view body);

/// The value of grpc-timeout: at most eight digits and a unit.
std::string grpc_timeout(std::chrono::microseconds timeout);

/// grpc-message, whose value is percent-encoded UTF-8. What is no such encoding stays as it is.
std::string grpc_message_decoded(std::string_view text);

/// With or without padding. nullopt: it is no base64.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace shmring::flusher
