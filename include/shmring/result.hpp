// SPDX-License-Identifier: Apache-2.0
// What set-up calls return: a value, or an error that says to a person what happened and what to do.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace shmring {

/// Kinds of errors, for programs; the message is for people and names the file, the sizes and the remedy.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,      // an option out of range, or options that exclude each other
  kNotFound,             // no such ring
  kAlreadyExists,        // create() found one
  kPermission,           // not ours: another uid, a mode too open, a folder that somebody else owns
  kNotARing,             // no regular file, a symbolic link, empty, or no magic
  kIncompatibleVersion,  // another layout version or feature
  kIncompatibleAbi,      // another C library, word size or byte order
  kDamaged,              // header checksum, or geometry that does not fit the file
  kNoSpace,              // the file system or the memory limit is too small
  kUnsupported,          // a network file system, a kernel without what we need
  kBusy,                 // somebody else holds the flusher's lease
  kSystem,               // any other failed system call
};

struct Error {
  ErrorCode code = ErrorCode::kSystem;
  std::string message;
};

/// Either a T or an Error. Not thread-safe as an object; never throws by itself.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): `return value;`
  Result(Error failure)
      : failure_(std::move(failure)) {}  // NOLINT(google-explicit-constructor): `return error;`

  explicit operator bool() const noexcept { return value_.has_value(); }
  bool has_value() const noexcept { return value_.has_value(); }

  /// REQUIRES: has_value().
  T& operator*() & noexcept {
    assert(value_);
    return *value_;
  }
  const T& operator*() const& noexcept {
    assert(value_);
    return *value_;
  }
  T&& operator*() && noexcept {
    assert(value_);
    return std::move(*value_);
  }
  T* operator->() noexcept {
    assert(value_);
    return &*value_;
  }
  const T* operator->() const noexcept {
    assert(value_);
    return &*value_;
  }

  /// REQUIRES: !has_value().
  const Error& error() const noexcept {
    assert(!value_);
    return failure_;
  }

 private:
  std::optional<T> value_;
  Error failure_;
};

/// A Result of nothing.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error failure)
      : failure_(std::move(failure)) {}  // NOLINT(google-explicit-constructor): `return error;`

  explicit operator bool() const noexcept { return !failure_.has_value(); }
  bool has_value() const noexcept { return !failure_.has_value(); }
  /// REQUIRES: !has_value().
  const Error& error() const noexcept {
    assert(failure_);
    return *failure_;
  }

 private:
  std::optional<Error> failure_;
};

}  // namespace shmring
