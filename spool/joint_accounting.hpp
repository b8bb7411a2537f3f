// SPDX-License-Identifier: Apache-2.0
// The fate of every record of a ring, of those included that were handed over to its spools: the ring's own books and
// theirs, added up.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "libshmring/accounting.hpp"
#include "spool/spool_view.hpp"

namespace shmring::spool {

struct SpoolLook {
  std::filesystem::path folder;
  std::string problem;  // empty: it was read
  SpoolView view;
};

struct JointAccounting {
  /// `spooled` is what no spool that can be read knows of: 0 while the books close. `pending` counts ring and spools.
  Accounting accounting;
  std::array<std::uint64_t, kSignalCount> pending_in_spool{};  // part of `pending`
  std::vector<SpoolLook> spools;
};

/// Looks until ring and spools hold still, or at most so many times: then kInMotion.
JointAccounting account_with_spools(const RingFile& ring, unsigned attempts = 32);

}  // namespace shmring::spool
