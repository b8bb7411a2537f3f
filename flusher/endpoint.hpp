// SPDX-License-Identifier: Apache-2.0
// OTLP exporter specification: how an endpoint becomes a URL, and how a list of headers is written.
#pragma once

#include <string>
#include <string_view>

#include "flusher/config.hpp"
#include "shmring/result.hpp"
#include "shmring/signal.hpp"

namespace shmring::flusher {

inline constexpr std::string_view kDefaultEndpoint = "http://localhost:4318";
inline constexpr std::string_view kDefaultGrpcEndpoint = "http://localhost:4317";

/// Whether it can be an endpoint at all. What a protocol asks for besides shows when the URL is made.
Result<void> check_endpoint(std::string_view endpoint);

/// The URL for a signal below a base that all signals share: v1/logs and so on are appended.
Result<std::string> url_below(std::string_view base, Signal signal);

/// An endpoint of one signal is used as it is; one without a path asks for the root.
Result<std::string> url_as_given(std::string_view endpoint);

/// The URL of a signal's gRPC method. Only host and port of the endpoint count; without a scheme it means https, or http
/// where `insecure` says so.
Result<std::string> grpc_url(std::string_view endpoint, Signal signal, Insecure insecure);

/// "key=value,key2=value2", values percent-encoded (as W3C Baggage). The error does not repeat the values.
Result<Headers> parse_headers(std::string_view text);

/// The URL without user, password, query and fragment, for logs.
std::string without_secrets(const std::string& url);

}  // namespace shmring::flusher
