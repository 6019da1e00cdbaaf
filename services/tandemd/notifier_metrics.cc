#include "services/tandemd/notifier_metrics.h"

namespace tandem::tandemd {

NotifierMetrics::NotifierMetrics(runtime::Metrics& metrics)
    : attempts_(metrics.Counters("delivery_attempts_total", "Attempts to tell a contact")),
      deliveries_(metrics.Counters("deliveries_total", "Messages that reached their end")),
      seconds_(metrics.Histograms("delivery_seconds", "How long an attempt took")),
      breakers_open_(
          metrics.Gauges("delivery_breakers_open", "Endpoints left alone for now").Add({})),
      held_(metrics.Gauges("deliveries_held", "Messages that the notifier holds").Add({})),
      in_flight_(metrics.Gauges("deliveries_in_flight", "Attempts under way").Add({})),
      behind_breakers_(metrics
                           .Gauges("deliveries_behind_breakers",
                                   "Messages that wait for endpoints left alone for now")
                           .Add({})),
      watch_(
          metrics.Gauges("delivery_watch", "1 while open deliveries reach the notifier").Add({})) {}

void NotifierMetrics::OnAttemptEnded(std::string_view channel, notifier::AttemptEnd end,
                                     absl::Duration latency) {
  attempts_.Add({{"channel", std::string(channel)}, {"result", std::string(ToText(end))}})
      .Increment();
  if (end == notifier::AttemptEnd::kNotReady) return;  // no call was made
  seconds_.Add({{"channel", std::string(channel)}}, runtime::LatencyBuckets())
      .Observe(absl::ToDoubleSeconds(latency));
}

void NotifierMetrics::OnDeliveryEnded(std::string_view channel, notifier::DeliveryFate fate) {
  deliveries_.Add({{"channel", std::string(channel)}, {"result", std::string(ToText(fate))}})
      .Increment();
}

void NotifierMetrics::OnBreakerChanged(notifier::BreakerState from, notifier::BreakerState to) {
  if (from == notifier::BreakerState::kClosed) breakers_open_.Increment();
  if (to == notifier::BreakerState::kClosed) breakers_open_.Decrement();
}

void NotifierMetrics::OnLoad(const notifier::NotifierLoad& load) {
  held_.Set(static_cast<double>(load.held));
  in_flight_.Set(static_cast<double>(load.in_flight));
  behind_breakers_.Set(static_cast<double>(load.behind_breakers));
}

void NotifierMetrics::OnWatch(bool connected) { watch_.Set(connected ? 1 : 0); }

}  // namespace tandem::tandemd
