// SPDX-License-Identifier: Apache-2.0
// A ring of its own for a test, and what it holds, decoded by libprotobuf.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "libshmring/reader.hpp"
#include "libshmring/ring_file.hpp"
#include "libshmring/snapshot.hpp"
#include "opentelemetry/proto/common/v1/common.pb.h"
#include "opentelemetry/proto/logs/v1/logs.pb.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "scoped_environment.hpp"
#include "shmring/shmring.hpp"

namespace shmring::test {

namespace otlp = opentelemetry::proto;

template <typename Message>
struct Found {
  Message message;
  otlp::common::v1::InstrumentationScope scope;
  otlp::resource::v1::Resource resource;
};

class WithRing : public WithEnvironment {
 protected:
  WithRing() { std::filesystem::remove(path); }
  ~WithRing() override { std::filesystem::remove(path); }

  /// The process keeps a ring's configuration for as long as it lives: set the environment first.
  Ring open(const OpenOptions& more = {}) const {
    OpenOptions options = more;
    options.path = path;
    options.capacity_bytes = 1U << 20U;
    options.writers = 64;
    auto ring = Ring::open_or_create(options);
    EXPECT_TRUE(ring) << ring.error().message;
    return *ring;
  }

  template <typename Message>
  std::vector<Found<Message>> all(RecordKind kind) const {
    std::vector<Found<Message>> found;
    auto file = RingFile::attach(path);
    EXPECT_TRUE(file) << file.error().message;
    peek_all(*file, [&](Slice&& slice) {
      SliceWalk walk(slice);
      while (const auto record = walk.next()) {
        if (record->kind != kind) continue;
        auto& entry = found.emplace_back();
        EXPECT_TRUE(parse(entry.message, record->payload));
        EXPECT_TRUE(parse(entry.scope, record->scope));
        EXPECT_TRUE(parse(entry.resource, record->resource));
      }
      EXPECT_EQ(walk.corrupt(), 0U);
    });
    return found;
  }
  auto logs() const { return all<otlp::logs::v1::LogRecord>(RecordKind::kLog); }
  auto spans() const { return all<otlp::trace::v1::Span>(RecordKind::kSpan); }

  const std::filesystem::path path =
      std::filesystem::temp_directory_path() /
      ("shmring-encode-" + std::to_string(::getpid()) + "-" +
       testing::UnitTest::GetInstance()->current_test_info()->name() + ".ring");

 private:
  template <typename Message>
  static bool parse(Message& message, std::span<const std::byte> bytes) {
    return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  }
};

template <std::size_t Size, typename Tag>
std::string bytes_of(const Id<Size, Tag>& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), Size};
}

/// Runs `child` in a forked process; true if it returned true there.
template <typename Child>
bool in_child(Child child) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(child() ? 0 : 1);
  int status = 0;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace shmring::test
