// SPDX-License-Identifier: Apache-2.0
// Why a transfer got no answer, in a sentence that says what to do.
#pragma once

#include <curl/curl.h>

#include <string>

namespace shmring::flusher {

struct TransferFailure {
  CURLcode code = CURLE_OK;
  long verify_result = 0;  // OpenSSL's, of the server's certificate
  std::string words = {};  // libcurl's
};

/// Certificates by kind; everything else in libcurl's words.
std::string explain(const TransferFailure& failure);

/// The server ended the handshake: whatever was sent behind it, nobody has looked at.
bool is_refused_by_tls(const TransferFailure& failure);

/// The kernel gave no socket.
std::string explain_no_socket(int error);

}  // namespace shmring::flusher
