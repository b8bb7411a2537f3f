// SPDX-License-Identifier: Apache-2.0
// Instrumentation scopes as C describes them.
#pragma once

#include "libshmring/c/handles.hpp"
#include "libshmring/c/values.hpp"

namespace shmring::c {

inline shmring_scope_options named_scope(const shmring_text& name, const shmring_text& version) noexcept {
  shmring_scope_options scope = SHMRING_SCOPE_OPTIONS_INIT;
  scope.name = name;
  scope.version = version;
  return scope;
}

/// Calls use(ScopeOptions). 0 or an error.
template <typename Use>
int with_scope(const shmring_scope_options* given, const Use& use) noexcept {
  shmring_scope_options scope;
  if (!read(given, scope))
    return fail(SHMRING_E_INCOMPATIBLE_VERSION,
                "shmring_scope_options: its size is not set, or it says what this library does not know");
  return guarded([&] {
    Converter converter;
    use(ScopeOptions{.name = text_of(scope.name),
                     .version = text_of(scope.version),
                     .attributes = converter.attributes(scope.attributes),
                     .schema_url = text_of(scope.schema_url)});
    return int{SHMRING_OK};
  });
}

}  // namespace shmring::c
