// SPDX-License-Identifier: Apache-2.0
// TLS: certificates of every kind, proxies, and gRPC on connections that are used again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "tests/flusher/otlp_client.hpp"
#include "tests/support/grpc_server.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/tls_front.hpp"

namespace shmring::flusher {
namespace {

using testing::CertificateAuthority;
using testing::GrpcReply;
using testing::GrpcRequest;
using testing::GrpcServer;
using ::testing::HasSubstr;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;
using testing::Identity;
using testing::OtlpClient;
using testing::TlsFront;

class OtlpExporterTls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::has_openssl())
      GTEST_SKIP() << "the program openssl, which makes the certificates, is not here";
    authority.emplace();
  }

  void trust(const std::filesystem::path& certificate) {
    for (OtlpTarget& target : client.targets) target.tls.certificate = certificate;
  }
  void show(const Identity& identity) {
    for (OtlpTarget& target : client.targets) {
      target.tls.client_certificate = identity.certificate;
      target.tls.client_key = identity.key;
    }
  }
  SendResult send_to(const TlsFront& front, const std::string& host = "127.0.0.1") {
    client.speak_http_to(front.url(host));
    return client.send();
  }
  /// Kept, and it did not arrive.
  void expect_refused(const SendResult& result, const std::string& reason) {
    EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
    EXPECT_FALSE(result.may_have_arrived);
    EXPECT_THAT(result.reason, HasSubstr(reason));
    EXPECT_EQ(server.requests(), 0U);
  }

  std::optional<CertificateAuthority> authority;
  HttpServer server{[](const HttpRequest&) { return HttpReply{}; }};
  OtlpClient client;
};

TEST_F(OtlpExporterTls, AnAuthorityThatIsNamedIsTrusted) {
  const TlsFront front({.identity = authority->issue("server")}, server.port());
  trust(authority->certificate());
  EXPECT_EQ(send_to(front).outcome, SendOutcome::kAccepted);
  EXPECT_EQ(client.send().outcome, SendOutcome::kAccepted);
  EXPECT_EQ(front.connections(), 1U);
}

TEST_F(OtlpExporterTls, AnAuthorityThatNobodyNamedIsNot) {
  const TlsFront front({.identity = authority->issue("server")}, server.port());
  expect_refused(send_to(front), "authority that is not trusted here");
}

TEST_F(OtlpExporterTls, NamingOneAuthorityEndsTheTrustInAllOthers) {
  CertificateAuthority other;
  const TlsFront front({.identity = authority->issue("server")}, server.port());
  trust(other.certificate());
  expect_refused(send_to(front), "authority that is not trusted here");
}

TEST_F(OtlpExporterTls, AnExpiredCertificateIsNamedAsThat) {
  const TlsFront front({.identity = authority->issue("server", "IP:127.0.0.1", -1)}, server.port());
  trust(authority->certificate());
  expect_refused(send_to(front), "has expired");
}

TEST_F(OtlpExporterTls, ASelfSignedCertificateIsNamedAsThatAndCanBeTrustedItself) {
  const Identity own = authority->self_signed("self", "self");
  const TlsFront front({.identity = own}, server.port());
  expect_refused(send_to(front), "self-signed");
  client.exporter.reset();
  trust(own.certificate);
  EXPECT_EQ(send_to(front).outcome, SendOutcome::kAccepted);
}

TEST_F(OtlpExporterTls, ACertificateOfAnotherHostIsNamedAsThat) {
  const TlsFront front({.identity = authority->issue("server", "DNS:elsewhere.example")}, server.port());
  trust(authority->certificate());
  expect_refused(send_to(front), "for another host");
  client.exporter.reset();
  expect_refused(send_to(front, "localhost"), "for another host");
}

TEST_F(OtlpExporterTls, AClientCertificateIsShown) {
  const TlsFront front({.identity = authority->issue("server"), .clients_ca = authority->certificate()},
                       server.port());
  trust(authority->certificate());
  show(authority->issue("client"));
  EXPECT_EQ(send_to(front).outcome, SendOutcome::kAccepted);
}

TEST_F(OtlpExporterTls, AServerThatWantsAClientCertificateIsUnderstood) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsFront front(
        {.identity = authority->issue("server"), .clients_ca = authority->certificate(), .version = version},
        server.port());
    trust(authority->certificate());
    expect_refused(send_to(front), "--client-certificate");
    client.exporter.reset();
  }
}

TEST_F(OtlpExporterTls, AClientCertificateThatIsNotTakenIsUnderstood) {
  CertificateAuthority other;
  const TlsFront front({.identity = authority->issue("server"), .clients_ca = authority->certificate()},
                       server.port());
  trust(authority->certificate());
  show(other.issue("client"));
  expect_refused(send_to(front), "does not take our certificate");
}

TEST_F(OtlpExporterTls, AFileThatIsNoCertificateIsNamedByItsOption) {
  const TlsFront front({.identity = authority->issue("server")}, server.port());
  trust(authority->issue("any").key);
  expect_refused(send_to(front), "--certificate");
  client.exporter.reset();
  trust(authority->certificate());
  show({authority->certificate(), authority->certificate()});
  expect_refused(send_to(front), "--client-key");
}

TEST_F(OtlpExporterTls, AServerWithoutTlsIsUnderstood) {
  const testing::Listener plain([](int fd, unsigned) {
    testing::send_all(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
    char hello[4096];
    while (recv(fd, hello, sizeof hello, 0) > 0) {
    }
  });
  client.speak_http_to("https://127.0.0.1:" + std::to_string(plain.port()));
  EXPECT_THAT(client.send().reason, HasSubstr("does not speak TLS"));
}

TEST_F(OtlpExporterTls, AProxyIsAskedForATunnel) {
  std::vector<std::string> asked;
  std::mutex mutex;
  HttpServer proxy([&](const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    asked.push_back(request.method + " " + request.path + " " + request.header("proxy-authorization"));
    return HttpReply{.status = 502};
  });
  setenv("no_proxy", "", 1);
  for (OtlpTarget& target : client.targets)
    target.proxy = "http://user:word@127.0.0.1:" + std::to_string(proxy.port());
  client.speak_http_to("https://backend.example:4318");
  const SendResult result = client.send();
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], "CONNECT backend.example:4318 Basic dXNlcjp3b3Jk");
  EXPECT_THAT(result.reason, ::testing::Not(HasSubstr("word")));
}

TEST_F(OtlpExporterTls, AProxyOfTheEnvironmentTakesPlainRequests) {
  std::string asked;
  std::mutex mutex;
  HttpServer proxy([&](const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    asked = request.path;
    return HttpReply{};
  });
  setenv("no_proxy", "", 1);
  setenv("http_proxy", ("http://127.0.0.1:" + std::to_string(proxy.port())).c_str(), 1);
  client.speak_http_to("http://backend.example:4318");
  EXPECT_EQ(client.send().outcome, SendOutcome::kAccepted);
  unsetenv("http_proxy");
  EXPECT_EQ(asked, "http://backend.example:4318/v1/logs");
}

// ------------------------------------------------------------------------------------------------------------- gRPC over TLS

class OtlpExporterGrpcTls : public OtlpExporterTls {
 protected:
  void listen(const GrpcServer::Answer& answer, const std::string& protocol = "h2") {
    grpc = std::make_unique<GrpcServer>(answer);
    front = std::make_unique<TlsFront>(
        TlsFront::Options{.identity = authority->issue("server"), .protocol = protocol}, grpc->port());
    trust(authority->certificate());
    client.speak_grpc_to(front->url());
  }

  std::unique_ptr<GrpcServer> grpc;
  std::unique_ptr<TlsFront> front;
};

TEST_F(OtlpExporterGrpcTls, AgreesOnHttp2AndKeepsTheConnection) {
  std::string scheme;
  listen([&](const GrpcRequest& request) {
    scheme = request.header(":scheme");
    return GrpcReply{};
  });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.send().outcome, SendOutcome::kAccepted);
  EXPECT_EQ(front->connections(), 1U);
  EXPECT_EQ(scheme, "https");
}

TEST_F(OtlpExporterGrpcTls, AServerThatAgreesOnHttp1IsNoneAndTheBatchIsKept) {
  listen([](const GrpcRequest&) { return GrpcReply{}; }, "http/1.1");
  const TlsFront plain({.identity = authority->issue("server")}, server.port());
  client.speak_grpc_to(plain.url());
  const SendResult result = client.send();
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_THAT(result.reason, HasSubstr("gRPC needs HTTP/2"));
}

/// libcurl alone would call a second time on a new connection and tell nobody.
TEST_F(OtlpExporterGrpcTls, AReusedConnectionThatEndsCausesNoSecondCall) {
  for (const GrpcReply::Then then :
       {GrpcReply::Then::kRefuseStream, GrpcReply::Then::kGoAway, GrpcReply::Then::kCloseSilently}) {
    for (const std::size_t bytes : {std::size_t{100}, std::size_t{3} << 20U}) {
      listen([&](const GrpcRequest& request) {
        return GrpcReply{.then = request.on_connection == 0 ? GrpcReply::Then::kAnswer : then};
      });
      client.exporter.reset();
      EXPECT_EQ(client.send().outcome, SendOutcome::kAccepted);
      const SendResult result = client.send(std::string(bytes, 'x'));
      EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
      EXPECT_TRUE(result.may_have_arrived);
      EXPECT_EQ(grpc->requests(), 2U) << static_cast<int>(then);
      EXPECT_EQ(client.send().outcome, SendOutcome::kAccepted);  // on a fresh connection
    }
  }
}

}  // namespace
}  // namespace shmring::flusher
