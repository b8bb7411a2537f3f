// SPDX-License-Identifier: Apache-2.0
#include "flusher/invocation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "flusher/describe.hpp"
#include "flusher/otlp_settings.hpp"
#include "flusher/setting_values.hpp"
#include "flusher/settings.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr auto kLogs = static_cast<std::size_t>(Signal::kLogs);
constexpr auto kTraces = static_cast<std::size_t>(Signal::kTraces);

/// A command line with an environment of its own.
struct Given {
  std::map<std::string, std::string> environment;
  testing::ScratchFolder folder;

  std::string file(const std::string& text) {
    const std::string path = folder.path() / "flusher.conf";
    std::ofstream(path) << text;
    return path;
  }
  Invocation parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "shmring-flusher");
    return parse_invocation(static_cast<int>(arguments.size()), arguments.data(),
                            [this](const std::string& name) -> std::optional<std::string> {
                              const auto found = environment.find(name);
                              if (found == environment.end()) return std::nullopt;
                              return found->second;
                            });
  }
  Config config(std::vector<const char*> arguments) {
    const Invocation invocation = parse(std::move(arguments));
    EXPECT_EQ(invocation.action, Invocation::Action::kRun) << invocation.text;
    return invocation.config;
  }
  std::string error(std::vector<const char*> arguments) {
    const Invocation invocation = parse(std::move(arguments));
    EXPECT_EQ(invocation.action, Invocation::Action::kPrint);
    EXPECT_EQ(invocation.exit_code, kExitUsage);
    return invocation.text;
  }
};

TEST(Invocation, WithNothingSaidTheDefaultsHold) {
  Given given;
  const Config config = given.config({});
  EXPECT_EQ(config.interval, std::chrono::milliseconds(200));
  EXPECT_THAT(config.exporters, ElementsAre(ExporterKind::kFile));
  EXPECT_EQ(config.otlp[kLogs].url, "http://localhost:4318/v1/logs");
  EXPECT_EQ(config.otlp[kLogs].timeout, std::chrono::seconds(10));
  EXPECT_EQ(config.once, Once::kNo);
}

TEST(Invocation, EachOptionChangesSomething) {
  const std::map<std::string, std::string> values = {{"ring", "/x"},
                                                     {"size", "1MiB"},
                                                     {"block-size", "4KiB"},
                                                     {"writers", "7"},
                                                     {"interval", "1s"},
                                                     {"max-in-flight", "9"},
                                                     {"batch-records", "17"},
                                                     {"batch-bytes", "64k"},
                                                     {"memory-limit", "64MiB"},
                                                     {"retry-initial", "7ms"},
                                                     {"retry-longest", "40s"},
                                                     {"retry-after-limit", "8s"},
                                                     {"shutdown-timeout", "9s"},
                                                     {"exporter", "console"},
                                                     {"file", "/y.jsonl"},
                                                     {"endpoint", "http://h:1"},
                                                     {"protocol", "HTTP/JSON"},
                                                     {"headers", "a=b"},
                                                     {"on-full", "block"},
                                                     {"block-timeout", "3ms"},
                                                     {"export-timeout", "4s"},
                                                     {"insecure", "true"},
                                                     {"proxy", "http://p:1"},
                                                     {"certificate", "/ca.pem"},
                                                     {"client-certificate", "/c.pem"},
                                                     {"client-key", "/c.key"},
                                                     {"timeout", "3s"},
                                                     {"compression", "gzip"},
                                                     {"spool", "/spool"},
                                                     {"spool-size", "64MiB"},
                                                     {"spool-min-free", "1MiB"},
                                                     {"spool-age", "1h"},
                                                     {"spool-replay-rate", "5"},
                                                     {"dead-letter", "/dead"},
                                                     {"dead-letter-size", "2MiB"},
                                                     {"dead-letter-age", "1h"},
                                                     {"metrics-listen", "9464"},
                                                     {"log-level", "debug"}};
  for (const Setting& setting : settings()) {
    if (setting.takes == Setting::Takes::kNothing) continue;
    const auto dash = setting.name.find('-');
    const bool is_for_one = setting.reach == Setting::Reach::kOneSignal;
    const auto value = values.find(is_for_one ? setting.name.substr(dash + 1) : setting.name);
    ASSERT_NE(value, values.end()) << setting.name;
    Config before;
    Config after;
    ASSERT_TRUE(setting.apply(after, value->second)) << setting.name;
    ASSERT_TRUE(resolve_targets(before) && resolve_targets(after)) << setting.name;
    EXPECT_NE(describe(before), describe(after)) << setting.name;
  }
  Given given;
  const Config config = given.config({"--once", "--file-sync", "--no-bisect"});
  EXPECT_EQ(config.once, Once::kYes);
  EXPECT_EQ(config.file_sync, FileSync::kYes);
  EXPECT_EQ(config.bisect, Bisect::kNo);
}

TEST(Invocation, AFlagBeatsTheEnvironmentWhichBeatsTheFile) {
  Given given;
  const std::string file = given.file("interval = 1s\nbatch-records = 11\nmax-in-flight = 1\n");
  given.environment = {{"SHMRING_INTERVAL", "2s"}, {"SHMRING_BATCH_RECORDS", "22"}};
  const Config config = given.config({"--config", file.c_str(), "--interval", "3s"});
  EXPECT_EQ(config.interval, std::chrono::seconds(3));
  EXPECT_EQ(config.batch.records, 22U);
  EXPECT_EQ(config.max_in_flight, 1U);
}

TEST(Invocation, TheFileCanBeNamedInTheEnvironment) {
  Given given;
  given.environment["SHMRING_CONFIG"] = given.file("interval = 7s\n");
  EXPECT_EQ(given.config({}).interval, std::chrono::seconds(7));
}

TEST(Invocation, OneForASignalBeatsTheGeneralOneFromTheSamePlace) {
  Given given;
  given.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:1/x/"},
                       {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs:2/custom"},
                       {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                       {"OTEL_EXPORTER_OTLP_LOGS_HEADERS", "b=2"},
                       {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
                       {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"}};
  const Config config = given.config({});
  EXPECT_EQ(config.otlp[kLogs].url, "http://logs:2/custom");
  EXPECT_EQ(config.otlp[kTraces].url, "http://all:1/x/v1/traces");
  EXPECT_THAT(config.otlp[kLogs].headers, ElementsAre(Pair("b", "2")));
  EXPECT_THAT(config.otlp[kTraces].headers, ElementsAre(Pair("a", "1")));
  EXPECT_EQ(config.otlp[kTraces].timeout, std::chrono::milliseconds(2500));
  EXPECT_EQ(config.otlp[kTraces].compression, Compression::kGzip);
}

TEST(Invocation, AGeneralFlagBeatsASignalsEnvironment) {
  Given given;
  given.environment = {{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs:2/custom"}};
  EXPECT_EQ(given.config({"--endpoint", "http://flag:3"}).otlp[kLogs].url, "http://flag:3/v1/logs");
}

TEST(Invocation, SeveralExportersAreGivenByRepeatingOrWithCommas) {
  Given given;
  EXPECT_THAT(given.config({"--exporter", "otlp", "--exporter", "file"}).exporters,
              ElementsAre(ExporterKind::kOtlp, ExporterKind::kFile));
  given.environment["SHMRING_EXPORTER"] = "console,otlp,console";
  EXPECT_THAT(given.config({}).exporters, ElementsAre(ExporterKind::kConsole, ExporterKind::kOtlp));
}

TEST(Invocation, AnUnknownKeyIsAnError) {
  Given given;
  EXPECT_THAT(given.error({"--config", given.file("intervall = 1s\n").c_str()}),
              HasSubstr("flusher.conf:1: unknown key 'intervall'"));
  EXPECT_THAT(given.error({"--intervall", "1s"}), HasSubstr("--intervall"));
  EXPECT_THAT(given.error({"stray"}), HasSubstr("stray"));
}

TEST(Invocation, AKeyThatIsSetTwiceInTheFileIsAnError) {
  Given given;
  EXPECT_THAT(given.error({"--config", given.file("interval = 1s\ninterval = 2s\n").c_str()}),
              HasSubstr("second time"));
}

TEST(Invocation, ABadValueIsNamedWithItsPlace) {
  Given given;
  EXPECT_THAT(given.error({"--interval", "soon"}), HasSubstr("--interval: 'soon'"));
  EXPECT_THAT(given.error({"--batch-records", "9000"}), HasSubstr("from 1 to 8192"));
  EXPECT_THAT(given.error({"--exporter", "zipkin"}), HasSubstr("otlp, file, console"));
  EXPECT_THAT(given.error({"--file", "folder/"}), HasSubstr("DIR/NAME.jsonl"));
  EXPECT_THAT(given.error({"--retry-initial", "2m"}), HasSubstr("retry-longest"));
  EXPECT_THAT(given.error({"--compression", "brotli"}), HasSubstr("--compression: 'brotli'"));
  EXPECT_THAT(given.error({"--metrics-listen", "localhost"}), HasSubstr("0.0.0.0:PORT"));
  EXPECT_THAT(given.error({"--traces-batch-records", "9000"}), HasSubstr("from 1 to 8192"));
  given.environment["SHMRING_INTERVAL"] = "soon";
  EXPECT_THAT(given.error({}), HasSubstr("SHMRING_INTERVAL: 'soon'"));
}

TEST(Invocation, AProtocolCanBeChosenForAllSignalsAndForOne) {
  Given given;
  const Config config = given.config({"--protocol", "http/json", "--traces-protocol", "http/protobuf"});
  EXPECT_EQ(config.otlp[kLogs].protocol, Protocol::kHttpJson);
  EXPECT_EQ(config.otlp[kTraces].protocol, Protocol::kHttpProtobuf);
  EXPECT_THAT(given.error({"--traces-protocol", "smoke"}),
              HasSubstr("--traces-protocol: 'smoke' is none of"));
}

TEST(Invocation, GrpcHasAPortOfItsOwnAndTakesEndpointsWithoutAScheme) {
  Given given;
  const std::string method = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
  EXPECT_EQ(given.config({"--protocol", "grpc"}).otlp[kLogs].url, "http://localhost:4317" + method);
  EXPECT_EQ(given.config({"--protocol", "grpc", "--endpoint", "host:1"}).otlp[kLogs].url,
            "https://host:1" + method);
  EXPECT_EQ(given.config({"--logs-protocol", "grpc"}).otlp[kTraces].url, "http://localhost:4318/v1/traces");
  given.environment = {{"OTEL_EXPORTER_OTLP_INSECURE", "true"}};
  EXPECT_EQ(given.config({"--protocol", "grpc", "--logs-endpoint", "host:1"}).otlp[kLogs].url,
            "http://host:1" + method);
  EXPECT_THAT(given.error({"--endpoint", "host:1"}),
              HasSubstr("http://localhost:4318"));  // over HTTP it needs one
}

TEST(Invocation, FilesForTlsAreLookedAtWhereTheyAreUsed) {
  Given given;
  const std::string file = given.file("");
  const std::vector<const char*> secure{"--exporter", "otlp", "--endpoint", "https://h", "--certificate"};
  const auto with = [&](std::vector<const char*> more) {
    auto out = secure;
    out.insert(out.end(), more.begin(), more.end());
    return out;
  };
  EXPECT_EQ(given.config(with({file.c_str()})).otlp[kLogs].tls.certificate, file);
  EXPECT_THAT(given.error(with({"/not/here.pem"})), HasSubstr("/not/here.pem cannot be read: No such file"));
  EXPECT_THAT(given.error(with({file.c_str(), "--client-key", file.c_str()})),
              HasSubstr("without client-certificate"));
  given.environment = {{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/not/here.pem"}};
  EXPECT_EQ(given.config({"--exporter", "otlp"}).otlp[kLogs].url, "http://localhost:4318/v1/logs");  // no TLS
  EXPECT_EQ(given.config({"--exporter", "file", "--endpoint", "https://h"}).otlp[kLogs].url,
            "https://h/v1/logs");
}

TEST(Invocation, VariablesOfSdksSetScheduleAndBatches) {
  Given given;
  given.environment = {{"OTEL_BSP_SCHEDULE_DELAY", "5000"},        {"OTEL_BSP_EXPORT_TIMEOUT", "3000"},
                       {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512"},  {"OTEL_BSP_MAX_CONCURRENT_EXPORTS", "7"},
                       {"OTEL_BLRP_SCHEDULE_DELAY", "1000"},       {"OTEL_BLRP_EXPORT_TIMEOUT", "30000"},
                       {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "256"}, {"OTEL_BLRP_MAX_CONCURRENT_EXPORTS", "5"},
                       {"OTEL_METRIC_EXPORT_INTERVAL", "60000"},   {"OTEL_METRIC_EXPORT_TIMEOUT", "2000"}};
  const Config config = given.config({});
  EXPECT_EQ(config.interval_of(Signal::kTraces), std::chrono::seconds(5));
  EXPECT_EQ(config.interval_of(Signal::kLogs), std::chrono::seconds(1));
  EXPECT_EQ(config.interval_of(Signal::kMetrics), std::chrono::seconds(60));
  EXPECT_EQ(config.shortest_interval(), std::chrono::seconds(1));
  EXPECT_EQ(config.batch_of(Signal::kTraces).records, 512U);
  EXPECT_EQ(config.batch_of(Signal::kLogs).records, 256U);
  EXPECT_EQ(config.batch_of(Signal::kMetrics).records, 2048U);
  EXPECT_EQ(config.in_flight_of(Signal::kTraces), 7U);
  EXPECT_EQ(config.in_flight_of(Signal::kLogs), 5U);
  EXPECT_EQ(config.in_flight_of(Signal::kMetrics), 4U);
  EXPECT_EQ(config.otlp[kTraces].timeout, std::chrono::seconds(3));
  EXPECT_EQ(config.otlp[kLogs].timeout, std::chrono::seconds(10));  // its own is shorter than the export's
  EXPECT_EQ(config.otlp[static_cast<std::size_t>(Signal::kMetrics)].timeout, std::chrono::seconds(2));
}

TEST(Invocation, AGeneralFlagBeatsVariablesOfSdks) {
  Given given;
  given.environment = {{"OTEL_BSP_SCHEDULE_DELAY", "5000"}, {"SHMRING_INTERVAL", "7s"}};
  EXPECT_EQ(given.config({}).interval_of(Signal::kTraces), std::chrono::seconds(5));
  EXPECT_EQ(given.config({}).interval_of(Signal::kLogs), std::chrono::seconds(7));
  EXPECT_EQ(given.config({"--interval", "1s"}).interval_of(Signal::kTraces), std::chrono::seconds(1));
}

TEST(Invocation, AVariableOfTheSpecificationThatCannotBeUsedIsWarnedOfAndCountsAsUnset) {
  const std::map<std::string, std::vector<const char*>> bad = {
      {"OTEL_BSP_SCHEDULE_DELAY", {"-5", "5s", "1.5", "0", "soon"}},
      {"OTEL_BLRP_EXPORT_TIMEOUT", {"-1", "10s"}},
      {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", {"0", "-3", "100000", "many"}},
      {"OTEL_BSP_MAX_CONCURRENT_EXPORTS", {"0", "x"}},
      {"OTEL_METRIC_EXPORT_INTERVAL", {"1m"}},
      {"OTEL_EXPORTER_OTLP_TIMEOUT", {"10s", "-1"}},
      {"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", {"brotli"}},
      {"OTEL_EXPORTER_OTLP_PROTOCOL", {"smoke"}},
      {"OTEL_EXPORTER_OTLP_INSECURE", {"1", "yes"}},
      {"OTEL_BSP_ON_QUEUE_FULL", {"explode"}}};
  for (const auto& [name, values] : bad) {
    for (const char* value : values) {
      Given given;
      given.environment = {{name, value}};
      const Invocation invocation = given.parse({});
      EXPECT_EQ(invocation.action, Invocation::Action::kRun) << name << value << invocation.text;
      ASSERT_EQ(invocation.warnings.size(), 1U) << name << value;
      EXPECT_THAT(invocation.warnings[0], HasSubstr(name + ": '" + value + "'"));
      EXPECT_EQ(describe(invocation.config), describe(Given().config({}))) << name << value;
    }
  }
}

TEST(Invocation, WordsOfTheSpecificationAreTakenInAnyCase) {
  Given given;
  given.environment = {{"OTEL_EXPORTER_OTLP_PROTOCOL", "GRPC"},
                       {"OTEL_EXPORTER_OTLP_COMPRESSION", "GZip"},
                       {"OTEL_EXPORTER_OTLP_INSECURE", "TRUE"}};
  const Invocation invocation = given.parse({});
  EXPECT_THAT(invocation.warnings, ::testing::IsEmpty());
  EXPECT_EQ(invocation.config.otlp[kLogs].protocol, Protocol::kGrpc);
  EXPECT_EQ(invocation.config.otlp[kLogs].compression, Compression::kGzip);
  EXPECT_EQ(invocation.config.otlp[kLogs].insecure, Insecure::kYes);
}

TEST(Invocation, ATimeoutOfZeroIsNoLimit) {
  Given given;
  given.environment = {{"OTEL_EXPORTER_OTLP_TIMEOUT", "0"}};
  EXPECT_EQ(given.config({}).otlp[kLogs].timeout, kNoLimit);
  given.environment["OTEL_BLRP_EXPORT_TIMEOUT"] = "0";
  EXPECT_EQ(given.config({}).otlp[kLogs].timeout, kNoLimit);
  given.environment["OTEL_BLRP_EXPORT_TIMEOUT"] = "700";
  EXPECT_EQ(given.config({}).otlp[kLogs].timeout, std::chrono::milliseconds(700));
}

TEST(Invocation, QueueSizesOfSdksAreOnlyWarnedOf) {
  Given given;
  given.environment = {{"OTEL_BSP_MAX_QUEUE_SIZE", "4096"}, {"OTEL_BLRP_MAX_QUEUE_SIZE", "x"}};
  const Invocation invocation = given.parse({});
  EXPECT_THAT(invocation.warnings,
              ElementsAre(HasSubstr("OTEL_BSP_MAX_QUEUE_SIZE"), HasSubstr("the queue is the ring")));
}

TEST(Invocation, ThePolicyOfAFullRingIsOneForAllSignals) {
  Given given;
  EXPECT_EQ(given.config({}).ring_policy(), FullPolicy::kDropNewest);
  EXPECT_EQ(given.config({"--on-full", "drop-oldest"}).ring_policy(), FullPolicy::kDropOldest);
  given.environment = {{"OTEL_BSP_ON_QUEUE_FULL", "block"}};
  EXPECT_EQ(given.config({}).ring_policy(), FullPolicy::kBlock);
  EXPECT_EQ(given.config({"--on-full", "drop-newest"}).ring_policy(), FullPolicy::kDropNewest);
  given.environment["OTEL_BLRP_ON_QUEUE_FULL"] = "drop-oldest";
  EXPECT_THAT(given.error({}), HasSubstr("one policy"));
}

TEST(Invocation, CheckPrintsWhatIsInForceWithoutSecrets) {
  Given given;
  const Invocation checked = given.parse(
      {"--check", "--exporter", "otlp", "--headers", "key=s3cret", "--endpoint", "http://u:pw@h:1"});
  EXPECT_EQ(checked.action, Invocation::Action::kCheck);
  EXPECT_THAT(checked.text, ContainsRegex("logs-endpoint +=.http://h:1/v1/logs\n"));
  EXPECT_THAT(checked.text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(checked.text, Not(HasSubstr("pw")));
}

TEST(Invocation, HelpNamesEveryOptionAndItsVariable) {
  Given given;
  const Invocation help = given.parse({"--help"});
  EXPECT_EQ(help.exit_code, kExitFine);
  for (const Setting& setting : settings()) {
    EXPECT_THAT(help.text, HasSubstr("--" + setting.name));
    EXPECT_THAT(help.text, HasSubstr(setting.environment));
  }
  EXPECT_THAT(given.parse({"--version"}).text, HasSubstr("shmring-flusher 0."));
}

TEST(EnvironmentOfTheProcess, AnEmptyVariableIsNotSet) {
  setenv("SHMRING_INTERVAL", "", 1);
  EXPECT_EQ(process_environment("SHMRING_INTERVAL"), std::nullopt);
  setenv("SHMRING_INTERVAL", "7s", 1);
  EXPECT_EQ(process_environment("SHMRING_INTERVAL"), "7s");
  unsetenv("SHMRING_INTERVAL");
  EXPECT_EQ(process_environment("SHMRING_INTERVAL"), std::nullopt);
}

/// The lines of the example, the options in them no longer commented out.
std::vector<std::string> example_lines() {
  std::vector<std::string> out;
  std::ifstream in(SHMRING_EXAMPLE_CONFIG);
  const std::regex option("# ([a-z-]+ = .+)");
  std::smatch found;
  for (std::string line; std::getline(in, line);) {
    if (std::regex_match(line, found, option)) out.push_back(found[1]);
  }
  return out;
}

TEST(ExampleConfiguration, AsItIsChangesNothing) {
  Given given;
  EXPECT_EQ(describe(given.config({"--config", SHMRING_EXAMPLE_CONFIG})), describe(given.config({})));
}

TEST(ExampleConfiguration, EveryLineOfItCanBeUsed) {
  for (const std::string& line : example_lines()) {
    Given given;
    const Invocation invocation = given.parse({"--config", given.file(line + "\n").c_str()});
    EXPECT_EQ(invocation.action, Invocation::Action::kRun) << line << ": " << invocation.text;
  }
}

TEST(ExampleConfiguration, HoldsEveryGeneralOption) {
  std::set<std::string> keys;
  for (const std::string& line : example_lines()) keys.insert(line.substr(0, line.find(' ')));
  for (const Setting& setting : settings()) {
    if (setting.reach == Setting::Reach::kGeneral) {
      EXPECT_EQ(keys.count(setting.name), 1U) << setting.name << " is missing in " << SHMRING_EXAMPLE_CONFIG;
    }
  }
}

}  // namespace
}  // namespace shmring::flusher
