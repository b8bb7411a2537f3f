// SPDX-License-Identifier: Apache-2.0
// Environment variables for the length of a test; all OTEL_ variables and SHMRING_CLOCK are unset at its beginning.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

extern "C" char** environ;

namespace shmring::test {

class WithEnvironment : public testing::Test {
 protected:
  WithEnvironment() { clear(); }
  ~WithEnvironment() override { clear(); }
  static void set(const char* name, const char* value) { ::setenv(name, value, 1); }

 private:
  static void clear() {
    std::vector<std::string> names;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string variable = *entry;
      if (variable.starts_with("OTEL_") || variable.starts_with("SHMRING_CLOCK="))
        names.push_back(variable.substr(0, variable.find('=')));
    }
    for (const std::string& name : names) ::unsetenv(name.c_str());
  }
};

}  // namespace shmring::test
