// SPDX-License-Identifier: Apache-2.0
// Why a transfer got no answer.

#include "flusher/transfer_failure.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string_view>

namespace shmring::flusher {
namespace {

// X509_V_ERR_* of OpenSSL, part of its ABI; libcurl hands them through as numbers.
enum Verify : long {
  kNoIssuer = 2,
  kNotYetValid = 9,
  kExpired = 10,
  kSelfSigned = 18,
  kSelfSignedInChain = 19,
  kNoLocalIssuer = 20,
  kUnverifiedLeaf = 21,
};

bool holds_one_of(const std::string& text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

const char* explain_server_certificate(const TransferFailure& failure) {
  if (holds_one_of(failure.words, {"subject name"})) {  // libcurl's own check, of which OpenSSL says nothing
    return "the server's certificate is for another host; put the name that it is for into the endpoint";
  }
  switch (failure.verify_result) {
    case kExpired:
      return "the server's certificate has expired; renew it there, or set this machine's clock";
    case kNotYetValid:
      return "the server's certificate is not valid yet; is this machine's clock right?";
    case kSelfSigned:
      return "the server's certificate is self-signed; if it is the right one, name it with --certificate "
             "FILE";
    case kSelfSignedInChain:
    case kNoLocalIssuer:
    case kNoIssuer:
    case kUnverifiedLeaf:
      return "the server's certificate comes from an authority that is not trusted here; name that "
             "authority's "
             "certificate with --certificate FILE";
    default:
      return "the server's certificate is not valid";
  }
}

}  // namespace

bool is_refused_by_tls(const TransferFailure& failure) {
  // Under TLS 1.3 the client has sent its request by the time that the server looks at its certificate.
  return failure.code != CURLE_OK &&
         holds_one_of(failure.words,
                      {"alert certificate required", "alert handshake failure", "alert bad certificate",
                       "alert unknown ca", "alert certificate expired", "alert certificate unknown"});
}

std::string explain(const TransferFailure& failure) {
  const auto with_words = [&](std::string_view sentence) {
    return fmt::format("{} ({})", sentence, failure.words);
  };
  if (holds_one_of(failure.words, {"alert certificate required", "alert handshake failure"})) {
    return with_words(
        "the server wants a certificate from us; name one with --client-certificate FILE and --client-key "
        "FILE");
  }
  if (is_refused_by_tls(failure)) {
    return with_words(
        "the server does not take our certificate; is --client-certificate the right one, and not expired?");
  }
  switch (failure.code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return with_words(explain_server_certificate(failure));
    case CURLE_SSL_CACERT_BADFILE:
      return with_words("the file of --certificate holds no certificates that can be read");
    case CURLE_SSL_CERTPROBLEM:
      return with_words("the files of --client-certificate and --client-key cannot be used");
    case CURLE_SSL_CONNECT_ERROR:
      if (holds_one_of(failure.words, {"wrong version number", "packet length too long", "http request"}))
        return with_words(
            "the server does not speak TLS there; is its endpoint http:// instead of https://?");
      return failure.words;
    default:
      return failure.words;
  }
}

std::string explain_no_socket(int error) {
  const char* const remedy =
      error == EMFILE
          ? "; this process is out of file descriptors: raise its limit (LimitNOFILE= of the unit)"
      : error == ENFILE ? "; this machine is out of file descriptors: raise fs.file-max"
                        : "";
  return fmt::format("no socket: {}{}", std::strerror(error), remedy);
}

}  // namespace shmring::flusher
