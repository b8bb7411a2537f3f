// SPDX-License-Identifier: Apache-2.0
// P8: the producer library starts no thread, opens no socket, registers no exit handler, needs no flusher, links neither
// libcurl nor libprotobuf, and can be loaded by whoever loads it.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/emitter_program.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"

namespace shmring::testing {
namespace {

namespace fs = std::filesystem;

/// What the dynamic loader would read of a shared library.
class SharedLibrary {
 public:
  explicit SharedLibrary(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    if (bytes_.size() < sizeof(Elf64_Ehdr)) give_up("cannot read " + path.string());
    const auto header = at<Elf64_Ehdr>(0);
    for (unsigned n = 0; n < header.e_phnum; ++n) {
      const auto segment = at<Elf64_Phdr>(header.e_phoff + n * sizeof(Elf64_Phdr));
      if (segment.p_type == PT_TLS) tls_bytes_ = segment.p_memsz;
    }
    for (unsigned n = 0; n < header.e_shnum; ++n) {
      const auto section = at<Elf64_Shdr>(header.e_shoff + n * sizeof(Elf64_Shdr));
      const auto strings = at<Elf64_Shdr>(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
      if (section.sh_type == SHT_DYNAMIC) read_dynamic(section, strings);
      if (section.sh_type == SHT_DYNSYM) read_symbols(section, strings);
    }
  }

  const std::set<std::string>& needed() const noexcept { return needed_; }
  const std::set<std::string>& imported() const noexcept { return imported_; }
  const std::set<std::string>& exported() const noexcept { return exported_; }
  std::uint64_t flags() const noexcept { return flags_; }
  std::uint64_t tls_bytes() const noexcept { return tls_bytes_; }

 private:
  template <typename T>
  T at(std::uint64_t offset) const {
    T value;
    if (offset + sizeof(T) > bytes_.size()) give_up("a library that ends too early");
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }
  void read_dynamic(const Elf64_Shdr& section, const Elf64_Shdr& strings) {
    for (std::uint64_t offset = 0; offset < section.sh_size; offset += sizeof(Elf64_Dyn)) {
      const auto entry = at<Elf64_Dyn>(section.sh_offset + offset);
      if (entry.d_tag == DT_NEEDED) needed_.insert(bytes_.data() + strings.sh_offset + entry.d_un.d_val);
      if (entry.d_tag == DT_FLAGS_1) flags_ = entry.d_un.d_val;
    }
  }
  void read_symbols(const Elf64_Shdr& section, const Elf64_Shdr& strings) {
    for (std::uint64_t offset = sizeof(Elf64_Sym); offset < section.sh_size; offset += sizeof(Elf64_Sym)) {
      const auto symbol = at<Elf64_Sym>(section.sh_offset + offset);
      if (ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;  // on aarch64 a section: nobody's name
      auto& list = symbol.st_shndx == SHN_UNDEF ? imported_ : exported_;
      list.insert(bytes_.data() + strings.sh_offset + symbol.st_name);
    }
  }

  std::vector<char> bytes_;
  std::set<std::string> needed_;
  std::set<std::string> imported_;
  std::set<std::string> exported_;
  std::uint64_t flags_ = 0;
  std::uint64_t tls_bytes_ = 0;
};

TEST(SharedLibraryFile, NeedsTheCAndCppRuntimesOnly) {
  const SharedLibrary library(SHMRING_LIBRARY);
  ASSERT_FALSE(library.needed().empty());
  for (const std::string& name : library.needed()) {
    const bool runtime = name.starts_with("libc.so") || name.starts_with("libstdc++.so") ||
                         name.starts_with("libgcc_s.so") || name.starts_with("libm.so") ||
                         name.starts_with("libpthread.so") || name.starts_with("ld-linux") ||
                         (kSlowdown > 1 && (name.find("san.so") != std::string::npos));
    EXPECT_TRUE(runtime) << name;
  }
}

TEST(SharedLibraryFile, StaysLoadedAndHasSmallThreadLocalStorage) {
  const SharedLibrary library(SHMRING_LIBRARY);
  EXPECT_NE(library.flags() & DF_1_NODELETE, 0U);
  EXPECT_GT(library.tls_bytes(), 0U);
  if (kSlowdown == 1) {
    EXPECT_LE(library.tls_bytes(), 64U);
  }
}

TEST(SharedLibraryFile, CannotEvenCallWhatItPromisesNotToDo) {
  if (kSlowdown > 1) GTEST_SKIP() << "a sanitizer's runtime imports what it likes";
  const SharedLibrary library(SHMRING_LIBRARY);
  ASSERT_TRUE(library.imported().contains("mmap")) << "the list of imports was not read";
  for (const char* name :
       {"pthread_create", "thrd_create", "socket", "connect", "socketpair", "atexit", "__cxa_atexit",
        "on_exit", "at_quick_exit", "__cxa_thread_atexit", "__cxa_thread_atexit_impl", "pthread_key_create",
        "fork", "sigaction", "signal", "dlopen", "exit", "abort"}) {
    for (const std::string& import : library.imported()) {
      EXPECT_NE(import.substr(0, import.find('@')), name);
    }
  }
}

TEST(SharedLibraryFile, ShowsNoNamesButItsOwn) {
  if (kSlowdown > 1) GTEST_SKIP() << "a sanitizer's build shows its own";
  const SharedLibrary library(SHMRING_LIBRARY);
  for (const std::string& name : library.exported()) {
    const bool ours = name.find("7shmring") != std::string::npos || name.starts_with("shmring_") ||
                      name.starts_with("SHMRING_");  // the interface for C, and the versions of symbols
    const bool of_the_standard_library =
        name.starts_with("_ZNSt") || name.starts_with("_ZNKSt") || name.starts_with("_ZSt") ||
        name.starts_with("_ZTISt") || name.starts_with("_ZTSSt") || name.starts_with("_ZTVSt") ||
        name.starts_with("_ZTV") || name.starts_with("_ZTI") || name.starts_with("_ZTS");
    EXPECT_TRUE(ours || of_the_standard_library) << name;
  }
}

std::set<std::string> entries(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

TEST(EmittingProcess, HasNoThreadAndNoSocketThatItDidNotHave) {
  Promise promise;
  const auto threads_before = entries("/proc/self/task");
  const auto files_before = entries("/proc/self/fd");
  const Ring ring = promise.scratch().open();
  ASSERT_EQ(emit_many(ring.logger("test"), promise.obligations(), 100), 100U);
  EXPECT_EQ(entries("/proc/self/task"), threads_before);
  // The ring's own descriptor is all that is new (and the one with which a folder is listed may have another number).
  std::uint32_t rings = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone).string();
    EXPECT_EQ(target.find("socket:"), std::string::npos) << target;
    rings += target == promise.scratch().path().string() ? 1 : 0;
  }
  EXPECT_LE(entries("/proc/self/fd").size(), files_before.size() + 1);
  EXPECT_EQ(rings, 2U);  // the test's own, and the producer's
}

/// By what its parent sees: with no flusher anywhere, a program writes, ends at once, and waits for nobody.
TEST(EmittingProgram, NeedsNoFlusher) {
  Promise promise;
  ASSERT_EQ(value_or_abort(lease_state(promise.file())), LeaseState::kFree);
  EXPECT_TRUE(start_emitter(promise, 10, "return").wait().with(0));
  EXPECT_EQ(promise.accounting().total.pending, 10U);
  promise.expect_kept();
}

/// A program in C loads a plug-in that writes, as an interpreter loads an extension: late, in a thread that exists already.
TEST(ProgramInC, CanLoadAPlugInThatWrites) {
  Promise promise;
  const Ended ended = in_child([&]() -> int {
    ::execl(SHMRING_HOST, SHMRING_HOST, SHMRING_PLUGIN, promise.scratch().path().c_str(), nullptr);
    return 127;
  });
  EXPECT_TRUE(ended.with(0)) << ended.text();
  EXPECT_EQ(promise.accounting().total.written, 2U);  // one from the main thread, one from another
  expect_closed(promise.file());
}

}  // namespace
}  // namespace shmring::testing
