// SPDX-License-Identifier: Apache-2.0
// A Collector: its configuration, its start and its end.

#include "tests/interop/collector_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "tests/support/eventually.hpp"

namespace shmring::interop {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// Two ports that nobody had a moment ago: the Collector does not say which ones it got when it is asked for any.
std::pair<std::uint16_t, std::uint16_t> two_free_ports() {
  std::uint16_t ports[2];
  int fds[2];
  for (int i = 0; i < 2; ++i) {
    fds[i] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fds[i], generic, size) != 0 || ::getsockname(fds[i], generic, &size) != 0)
      testing::give_up("no free port on 127.0.0.1");
    ports[i] = ntohs(address.sin_port);
  }
  for (const int fd : fds) ::close(fd);
  return {ports[0], ports[1]};
}

bool takes_connections(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  const bool is_open = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return is_open;
}

}  // namespace

CollectorProcess::CollectorProcess(const std::string& program,
                                   const std::optional<testing::Identity>& identity) {
  std::tie(http_port_, grpc_port_) = two_free_ports();
  write_configuration(identity);
  const std::string config = file("config.yaml");
  const std::string log = file("log");
  child_ = testing::Child::forked([&] {
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), "--config", config.c_str(), nullptr);
    return 127;
  });
  const bool is_ready =
      testing::eventually([this] { return takes_connections(http_port_) && takes_connections(grpc_port_); });
  if (!is_ready) testing::give_up("the Collector takes no connections; its log:\n" + log_text());
}

bool CollectorProcess::stop() {
  child_.signal(SIGTERM);
  return child_.wait().with(0);
}

std::string CollectorProcess::log_text() const {
  std::ifstream in(file("log"));
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void CollectorProcess::write_configuration(const std::optional<testing::Identity>& identity) const {
  std::string tls;
  if (identity) {
    tls = ", tls: {cert_file: " + identity->certificate.string() + ", key_file: " + identity->key.string() +
          "}";
  }
  std::ofstream out(file("config.yaml"));
  out << "receivers:\n  otlp:\n    protocols:\n"
      << "      http: {endpoint: '127.0.0.1:" << http_port_ << "'" << tls << "}\n"
      << "      grpc: {endpoint: '127.0.0.1:" << grpc_port_ << "'" << tls << "}\n"
      << "exporters:\n  debug: {}\n";
  for (const char* signal : {"logs", "traces", "metrics"})
    out << "  file/" << signal << ": {path: " << written(signal).string() << "}\n";
  out << "service:\n  telemetry: {metrics: {level: none}}\n  pipelines:\n";
  for (const char* signal : {"logs", "traces", "metrics"})
    out << "    " << signal << ": {receivers: [otlp], exporters: [debug, file/" << signal << "]}\n";
}

}  // namespace shmring::interop
