// SPDX-License-Identifier: Apache-2.0
#include "shmring/wire.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace shmring::test {
namespace {

TEST(Varint, HasLibprotobufsSizeAndBytesAtEveryMagnitude) {
  using google::protobuf::io::CodedOutputStream;
  for (unsigned bits = 0; bits <= 64; ++bits) {
    const std::uint64_t power = bits == 64 ? 0 : std::uint64_t{1} << bits;
    for (const std::uint64_t value : {power - 1, power, power + 1}) {
      std::byte ours[10];
      std::uint8_t theirs[10];
      wire::ByteSink sink(ours);
      sink.varint(value);
      const auto size =
          static_cast<std::size_t>(CodedOutputStream::WriteVarint64ToArray(value, theirs) - theirs);
      ASSERT_EQ(wire::varint_size(value), size) << value;
      ASSERT_EQ(static_cast<std::size_t>(sink.position() - ours), size) << value;
      ASSERT_EQ(std::memcmp(ours, theirs, size), 0) << value;
    }
  }
}

TEST(Copy, CopiesExactlyTheBytesThatItIsGiven) {
  for (std::size_t size = 0; size < 100; ++size) {
    std::string from(size, ' ');
    for (std::size_t i = 0; i < size; ++i) from[i] = static_cast<char>(i + 1);
    std::vector<std::byte> to(size);
    wire::copy(to.data(), from.data(), size);
    ASSERT_TRUE(std::ranges::equal(to, std::as_bytes(std::span(from)))) << size;
  }
}

}  // namespace
}  // namespace shmring::test
