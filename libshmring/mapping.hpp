// SPDX-License-Identifier: Apache-2.0
// Boost.Interprocess at work: a descriptor of our own, mapped. Its exceptions end here.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "libshmring/ring_file.hpp"
#include "libshmring/system.hpp"
#include "shmring/result.hpp"

namespace shmring {

/// What boost::interprocess::mapped_region wants of a thing that it can map.
class DescriptorToMap {
 public:
  explicit DescriptorToMap(int fd) noexcept : fd_(fd) {}
  boost::interprocess::mapping_handle_t get_mapping_handle() const noexcept { return {fd_, false}; }

 private:
  int fd_;
};

inline Result<boost::interprocess::mapped_region> map_file(int fd, std::uint64_t bytes, Access access,
                                                           const std::string& path) {
  const auto mode =
      access == Access::kReadWrite ? boost::interprocess::read_write : boost::interprocess::read_only;
  try {
    return boost::interprocess::mapped_region(DescriptorToMap(fd), mode, 0, static_cast<std::size_t>(bytes));
  } catch (const boost::interprocess::interprocess_exception& failure) {
    return system_error("map", path, failure.get_native_error());
  }
}

}  // namespace shmring
