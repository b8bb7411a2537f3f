// SPDX-License-Identifier: Apache-2.0
// The session daemon, and the lttng command that tells it what to do.
#include "bench/rivals/lttng/session.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace shmring::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr uid_t kNobody = 65534;

Error failed(const std::string& what) { return {ErrorCode::kSystem, what}; }

/// A child with its output in `output`; -1: none.
pid_t spawn(std::vector<std::string> command, const fs::path& output) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // who stops the benchmark by a signal leaves no daemon behind
  const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

Result<void> run(const std::vector<std::string>& command, const fs::path& output) {
  const pid_t child = spawn(command, output);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return failed("`" + command[0] + " " + command[1] + "` failed");
  return {};
}

std::string content_of(const fs::path& path) {
  std::string text;
  if (std::FILE* file = std::fopen(path.c_str(), "re"); file != nullptr) {
    std::array<char, 4096> buffer;
    while (const std::size_t bytes = std::fread(buffer.data(), 1, buffer.size(), file))
      text.append(buffer.data(), bytes);
    std::fclose(file);
  }
  return text;
}

/// The sum of what stands behind each "Discarded events:".
std::uint64_t discarded_in(std::string_view text) {
  constexpr std::string_view kLabel = "Discarded events:";
  std::uint64_t sum = 0;
  for (std::size_t at = text.find(kLabel); at != std::string_view::npos; at = text.find(kLabel, at + 1))
    sum += std::strtoull(text.data() + at + kLabel.size(), nullptr, 10);
  return sum;
}

}  // namespace

fs::path recording_in(const fs::path& home) { return home / "recording"; }

void wait_for_idle_consumer(const fs::path& recording) {
  auto newest = fs::file_time_type::min();
  for (int quiet = 0; quiet < 3; ++quiet) {
    std::this_thread::sleep_for(4ms);  // file times are as fine as the kernel's tick
    std::error_code ignored;           // a file that was rotated away meanwhile
    for (const auto& entry : fs::recursive_directory_iterator(recording, ignored)) {
      const auto time = entry.last_write_time(ignored);
      if (ignored || time <= newest) continue;
      newest = time;
      quiet = 0;
    }
  }
}

Result<std::unique_ptr<LttngSession>> LttngSession::start() {
  if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0))
    return failed("root may not become nobody here");
  std::string name = "/tmp/shmring-bench-lttng.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return failed("cannot make a folder in /tmp");
  std::unique_ptr<LttngSession> session(new LttngSession(name));
  ::setenv("LTTNG_HOME", name.c_str(), 1);
  ::setenv("LTTNG_UST_REGISTER_TIMEOUT", "-1", 1);  // a program starts when its tracepoints are on
  ::setenv("LTTNG_UST_WITHOUT_BADDR_STATEDUMP", "1", 1);
  if (const auto daemon = session->start_daemon(); !daemon) return daemon.error();
  if (const auto recording = session->start_recording(); !recording) return recording.error();
  return session;
}

Result<void> LttngSession::start_daemon() {
  // It sends SIGUSR1 to its parent when it is ready.
  sigset_t ready;
  sigemptyset(&ready);
  sigaddset(&ready, SIGUSR1);
  sigaddset(&ready, SIGCHLD);
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &ready, &before);
  daemon_ = spawn({"lttng-sessiond", "--no-kernel", "--sig-parent"}, folder_ / "daemon.log");
  const std::timespec patience{.tv_sec = 20, .tv_nsec = 0};
  const int signal = daemon_ < 0 ? -1 : ::sigtimedwait(&ready, nullptr, &patience);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (signal == SIGUSR1) return {};
  return failed("no lttng-sessiond came up" +
                (daemon_ < 0 ? std::string() : ": " + content_of(folder_ / "daemon.log")));
}

Result<void> LttngSession::start_recording() {
  const fs::path log = folder_ / "lttng.log";
  const std::vector<std::vector<std::string>> commands = {
      {"lttng", "--no-sessiond", "create", "bench", "--output=" + recording_in(folder_).string()},
      // As large as the ring, on each core; the recording does not fill the disk.
      {"lttng", "--no-sessiond", "enable-channel", "--userspace", "--session=bench", "--subbuf-size=4M",
       "--num-subbuf=8", "--tracefile-size=16M", "--tracefile-count=2", "records"},
      {"lttng", "--no-sessiond", "enable-event", "--userspace", "--session=bench", "--channel=records",
       "shop:*"},
      {"lttng", "--no-sessiond", "start", "bench"}};
  for (const auto& command : commands) {
    if (const auto done = run(command, log); !done)
      return failed(done.error().message + ": " + content_of(log));
  }
  return {};
}

Result<std::uint64_t> LttngSession::stop() {
  const fs::path log = folder_ / "stop.log";
  if (const auto done = run({"lttng", "--no-sessiond", "stop", "bench"}, log); !done) return done.error();
  if (const auto done = run({"lttng", "--no-sessiond", "list", "bench"}, log); !done) return done.error();
  const std::string text = content_of(log);
  if (text.find("Discarded events:") == std::string::npos)
    return failed("lttng does not say what it discarded");
  return discarded_in(text);
}

LttngSession::~LttngSession() {
  if (daemon_ > 0) {
    ::kill(daemon_, SIGTERM);
    ::waitpid(daemon_, nullptr, 0);
  }
  std::error_code ignored;  // nobody is left to tell
  fs::remove_all(folder_, ignored);
}

}  // namespace shmring::bench
