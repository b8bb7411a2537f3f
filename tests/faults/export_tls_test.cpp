// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: TLS that fails in each of its ways. Each is told by its kind, and the data stays.
#include <csignal>

#include "tests/faults/export_stage.hpp"
#include "tests/support/tls_front.hpp"

namespace shmring::testing {
namespace {

class FaultExportTls : public ExportStage {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    if (!has_openssl()) GTEST_SKIP() << "skipped: needs the program openssl";
    authority_ = std::make_unique<CertificateAuthority>();
  }
  /// A front with which no request gets through: told by kind, and nothing is lost.
  void expect_error(TlsFront::Options options, const std::string& told, std::vector<std::string> arguments) {
    HttpServer server(taking());
    const TlsFront front(std::move(options), server.port());
    emit(200);
    arguments.insert(arguments.end(), {"--shutdown-timeout", "50ms"});
    start(front.url(), arguments);
    EXPECT_TRUE(flusher_->says(told)) << flusher_->log_text();
    EXPECT_EQ(server.requests(), 0U);
    EXPECT_EQ(flusher_->stop(), 1) << "something is left in the ring";
    EXPECT_EQ(promise_.accounting().total.pending, 200U);
    start(server.url());
    expect_kept();
    EXPECT_EQ(promise_.accounting().total.duplicates_possible, 0U);
  }
  std::vector<std::string> trusting() const { return {"--certificate", authority_->certificate()}; }

  std::unique_ptr<CertificateAuthority> authority_;
};

TEST_F(FaultExportTls, ACertificateThatHasExpiredIsToldAndNothingIsLost) {
  expect_error({.identity = authority_->issue("old", "IP:127.0.0.1", -1)}, "expired", trusting());
}
TEST_F(FaultExportTls, ASelfSignedCertificateIsToldAndNothingIsLost) {
  expect_error({.identity = authority_->self_signed("own", "Own")}, "self-signed", trusting());
}
TEST_F(FaultExportTls, ACertificateForAnotherHostIsToldAndNothingIsLost) {
  expect_error({.identity = authority_->issue("other", "DNS:other.example")}, "another host", trusting());
}
TEST_F(FaultExportTls, AnAuthorityThatNobodyTrustsIsToldAndNothingIsLost) {
  const CertificateAuthority other;
  expect_error({.identity = authority_->issue("server")}, "not trusted",
               {"--certificate", other.certificate()});
}
TEST_F(FaultExportTls, AClientCertificateThatIsMissingIsToldAndNothingIsLost) {
  expect_error({.identity = authority_->issue("server"), .clients_ca = authority_->certificate()},
               "wants a certificate", trusting());
}

}  // namespace
}  // namespace shmring::testing
