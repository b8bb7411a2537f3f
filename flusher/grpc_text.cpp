// SPDX-License-Identifier: Apache-2.0
// How gRPC writes messages, times and words.

#include "flusher/grpc_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace shmring::flusher {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string grpc_frame_header(IsCompressed compressed, std::size_t length) {
  std::string out(1, compressed == IsCompressed::kYes ? '\1' : '\0');
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xFF);
  return out;
}

std::optional<GrpcFrame> one_frame(std::string_view body) {
  if (body.size() < kGrpcFrameHeader || static_cast<std::uint8_t>(body[0]) > 1) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 1; i < kGrpcFrameHeader; ++i)
    length = length << 8 | static_cast<std::uint8_t>(body[i]);
  if (body.size() != kGrpcFrameHeader + length) return std::nullopt;
  return GrpcFrame{body[0] == '\0' ? IsCompressed::kNo : IsCompressed::kYes, body.substr(kGrpcFrameHeader)};
}

std::string grpc_timeout(std::chrono::microseconds timeout) {
  constexpr std::int64_t kMost = 99'999'999;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  if (ms <= kMost) return fmt::format("{}m", ms);
  return fmt::format("{}S",
                     std::min<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(timeout).count(), kMost));
}

std::string grpc_message_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return out;
}

}  // namespace shmring::flusher
