// SPDX-License-Identifier: Apache-2.0
// The names of every option: on the command line, in the configuration file (the same), in the environment.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "flusher/config.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

struct Setting {
  enum class Takes : std::uint8_t { kValue, kSeveralValues, kNothing };
  enum class Reach : std::uint8_t { kGeneral, kOneSignal };  // of options that say the same thing

  /// How a variable's value is taken. What the specification names is read as it says: a number is an integer (milliseconds,
  /// where it is a time), a switch is true or false, and what cannot be used is warned of and counts as unset.
  enum class Variable : std::uint8_t { kOurs, kSpecifiedNumber, kSpecifiedWord, kSpecifiedSwitch };

  std::string name;         // without the two dashes
  std::string environment;  // the variable's name
  std::string value;        // what the help calls it
  std::string help;
  std::function<Result<void>(Config&, const std::string&)> apply;
  Takes takes = Takes::kValue;
  Reach reach = Reach::kGeneral;
  Variable variable = Variable::kOurs;
};

/// In the order in which the help shows them.
const std::vector<Setting>& settings();

}  // namespace shmring::flusher
