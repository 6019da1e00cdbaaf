// The notifier's numbers as metrics.
//
// Called on the notifier's thread.
#pragma once

#include <string>

#include "services/notifier/observer.h"
#include "services/runtime/metrics.h"

namespace tandem::tandemd {

// tandem_delivery_attempts_total{channel,result}, tandem_delivery_seconds{channel},
// tandem_deliveries_total{channel,result}, tandem_delivery_breakers_open,
// tandem_deliveries_held, tandem_deliveries_in_flight, tandem_deliveries_behind_breakers,
// tandem_delivery_watch.
class NotifierMetrics final : public notifier::NotifierObserver {
 public:
  // `metrics` outlives this.
  explicit NotifierMetrics(runtime::Metrics& metrics);

  void OnAttemptEnded(std::string_view channel, notifier::AttemptEnd end,
                      absl::Duration latency) override;
  void OnDeliveryEnded(std::string_view channel, notifier::DeliveryFate fate) override;
  void OnBreakerChanged(notifier::BreakerState from, notifier::BreakerState to) override;
  void OnLoad(const notifier::NotifierLoad& load) override;
  void OnWatch(bool connected) override;

 private:
  prometheus::Family<prometheus::Counter>& attempts_;
  prometheus::Family<prometheus::Counter>& deliveries_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  prometheus::Gauge& breakers_open_;
  prometheus::Gauge& held_;
  prometheus::Gauge& in_flight_;
  prometheus::Gauge& behind_breakers_;
  prometheus::Gauge& watch_;
};

}  // namespace tandem::tandemd
