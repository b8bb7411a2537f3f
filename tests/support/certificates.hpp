// SPDX-License-Identifier: Apache-2.0
// A certificate authority for tests, made when it is asked for, by the program openssl.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {

/// A certificate and its key, as files.
struct Identity {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

inline bool has_openssl() { return std::system("openssl version >/dev/null 2>&1") == 0; }

class CertificateAuthority {
 public:
  CertificateAuthority() : own_(self_signed("ca", "Test CA")) {}

  const std::filesystem::path& certificate() const noexcept { return own_.certificate; }

  /// `names` as openssl's subjectAltName has them; `days` below zero: expired.
  Identity issue(const std::string& name, const std::string& names = "DNS:localhost,IP:127.0.0.1",
                 int days = 2) {
    const Identity out{path(name + ".pem"), path(name + ".key")};
    const std::string request = path(name + ".csr");
    const std::string extensions = path(name + ".ext");
    std::ofstream(extensions) << "subjectAltName=" << names << "\n";
    run("openssl req " + std::string(kNewKey) + " -keyout " + out.key.string() + " -out " + request +
        " -subj /CN=" + name);
    run("openssl x509 -req -in " + request + " -CA " + own_.certificate.string() + " -CAkey " +
        own_.key.string() + " -CAcreateserial -days " + std::to_string(days) + " -extfile " + extensions +
        " -out " + out.certificate.string());
    return out;
  }

  Identity self_signed(const std::string& name, const std::string& subject) {
    const Identity out{path(name + ".pem"), path(name + ".key")};
    run("openssl req -x509 " + std::string(kNewKey) + " -keyout " + out.key.string() + " -out " +
        out.certificate.string() + " -days 2 -subj '/CN=" + subject +
        "' -addext subjectAltName=IP:127.0.0.1");
    return out;
  }

 private:
  static constexpr const char* kNewKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  static void run(const std::string& command) {
    if (std::system((command + " 2>/dev/null").c_str()) != 0) give_up("failed: " + command);
  }

  ScratchFolder folder_;  // goes last
  Identity own_;
};

}  // namespace shmring::testing
