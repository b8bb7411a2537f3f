// SPDX-License-Identifier: Apache-2.0
// Options of what a batch processor does in an SDK: each for all signals and for one.

#include "flusher/signal_settings.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "flusher/setting_values.hpp"

namespace shmring::flusher {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

template <typename T>
using Field = std::optional<T> SignalLimits::*;

/// Where the checked value of one signal goes.
template <typename T>
auto of_signal(Field<T> field, std::size_t signal) {
  return [=](Config& config) -> T& {
    auto& value = config.signals[signal].*field;
    if (!value) value.emplace();
    return *value;
  };
}

/// The general option, `set`: what was said of single signals before it counts no longer.
template <typename T>
Apply for_all(Apply set, Field<T> field) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    if (auto done = set(config, text); !done) return done;
    for (SignalLimits& signal : config.signals) (signal.*field).reset();
    return {};
  };
}

template <typename Store>
Apply interval(Store store) {
  return duration(milliseconds(1), store);
}
template <typename Store>
Apply batch_records(Store store) {
  return number(parse_count, 1, 8192, "from 1 to 8192", store);
}
template <typename Store>
Apply max_in_flight(Store store) {
  return number(parse_count, 1, 256, "from 1 to 256", store);
}
template <typename Store>
Apply on_full(Store store) {
  return one_of<FullPolicy>({{"drop-newest", FullPolicy::kDropNewest},
                             {"block", FullPolicy::kBlock},
                             {"drop-oldest", FullPolicy::kDropOldest},
                             {"drop_newest", FullPolicy::kDropNewest},
                             {"drop_oldest", FullPolicy::kDropOldest}},
                            store);
}

struct SignalOption {
  const char* name;
  const char* value;
  const char* help;
  std::array<const char*, kSignalCount> variables;
  Setting::Variable kind;
  std::function<Apply(std::size_t signal)> apply;
};

const std::vector<SignalOption>& options() {
  using Variable = Setting::Variable;
  static const std::vector<SignalOption> all = {
      {"interval",
       "DURATION",
       "in place of --interval",
       {"OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"},
       Variable::kSpecifiedNumber,
       [](std::size_t i) { return interval(of_signal(&SignalLimits::interval, i)); }},
      {"export-timeout",
       "DURATION",
       "for one attempt to export a batch, 0: no limit; --timeout holds besides",
       {"OTEL_BLRP_EXPORT_TIMEOUT", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_METRIC_EXPORT_TIMEOUT"},
       Variable::kSpecifiedNumber,
       [](std::size_t i) { return timeout(of_signal(&SignalLimits::export_timeout, i)); }},
      {"batch-records",
       "N",
       "in place of --batch-records",
       {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "SHMRING_METRICS_BATCH_RECORDS"},
       Variable::kSpecifiedNumber,
       [](std::size_t i) { return batch_records(of_signal(&SignalLimits::batch_records, i)); }},
      {"max-in-flight",
       "N",
       "in place of --max-in-flight",
       {"OTEL_BLRP_MAX_CONCURRENT_EXPORTS", "OTEL_BSP_MAX_CONCURRENT_EXPORTS",
        "SHMRING_METRICS_MAX_IN_FLIGHT"},
       Variable::kSpecifiedNumber,
       [](std::size_t i) { return max_in_flight(of_signal(&SignalLimits::max_in_flight, i)); }},
      {"on-full",
       "POLICY",
       "in place of --on-full; a ring has one policy, so no two signals can differ",
       {"OTEL_BLRP_ON_QUEUE_FULL", "OTEL_BSP_ON_QUEUE_FULL", "SHMRING_METRICS_ON_FULL"},
       Variable::kSpecifiedWord,
       [](std::size_t i) { return on_full(of_signal(&SignalLimits::on_full, i)); }},
  };
  return all;
}

void add_general(std::vector<Setting>& all, const char* name, const char* value, const char* help,
                 Apply apply) {
  all.push_back({name, "SHMRING_" + variable_name(name), value, help, std::move(apply)});
}

}  // namespace

void add_signal_settings(std::vector<Setting>& all) {
  add_general(
      all, "interval", "DURATION", "a record waits at most this long before its first export [200ms]",
      for_all(interval([](Config& c) -> microseconds& { return c.interval; }), &SignalLimits::interval));
  add_general(all, "batch-records", "N", "records in a request at most [2048]",
              for_all(batch_records([](Config& c) -> std::uint64_t& { return c.batch.records; }),
                      &SignalLimits::batch_records));
  add_general(all, "max-in-flight", "N", "batches of a signal under way at the same time [4]",
              for_all(max_in_flight([](Config& c) -> std::uint64_t& { return c.max_in_flight; }),
                      &SignalLimits::max_in_flight));
  add_general(all, "on-full", "POLICY",
              "of a ring that the flusher makes: drop-newest, block or drop-oldest [drop-newest]",
              for_all(on_full([](Config& c) -> FullPolicy& { return c.on_full; }), &SignalLimits::on_full));
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const std::string signal(to_string(static_cast<Signal>(i)));
    for (const SignalOption& option : options()) {
      all.push_back({fmt::format("{}-{}", signal, option.name), option.variables[i], option.value,
                     fmt::format("{}: {}", signal, option.help), option.apply(i), Setting::Takes::kValue,
                     Setting::Reach::kOneSignal, option.kind});
    }
  }
}

}  // namespace shmring::flusher
