// A storm of alerts as real monitoring would raise it: something goes wrong at a site, a service or
// a device, and several rules of the technology that runs there fire together.
//
// Deterministic: equal arguments and equal calls give equal alerts, on every machine. Time is an
// argument. Not thread-safe.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/v1/alert_ingest.pb.h"
#include "tools/agent/random.h"
#include "tools/agent/storm_corpus.h"

namespace tandem::client {

struct StormOptions {
  std::uint64_t seed = 1;
  // Of all reports, how many say that an alert has resolved, and how many repeat one that fires.
  double resolve_share = 0.2;
  double repeat_share = 0.1;
  // Alerts that fire at the same time. At the limit every new one resolves an old one first.
  std::size_t firing_max = 100'000;
};

class Storm {
 public:
  // REQUIRES: neither `rules` nor `entities` is empty.
  Storm(std::vector<AlertRule> rules, std::vector<StormEntity> entities, StormOptions options);

  // The next report: a new alert (it starts at `now`), a repeat, or an end (it ends at `now`). Each
  // new alert has a label set that no firing alert has. Labels `site`, `service`, `device` and
  // `application` carry ids of the entities, so that the router finds their context.
  v1::Alert Next(absl::Time now);

  std::size_t firing() const { return firing_.size(); }

 private:
  // Trouble at one entity: some reports of one technology.
  struct Trouble {
    std::size_t entity = 0;
    std::size_t technology = 0;
    std::uint64_t reports_left = 0;
  };

  v1::Alert NewAlert(absl::Time now);
  v1::Alert End(absl::Time now);
  void Begin();
  std::map<std::string, std::string> Labels(const AlertRule& rule, const StormEntity& entity,
                                            std::uint64_t host);
  std::string LabelValue(std::string_view name, const std::string& technology,
                         const std::map<std::string, std::string>& labels, std::uint64_t host);
  v1::Alert Fill(const AlertRule& rule, const std::map<std::string, std::string>& labels,
                 absl::Time now);

  const std::vector<StormEntity> entities_;
  const StormOptions options_;
  std::vector<std::vector<AlertRule>> technologies_;  // rules by technology, in the order of names
  Dice dice_;
  Trouble trouble_;
  std::vector<v1::Alert> firing_;
  absl::flat_hash_set<std::string> firing_keys_;  // order never seen
};

}  // namespace tandem::client
