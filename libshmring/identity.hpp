// SPDX-License-Identifier: Apache-2.0
// The constant part of a ring's header: planned from options, sealed with a checksum, checked before it is believed.
#pragma once

#include <cstdint>
#include <string>

#include "libshmring/ring_file.hpp"
#include "shmring/layout.hpp"
#include "shmring/result.hpp"

namespace shmring {

/// Where the regions lie. REQUIRES: sizes in range, as plan_geometry() and check_identity() see to.
Geometry lay_out(std::uint32_t block_bytes, std::uint32_t block_count, std::uint32_t writers) noexcept;

/// FNV-1a over everything before the checksum field.
std::uint64_t identity_checksum(const RingIdentity& identity) noexcept;

/// A new ring's identity. REQUIRES: geometry comes from plan_geometry().
RingIdentity make_identity(const Geometry& geometry);

/// Every check that the header alone allows, in the order in which an answer makes sense; `path` is for the message.
Result<Geometry> check_identity(const RingIdentity& identity, std::uint64_t file_bytes,
                                const std::string& path);

}  // namespace shmring
