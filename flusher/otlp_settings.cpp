// SPDX-License-Identifier: Apache-2.0
// The OTEL_EXPORTER_OTLP_ family of options.

#include "flusher/otlp_settings.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "flusher/endpoint.hpp"
#include "flusher/setting_values.hpp"

namespace shmring::flusher {
namespace {

using Reach = Setting::Reach;

/// Makes the function that sets an option of one signal.
using ForSignal = std::function<Apply(std::size_t signal, Reach reach)>;

struct OtlpOption {
  const char* name;
  const char* value;
  const char* help;
  const char* help_for_one;  // empty: "in place of" the general one
  ForSignal apply;
  Setting::Variable variable = Setting::Variable::kOurs;
};

Apply set_endpoint(std::size_t signal, Reach reach) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    if (auto checked = check_endpoint(text); !checked) return checked;
    config.otlp[signal].endpoint = text;
    config.otlp[signal].endpoint_is =
        reach == Reach::kGeneral ? EndpointIs::kBaseOfAllSignals : EndpointIs::kOfOneSignal;
    return {};
  };
}

Apply set_headers(std::size_t signal, Reach) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    auto headers = parse_headers(text);
    if (!headers) return headers.error();
    config.otlp[signal].headers = std::move(*headers);
    return {};
  };
}

Apply set_protocol(std::size_t signal, Reach) {
  return one_of<Protocol>({{"http/protobuf", Protocol::kHttpProtobuf},
                           {"http/json", Protocol::kHttpJson},
                           {"grpc", Protocol::kGrpc}},
                          [=](Config& c) -> Protocol& { return c.otlp[signal].protocol; });
}

Apply set_timeout(std::size_t signal, Reach) {
  return timeout([=](Config& c) -> std::chrono::microseconds& { return c.otlp[signal].timeout; });
}

Apply set_insecure(std::size_t signal, Reach) {
  return on_off<Insecure>([=](Config& c) -> Insecure& { return c.otlp[signal].insecure; });
}

/// That it can be read shows when all options are known.
Apply set_file(std::string TlsFiles::*file, std::size_t signal) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    config.otlp[signal].tls.*file = text;
    return {};
  };
}

Apply set_certificate(std::size_t signal, Reach) { return set_file(&TlsFiles::certificate, signal); }
Apply set_client_certificate(std::size_t signal, Reach) {
  return set_file(&TlsFiles::client_certificate, signal);
}
Apply set_client_key(std::size_t signal, Reach) { return set_file(&TlsFiles::client_key, signal); }

Apply set_compression(std::size_t signal, Reach) {
  return one_of<Compression>({{"none", Compression::kNone}, {"gzip", Compression::kGzip}},
                             [=](Config& c) -> Compression& { return c.otlp[signal].compression; });
}

const std::vector<OtlpOption>& options() {
  using Variable = Setting::Variable;
  static const std::vector<OtlpOption> all = {
      {"endpoint", "URL",
       "where to send to; over HTTP v1/<signal> is appended [http://localhost:4318, grpc: 4317]",
       "where to send to, used as it is", set_endpoint},
      {"protocol", "NAME", "http/protobuf, http/json or grpc [http/protobuf]", "", set_protocol,
       Variable::kSpecifiedWord},
      {"headers", "K=V,...", "sent with each request, values percent-encoded []", "", set_headers},
      {"timeout", "DURATION", "for one request, 0: no limit [10s]", "", set_timeout,
       Variable::kSpecifiedNumber},
      {"compression", "none|gzip", "of request bodies [none]", "", set_compression, Variable::kSpecifiedWord},
      {"insecure", "true|false", "a gRPC endpoint without http:// or https:// means http [false]", "",
       set_insecure, Variable::kSpecifiedSwitch},
      {"certificate", "FILE", "PEM: what servers' certificates must come from [the system's authorities]", "",
       set_certificate},
      {"client-certificate", "FILE", "PEM: ours, for servers that ask for one []", "",
       set_client_certificate},
      {"client-key", "FILE", "PEM: its key [in the same file]", "", set_client_key},
  };
  return all;
}

Apply for_all_signals(const ForSignal& make) {
  std::vector<Apply> each;
  for (std::size_t i = 0; i < kSignalCount; ++i) each.push_back(make(i, Reach::kGeneral));
  return [each](Config& config, const std::string& text) -> Result<void> {
    for (const Apply& apply : each) {
      if (auto done = apply(config, text); !done) return done;
    }
    return {};
  };
}

Result<std::string> url_of(const OtlpTarget& target, Signal signal) {
  if (target.protocol == Protocol::kGrpc)
    return grpc_url(target.endpoint.empty() ? kDefaultGrpcEndpoint : target.endpoint, signal,
                    target.insecure);
  if (target.endpoint.empty()) return url_below(kDefaultEndpoint, signal);
  return target.endpoint_is == EndpointIs::kBaseOfAllSignals ? url_below(target.endpoint, signal)
                                                             : url_as_given(target.endpoint);
}

/// What is wrong with the files of a target that uses TLS; empty: nothing.
std::string why_not_usable(const TlsFiles& tls) {
  if (!tls.client_key.empty() && tls.client_certificate.empty())
    return "client-key is given without client-certificate";
  for (const std::string& file : {tls.certificate, tls.client_certificate, tls.client_key}) {
    if (!file.empty() && !std::ifstream(file))
      return fmt::format("{} cannot be read: {}", file, std::strerror(errno));
  }
  return {};
}

}  // namespace

void add_otlp_settings(std::vector<Setting>& all) {
  for (const OtlpOption& option : options()) {
    all.push_back({option.name, "OTEL_EXPORTER_OTLP_" + variable_name(option.name), option.value, option.help,
                   for_all_signals(option.apply), Setting::Takes::kValue, Reach::kGeneral, option.variable});
  }
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const std::string signal(to_string(static_cast<Signal>(i)));
    for (const OtlpOption& option : options()) {
      const std::string name = fmt::format("{}-{}", signal, option.name);
      const std::string help =
          *option.help_for_one == '\0' ? fmt::format("in place of --{}", option.name) : option.help_for_one;
      all.push_back({name, "OTEL_EXPORTER_OTLP_" + variable_name(name), option.value,
                     fmt::format("{}: {}", signal, help), option.apply(i, Reach::kOneSignal),
                     Setting::Takes::kValue, Reach::kOneSignal, option.variable});
    }
  }
}

void add_proxy_setting(std::vector<Setting>& all) {
  all.push_back({"proxy", "SHMRING_PROXY", "URL",
                 "through which OTLP is sent [http_proxy, https_proxy, no_proxy]",
                 [](Config& config, const std::string& text) -> Result<void> {
                   for (OtlpTarget& target : config.otlp) target.proxy = text;
                   return {};
                 },
                 Setting::Takes::kValue, Reach::kGeneral});
}

Result<void> resolve_targets(Config& config) {
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const auto signal = static_cast<Signal>(i);
    auto url = url_of(config.otlp[i], signal);
    if (!url) return bad_value(fmt::format("endpoint for {}: {}", to_string(signal), url.error().message));
    config.otlp[i].url = std::move(*url);
    config.otlp[i].timeout = config.timeout_of(signal);
  }
  return {};
}

Result<void> check_tls_files(const Config& config) {
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    if (!config.otlp[i].url.starts_with("https:")) continue;
    const std::string why = why_not_usable(config.otlp[i].tls);
    if (!why.empty()) return bad_value(fmt::format("TLS for {}: {}", to_string(static_cast<Signal>(i)), why));
  }
  return {};
}

}  // namespace shmring::flusher
