// SPDX-License-Identifier: Apache-2.0
// Numbers and words of the C interface's errors.
#include <string>
#include <string_view>

#include "libshmring/c/handles.hpp"
#include "shmring/version.hpp"

namespace shmring::c {
namespace {

// Without a destructor: the library registers nothing that runs when a thread ends (P8). So the text of a thread that failed once stays behind.
thread_local constinit std::string* last_message = nullptr;

// In the order of ErrorCode.
static_assert(static_cast<int>(ErrorCode::kInvalidArgument) == -SHMRING_E_INVALID_ARGUMENT - 1 &&
              static_cast<int>(ErrorCode::kNotFound) == -SHMRING_E_NOT_FOUND - 1 &&
              static_cast<int>(ErrorCode::kAlreadyExists) == -SHMRING_E_ALREADY_EXISTS - 1 &&
              static_cast<int>(ErrorCode::kPermission) == -SHMRING_E_PERMISSION - 1 &&
              static_cast<int>(ErrorCode::kNotARing) == -SHMRING_E_NOT_A_RING - 1 &&
              static_cast<int>(ErrorCode::kIncompatibleVersion) == -SHMRING_E_INCOMPATIBLE_VERSION - 1 &&
              static_cast<int>(ErrorCode::kIncompatibleAbi) == -SHMRING_E_INCOMPATIBLE_ABI - 1 &&
              static_cast<int>(ErrorCode::kDamaged) == -SHMRING_E_DAMAGED - 1 &&
              static_cast<int>(ErrorCode::kNoSpace) == -SHMRING_E_NO_SPACE - 1 &&
              static_cast<int>(ErrorCode::kUnsupported) == -SHMRING_E_UNSUPPORTED - 1 &&
              static_cast<int>(ErrorCode::kBusy) == -SHMRING_E_BUSY - 1 &&
              static_cast<int>(ErrorCode::kSystem) == -SHMRING_E_SYSTEM - 1);

}  // namespace

int fail(int error, std::string_view message) noexcept {
  try {
    if (last_message == nullptr) last_message = new std::string;
    last_message->assign(message);
  } catch (const std::exception&) {  // the number says enough
    if (last_message != nullptr) last_message->clear();
  }
  return error;
}

int fail(const Error& error) noexcept { return fail(-1 - static_cast<int>(error.code), error.message); }

}  // namespace shmring::c

extern "C" {

std::uint32_t shmring_abi_version(void) { return SHMRING_ABI_VERSION; }
const char* shmring_version(void) { return shmring::kVersion; }
const char* shmring_error_message(void) {
  return shmring::c::last_message == nullptr ? "" : shmring::c::last_message->c_str();
}

const char* shmring_strerror(int error) {
  switch (error) {
    case SHMRING_OK:
      return "success";
    case SHMRING_E_INVALID_ARGUMENT:
      return "an argument is out of range, missing, or excludes another one";
    case SHMRING_E_NOT_FOUND:
      return "there is no such ring";
    case SHMRING_E_ALREADY_EXISTS:
      return "there is a ring already";
    case SHMRING_E_PERMISSION:
      return "the ring or its folder belongs to somebody else, or is open to others";
    case SHMRING_E_NOT_A_RING:
      return "the file is not a ring";
    case SHMRING_E_INCOMPATIBLE_VERSION:
      return "the ring, or a struct, is of another version than this library";
    case SHMRING_E_INCOMPATIBLE_ABI:
      return "the ring was made by a program with another C library, word size or byte order";
    case SHMRING_E_DAMAGED:
      return "the ring's header is damaged";
    case SHMRING_E_NO_SPACE:
      return "the file system or the memory limit is too small for the ring";
    case SHMRING_E_UNSUPPORTED:
      return "the file system or the kernel lacks what a ring needs";
    case SHMRING_E_BUSY:
      return "another flusher holds the ring";
    case SHMRING_E_SYSTEM:
      return "a system call failed";
    case SHMRING_E_NO_MEMORY:
      return "out of memory";
    case SHMRING_E_DROPPED:
      return "the record was dropped, and counted by its cause";
    case SHMRING_E_NOT_RECORDED:
      return "nothing was to be recorded: filtered, not sampled, disabled, or ended before";
    default:
      return "no error of shmring";
  }
}

}  // extern "C"
