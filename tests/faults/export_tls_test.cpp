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
  /// A front with which no request gets through: told by kind, and nothing is lost. Returns the duplicates that the books hold possible.
  std::uint64_t expect_error(TlsFront::Options options, const std::string& told,
                             std::vector<std::string> arguments) {
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
    return promise_.accounting().total.duplicates_possible;
  }
  std::vector<std::string> trusting() const { return {"--certificate", authority_->certificate()}; }

  std::unique_ptr<CertificateAuthority> authority_;
};

TEST_F(FaultExportTls, ACertificateThatHasExpiredIsToldAndNothingIsLost) {
  EXPECT_EQ(expect_error({.identity = authority_->issue("old", "IP:127.0.0.1", -1)}, "expired", trusting()),
            0U);
}
TEST_F(FaultExportTls, ASelfSignedCertificateIsToldAndNothingIsLost) {
  EXPECT_EQ(expect_error({.identity = authority_->self_signed("own", "Own")}, "self-signed", trusting()), 0U);
}
TEST_F(FaultExportTls, ACertificateForAnotherHostIsToldAndNothingIsLost) {
  EXPECT_EQ(
      expect_error({.identity = authority_->issue("other", "DNS:other.example")}, "another host", trusting()),
      0U);
}
TEST_F(FaultExportTls, AnAuthorityThatNobodyTrustsIsToldAndNothingIsLost) {
  const CertificateAuthority other;
  EXPECT_EQ(expect_error({.identity = authority_->issue("server")}, "not trusted",
                         {"--certificate", other.certificate()}),
            0U);
}
TEST_F(FaultExportTls, AClientCertificateThatIsMissingIsToldAndNothingIsLost) {
  // In TLS 1.3 the refusal comes after the client may send: what was on its way then is possibly there (RFC 8446, 2).
  EXPECT_LE(expect_error({.identity = authority_->issue("server"), .clients_ca = authority_->certificate()},
                         "wants a certificate", trusting()),
            200U);
}

}  // namespace
}  // namespace shmring::testing
