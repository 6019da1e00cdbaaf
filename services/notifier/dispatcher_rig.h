// The dispatcher with a router, a world and an alarm that a test plays, for tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/notifier/dispatcher.h"

namespace tandem::notifier {

using Outcome = v1::ReportDeliveryRequest;

inline const absl::Time kNoon = absl::FromUnixSeconds(1767268800);

// The router: reports pile up until the test answers them.
class PendingReports final : public DeliverySink, public DeliverySource {
 public:
  void Report(const v1::ReportDeliveryRequest& report, Done done) override {
    pending_.emplace_back(report, std::move(done));
    log.push_back(report);
  }
  void WatchAgain() override { ++asked_again; }

  std::size_t pending() const { return pending_.size(); }
  const v1::ReportDeliveryRequest& front() const { return pending_.front().first; }
  void Answer(absl::StatusOr<bool> open) {
    auto [report, done] = std::move(pending_.front());
    pending_.pop_front();
    done(std::move(open));
  }
  // `dlv-1 ATTEMPTING 1`, one for each report since the last call.
  std::vector<std::string> Story() {
    std::vector<std::string> story;
    for (const auto& report : log) {
      story.push_back(report.delivery_id() + " " + Outcome::Outcome_Name(report.outcome()) + " " +
                      std::to_string(report.attempt()));
    }
    log.clear();
    return story;
  }

  int asked_again = 0;
  std::vector<v1::ReportDeliveryRequest> log;

 private:
  std::deque<std::pair<v1::ReportDeliveryRequest, Done>> pending_;
};

// The world: calls pile up until the test ends them.
class FakeChannel final : public DeliveryChannel {
 public:
  std::optional<std::string> WhyImpossible(const Message&) const override { return impossible; }
  std::optional<std::string> WhyNotYet(const Message&) const override { return missing; }
  void Send(const Message& message, Done done) override {
    sent.push_back(message.delivery.delivery_id());
    pending_.emplace_back(message.delivery.delivery_id(), std::move(done));
  }
  std::size_t pending() const { return pending_.size(); }
  void End(AttemptResult result) {
    auto [id, done] = std::move(pending_.front());
    pending_.pop_front();
    done(std::move(result));
  }

  std::optional<std::string> impossible;
  std::optional<std::string> missing;
  std::vector<std::string> sent;

 private:
  std::deque<std::pair<std::string, Done>> pending_;
};

class FakeAlarm final : public Alarm {
 public:
  void WakeAt(absl::Time time) override { at = time; }
  absl::Time at = absl::InfiniteFuture();
};

class CountingObserver final : public NotifierObserver {
 public:
  void OnDeliveryEnded(std::string_view, DeliveryFate fate) override {
    fates.emplace_back(ToText(fate));
  }
  std::vector<std::string> fates;
};

class DispatcherTest : public ::testing::Test {
 protected:
  static DispatcherOptions Options() {
    DispatcherOptions options;
    options.hold = {.total_max = 4, .per_tenant_max = 4, .per_endpoint_max = 4};
    return options;
  }
  static v1::Delivery Delivery(const std::string& id, const std::string& address = "https://a/") {
    v1::Delivery delivery;
    delivery.set_tenant("acme");
    delivery.set_delivery_id(id);
    delivery.set_channel("webhook");
    delivery.set_address(address);
    delivery.mutable_incident()->set_name("tenants/acme/incidents/" + id);  // each its own
    return delivery;
  }
  void Open(const v1::Delivery& delivery) {
    v1::DeliveryEvent event;
    *event.mutable_open() = delivery;
    dispatcher_.OnEvent(event);
  }
  void End(const std::string& id) {
    v1::DeliveryEvent event;
    event.mutable_ended()->set_tenant("acme");
    event.mutable_ended()->set_delivery_id(id);
    dispatcher_.OnEvent(event);
  }
  void SnapshotEnd() {
    v1::DeliveryEvent event;
    event.mutable_snapshot_end();
    dispatcher_.OnEvent(event);
  }
  // Lets time pass up to the alarm, and rings it.
  void AdvanceToAlarm() {
    ASSERT_NE(alarm_.at, absl::InfiniteFuture());
    clock_.Set(std::max(clock_.Now(), alarm_.at));
    dispatcher_.Wake();
  }
  void AdvanceTimeWithoutAnAlarm() {
    clock_.Advance(absl::Minutes(1));
    dispatcher_.Wake();
  }
  // Brings `id` to the point where its call is under way.
  void OpenAndCall(const std::string& id, const std::string& address = "https://a/") {
    Open(Delivery(id, address));
    router_.Answer(true);
  }

  ManualClock clock_{kNoon};
  PendingReports router_;
  FakeChannel channel_;
  FakeAlarm alarm_;
  CountingObserver observer_;
  std::vector<std::string> warnings_;
  Dispatcher dispatcher_{Dispatcher::Ports{.clock = clock_,
                                           .source = router_,
                                           .sink = router_,
                                           .alarm = alarm_,
                                           .observer = observer_,
                                           .channels = {{"webhook", &channel_}},
                                           .log =
                                               [this](LogLevel level, const std::string& text) {
                                                 if (level == LogLevel::kWarning)
                                                   warnings_.push_back(text);
                                               }},
                         Options()};
};

}  // namespace tandem::notifier
