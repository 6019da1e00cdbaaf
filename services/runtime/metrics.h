// The numbers of this process, for Prometheus. Every name begins with `tandem_`; no label ever
// holds an id, a host or free text, for each value of a label costs memory for good.
//
// Thread-safe. Keep the Counter& and the like: looking one up takes a lock.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::runtime {

class Metrics {
 public:
  // Brings `tandem_build_info` along.
  Metrics();

  // A family of `tandem_{name}`; asking again with the same name and kind gives the same one.
  // REQUIRES: `name` is [a-z0-9_]+, is not registered as another kind, ends in _total if a counter
  // and else does not.
  prometheus::Family<prometheus::Counter>& Counters(std::string_view name, std::string_view help);
  prometheus::Family<prometheus::Gauge>& Gauges(std::string_view name, std::string_view help);
  prometheus::Family<prometheus::Histogram>& Histograms(std::string_view name,
                                                        std::string_view help);

  // A gauge that is asked whenever somebody looks. `read` must be quick, thread-safe, and outlive
  // this.
  void GaugeFrom(std::string_view name, std::string_view help, std::function<double()> read);

  // Whole families, with names of their own, that are made whenever somebody looks. As above.
  void FamiliesFrom(std::function<std::vector<prometheus::MetricFamily>()> collect);

  // All of it in Prometheus' text format 0.0.4, in the order of names and labels.
  std::string Text() const;

 private:
  struct Asked {
    std::string name;
    std::string help;
    std::function<double()> read;
  };

  prometheus::Registry registry_;
  mutable std::mutex mutex_;  // guards all below
  std::vector<Asked> asked_;
  std::vector<std::function<std::vector<prometheus::MetricFamily>()>> collectors_;
};

// 0.1 ms to 10 s, three a decade: what a call or a commit may take.
prometheus::Histogram::BucketBoundaries LatencyBuckets();

}  // namespace tandem::runtime
