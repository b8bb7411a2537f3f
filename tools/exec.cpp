// SPDX-License-Identifier: Apache-2.0
// shmring exec: runs a program whose lines on standard output and standard error become log records.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libshmring/ring_core.hpp"
#include "tools/attribute_store.hpp"
#include "tools/child.hpp"
#include "tools/cut_short.hpp"
#include "tools/line_source.hpp"
#include "tools/line_splitter.hpp"
#include "tools/text.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "exec";

struct ExecArguments {
  RingArgument ring;
  std::array<std::uint32_t, 2> severity{static_cast<std::uint32_t>(Severity::kInfo),
                                        static_cast<std::uint32_t>(Severity::kWarn)};
  bool tee = false;
  std::vector<std::string> attributes;
};

/// One of the program's two streams on its way into the ring.
class Stream {
 public:
  Stream(const Ring& ring, CountingLogger& logger, Severity severity, Attributes attributes, int pass_to)
      : pass_to_(pass_to),
        lines_(max_line_bytes(ring, attributes), [&logger, severity, attributes](std::string_view line) {
          LogRecord record;
          record.severity = severity;
          record.body = line;
          record.attributes = attributes;
          logger.emit(record);
        }) {}

  enum class Read { kAgain, kEmpty, kEnded };

  /// Takes one buffer full, at most `limit` bytes of what is in the pipe.
  Read take(int fd, std::size_t limit) {
    std::array<char, 65536> buffer;
    const ssize_t bytes = ::read(fd, buffer.data(), std::min(limit, buffer.size()));
    if (bytes < 0) return errno == EAGAIN ? Read::kEmpty : errno == EINTR ? Read::kAgain : Read::kEnded;
    if (bytes == 0) return Read::kEnded;
    taken_ += static_cast<std::size_t>(bytes);
    pass(std::string_view(buffer.data(), static_cast<std::size_t>(bytes)));
    lines_.feed({buffer.data(), static_cast<std::size_t>(bytes)});
    return Read::kAgain;
  }

  /// What is in the pipe at this moment and no more: others may hold its other end and write for ever.
  void drain(int fd) {
    int waiting = 0;
    if (fd < 0 || ::ioctl(fd, FIONREAD, &waiting) != 0) waiting = 0;
    const std::size_t end = taken_ + static_cast<std::size_t>(waiting);
    while (taken_ < end && take(fd, end - taken_) == Read::kAgain) {
    }
    lines_.finish();
  }

 private:
  void pass(std::string_view bytes) {
    while (pass_to_ >= 0 && !bytes.empty()) {
      const ssize_t written = ::write(pass_to_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        pass_to_ = -1;  // nobody reads it any more; the ring still does
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  int pass_to_;
  LineSplitter lines_;
  std::size_t taken_ = 0;
};

/// Moves bytes and signals until the program has ended; returns its exit code as a shell would.
int carry(Child& child, const SignalForwarder& signals, std::array<Stream, 2>& streams) {
  std::optional<int> status;
  while (!status) {
    std::array<pollfd, 3> asked{{{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                                 {.fd = child.output[0].get(), .events = POLLIN, .revents = 0},
                                 {.fd = child.output[1].get(), .events = POLLIN, .revents = 0}}};
    if (::poll(asked.data(), asked.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < 2; ++i) {
      if (asked[i + 1].revents == 0) continue;
      const auto read = streams[i].take(child.output[i].get(), std::numeric_limits<std::size_t>::max());
      if (read == Stream::Read::kEnded) child.output[i].reset();
    }
    if (asked[0].revents != 0 && signals.forward(child.pid)) status = child.ended();
  }
  for (std::size_t i = 0; i < 2; ++i) streams[i].drain(child.output[i].get());
  return status ? shell_exit_code(*status) : kBadNews;
}

int exec_failed(const char* program, int error) {
  complain(kVerb, fmt::format("cannot run {}: {}", escaped(program), std::strerror(error)));
  return shell_exit_code_of_exec_error(error);
}

int run_without_ring(std::span<char* const> command, const Error& error) {
  complain(kVerb, error.message);
  complain(kVerb, "running the command without a ring; its output goes where it would go without us");
  ::execvp(command[0], command.data());
  return exec_failed(command[0], errno);
}

int exec(const ExecArguments& arguments, std::span<char* const> command) {
  if (command.empty()) {
    complain(kVerb, "no command; write: shmring exec [PATH] -- COMMAND [ARGUMENT]...");
    return kUsage;
  }
  AttributeStore given;
  for (const std::string& each : arguments.attributes) {
    const auto wrong = given.add(each);
    if (!wrong) continue;
    complain(kVerb, *wrong);
    return kUsage;
  }
  const std::string service =
      environment_names_service() ? std::string() : std::filesystem::path(command[0]).filename().string();
  const auto ring = open_to_write(arguments.ring, service);
  if (!ring) return run_without_ring(command, ring.error());
  report_drops_as(kVerb);
  const PageGuard guard(ring->core()->file());  // the command goes on, whatever becomes of the ring

  const SignalForwarder signals;
  auto run = Child::run(command, signals);
  if (const int* error = std::get_if<int>(&run)) return exec_failed(command[0], *error);
  Child& child = std::get<Child>(run);

  CountingLogger logger(ring->logger("shmring.exec"));
  std::array<std::vector<Attribute>, 2> attributes;
  for (std::size_t i = 0; i < 2; ++i) {
    attributes[i].assign(given.attributes().begin(), given.attributes().end());
    attributes[i].push_back({"log.iostream", i == 0 ? "stdout" : "stderr"});
    attributes[i].push_back({"process.pid", child.pid});
  }
  const auto stream = [&](std::size_t i) {
    return Stream(*ring, logger, static_cast<Severity>(arguments.severity[i]), attributes[i],
                  arguments.tee ? static_cast<int>(i) + STDOUT_FILENO : -1);
  };
  std::array<Stream, 2> streams{stream(0), stream(1)};
  const int exit_code = carry(child, signals, streams);
  logger.complain_about_rest(kVerb, "lines");
  unless_cut_short(kVerb, ring->core()->file(), guard, exit_code);
  return exit_code;
}

}  // namespace

void add_exec(CLI::App& app, Run& run, std::span<char* const> command) {
  auto arguments = std::make_shared<ExecArguments>();
  CLI::App* verb = app.add_subcommand(kVerb, "Run a command whose output lines become log records");
  verb->footer(
      "The command stands behind \"--\": shmring exec [PATH] [OPTIONS] -- COMMAND [ARGUMENT]... "
      "Each line on standard output or standard error becomes a record; too long a line becomes several. "
      "Signals are "
      "forwarded. The exit code is the command's: 126, 127 and 128+n as in a shell. The command runs even "
      "where there is no "
      "ring. Once it has ended, what processes that it left behind still write is not read.");
  add_ring(*verb, arguments->ring);
  add_severity(*verb, "--stdout-severity", arguments->severity[0], "of lines on standard output (info)");
  add_severity(*verb, "--stderr-severity", arguments->severity[1], "of lines on standard error (warn)");
  verb->add_option("--attr", arguments->attributes,
                   "key=text or key:=JSON, for every record; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_flag("--tee", arguments->tee, "pass the lines on as well");
  verb->callback(
      [arguments, command, &run] { run = [arguments, command] { return exec(*arguments, command); }; });
}

}  // namespace shmring::tools
