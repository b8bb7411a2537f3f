// SPDX-License-Identifier: Apache-2.0
// TLS in front of a test's server: takes connections on 127.0.0.1, and hands what they say on to a port in clear text.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "tests/support/certificates.hpp"
#include "tests/support/listener.hpp"

namespace shmring::testing {

class TlsFront {
 public:
  struct Options {
    Identity identity;
    std::filesystem::path clients_ca = {};  // not empty: a client has to show a certificate of that authority
    std::string protocol = "http/1.1";      // what ALPN agrees on; h2 for HTTP/2
    int version = TLS1_3_VERSION;
  };

  TlsFront(Options options, std::uint16_t backend)
      : options_(std::move(options)),
        context_(SSL_CTX_new(TLS_server_method())),
        backend_(backend),
        listener_([this](int fd, unsigned) { serve(fd); }) {
    SSL_CTX_set_min_proto_version(context_.get(), options_.version);
    SSL_CTX_set_max_proto_version(context_.get(), options_.version);
    if (SSL_CTX_use_certificate_file(context_.get(), options_.identity.certificate.c_str(),
                                     SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), options_.identity.key.c_str(), SSL_FILETYPE_PEM) != 1)
      give_up("no certificate for the server");
    if (!options_.clients_ca.empty()) {
      SSL_CTX_load_verify_locations(context_.get(), options_.clients_ca.c_str(), nullptr);
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    SSL_CTX_set_alpn_select_cb(context_.get(), choose_protocol, &options_);
  }

  std::uint16_t port() const noexcept { return listener_.port(); }
  std::string url(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(port());
  }
  unsigned connections() const noexcept { return listener_.connections(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  static int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                             const unsigned char* in, unsigned in_size, void* options) {
    const std::string& wanted = static_cast<const Options*>(options)->protocol;
    for (unsigned at = 0; at + in[at] < in_size; at += 1U + in[at]) {
      if (std::string_view(reinterpret_cast<const char*>(in) + at + 1, in[at]) != wanted) continue;
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
  }

  void serve(int fd) {
    const std::unique_ptr<SSL, Free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) != 1) {  // by then the alert is sent
      ERR_clear_error();
      return drop_rest(fd);
    }
    const int backend = connect_to(backend_);
    while (pump(ssl.get(), fd, backend)) {
    }
    ::close(backend);
    SSL_shutdown(ssl.get());
  }

  /// With unread bytes in it a socket is closed by RST, and that may overtake the alert.
  static void drop_rest(int fd) {
    ::shutdown(fd, SHUT_WR);
    char rest[4096];
    while (::recv(fd, rest, sizeof rest, 0) > 0) {
    }
  }

  /// Hands on what either side has said. False: one has ended.
  static bool pump(SSL* ssl, int client, int backend) {
    char buffer[16384];
    pollfd both[] = {{client, POLLIN, 0}, {backend, POLLIN, 0}};
    if (SSL_pending(ssl) == 0 && ::poll(both, 2, -1) <= 0) return false;
    if (SSL_pending(ssl) > 0 || both[0].revents != 0) {
      const int count = SSL_read(ssl, buffer, sizeof buffer);
      if (count <= 0 || !send_all(backend, {buffer, static_cast<std::size_t>(count)})) return false;
    }
    if (both[1].revents == 0) return true;
    const ssize_t count = ::recv(backend, buffer, sizeof buffer, 0);
    return count > 0 && SSL_write(ssl, buffer, static_cast<int>(count)) > 0;
  }

  Options options_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::uint16_t backend_;
  Listener listener_;  // goes first
};

}  // namespace shmring::testing
