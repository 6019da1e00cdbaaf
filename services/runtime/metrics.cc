#include "services/runtime/metrics.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

#include "router/base/check.h"
#include "services/runtime/version.h"

namespace tandem::runtime {
namespace {

std::string FullName(std::string_view name) {
  TANDEM_CHECK(!name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                                    std::string_view::npos,
               name);
  return fmt::format("tandem_{}", name);
}

bool IsTotal(std::string_view name) {
  constexpr std::string_view kSuffix = "_total";
  return name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix;
}

bool LabelsLess(const prometheus::ClientMetric& a, const prometheus::ClientMetric& b) {
  return std::lexicographical_compare(a.label.begin(), a.label.end(), b.label.begin(),
                                      b.label.end(), [](const auto& x, const auto& y) {
                                        return std::tie(x.name, x.value) <
                                               std::tie(y.name, y.value);
                                      });
}

}  // namespace

// A family that is asked for again is the same one; one name for two kinds is a mistake of ours, on
// which the library throws.
Metrics::Metrics() : registry_(prometheus::Registry::InsertBehavior::Merge) {
  Gauges("build_info", "1; the labels say which Tandem this is")
      .Add({{"version", std::string(Version())}, {"compiler", std::string(Compiler())}})
      .Set(1);
}

prometheus::Family<prometheus::Counter>& Metrics::Counters(std::string_view name,
                                                           std::string_view help) {
  TANDEM_CHECK(IsTotal(name), name);
  return prometheus::BuildCounter()
      .Name(FullName(name))
      .Help(std::string(help))
      .Register(registry_);
}

prometheus::Family<prometheus::Gauge>& Metrics::Gauges(std::string_view name,
                                                       std::string_view help) {
  TANDEM_CHECK(!IsTotal(name), name);
  return prometheus::BuildGauge().Name(FullName(name)).Help(std::string(help)).Register(registry_);
}

prometheus::Family<prometheus::Histogram>& Metrics::Histograms(std::string_view name,
                                                               std::string_view help) {
  TANDEM_CHECK(!IsTotal(name), name);
  return prometheus::BuildHistogram()
      .Name(FullName(name))
      .Help(std::string(help))
      .Register(registry_);
}

void Metrics::GaugeFrom(std::string_view name, std::string_view help,
                        std::function<double()> read) {
  TANDEM_CHECK(!IsTotal(name), name);
  const std::lock_guard lock(mutex_);
  asked_.push_back({FullName(name), std::string(help), std::move(read)});
}

void Metrics::FamiliesFrom(std::function<std::vector<prometheus::MetricFamily>()> collect) {
  const std::lock_guard lock(mutex_);
  collectors_.push_back(std::move(collect));
}

std::string Metrics::Text() const {
  std::vector<Asked> asked;
  decltype(collectors_) collectors;
  {
    const std::lock_guard lock(mutex_);
    asked = asked_;
    collectors = collectors_;
  }
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  for (const Asked& gauge : asked) {
    prometheus::ClientMetric metric;
    metric.gauge.value = gauge.read();
    families.push_back({gauge.name, gauge.help, prometheus::MetricType::Gauge, {metric}});
  }
  for (const auto& collect : collectors) {
    for (prometheus::MetricFamily& family : collect()) families.push_back(std::move(family));
  }
  // The library keeps its metrics in hash maps, whose order nobody should see.
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& family : families) {
    std::sort(family.metric.begin(), family.metric.end(), LabelsLess);
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

prometheus::Histogram::BucketBoundaries LatencyBuckets() {
  return {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
          0.05,   0.1,    0.2,    0.5,   1.0,   2.0,   5.0,  10.0};
}

}  // namespace tandem::runtime
