// The dispatcher against a router that remembers what is open and a world where endpoints are dead
// or alive, in virtual time: who gets through when one tenant has far more than is held, and in
// which order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "services/notifier/dispatcher.h"

namespace tandem::notifier {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1767268800);

class World final : public DeliverySource,
                    public DeliverySink,
                    public DeliveryChannel,
                    public Alarm {
 public:
  explicit World(const DispatcherOptions& options)
      : dispatcher_(Dispatcher::Ports{.clock = clock_,
                                      .source = *this,
                                      .sink = *this,
                                      .alarm = *this,
                                      .observer = observer_,
                                      .channels = {{"webhook", this}},
                                      .log = nullptr},
                    options) {}

  // The router plans a delivery.
  void Add(const std::string& tenant, const std::string& address, const std::string& incident = "",
           const std::string& event = "") {
    v1::Delivery delivery;
    delivery.set_tenant(tenant);
    delivery.set_delivery_id("dlv-" + tenant + "-" + std::to_string(++number_));
    delivery.set_channel("webhook");
    delivery.set_address(address);
    delivery.set_contact("anna");
    delivery.set_event_type(event);
    delivery.mutable_incident()->set_name(incident.empty() ? "incidents/" + std::to_string(number_)
                                                           : incident);
    open_[{tenant, number_}] = delivery;
    numbers_[delivery.delivery_id()] = number_;
    Offer(delivery);
  }
  // Until nothing is left to do before `end`.
  void RunUntil(absl::Time end) {
    for (;;) {
      if (!work_.empty()) {
        auto next = std::move(work_.front());
        work_.pop_front();
        next();
      } else if (wake_at_ <= end) {
        clock_.Set(std::max(clock_.Now(), wake_at_));
        dispatcher_.Wake();
      } else {
        return clock_.Set(end);
      }
      most_held = std::max(most_held, dispatcher_.held());
    }
  }
  std::size_t open() const { return open_.size(); }
  absl::Time now() const { return clock_.Now(); }

  void WatchAgain() override {
    ++asked_again;
    work_.emplace_back([this] { Snapshot(); });
  }
  void Report(const v1::ReportDeliveryRequest& report, DeliverySink::Done done) override {
    work_.emplace_back([this, report, done = std::move(done)]() mutable {
      const auto found = open_.find({report.tenant(), numbers_.at(report.delivery_id())});
      const bool open = found != open_.end();
      if (open && (report.outcome() == v1::ReportDeliveryRequest::SUCCEEDED ||
                   report.outcome() == v1::ReportDeliveryRequest::GIVEN_UP)) {
        open_.erase(found);
      } else if (open) {
        found->second.set_attempts(report.attempt());
      }
      done(open);
    });
  }
  std::optional<std::string> WhyImpossible(const Message&) const override { return std::nullopt; }
  std::optional<std::string> WhyNotYet(const Message&) const override { return std::nullopt; }
  void Send(const Message& message, DeliveryChannel::Done done) override {
    const v1::Delivery& delivery = message.delivery;
    const bool works = !dead.contains(delivery.address());
    if (works) {
      ++received[delivery.delivery_id()];
      story.push_back(delivery.event_type());
    }
    work_.emplace_back([works, done = std::move(done)]() mutable {
      done({.end = works ? AttemptEnd::kDelivered : AttemptEnd::kFailed});
    });
  }
  void WakeAt(absl::Time time) override { wake_at_ = time; }

  // Sends all that is open, as to a worker that has come back.
  void Snapshot() {
    dispatcher_.OnWatchStarted();
    for (const auto& [key, delivery] : std::map(open_)) Offer(delivery);
    v1::DeliveryEvent end;
    end.mutable_snapshot_end();
    dispatcher_.OnEvent(end);
  }

  std::set<std::string> dead;
  std::map<std::string, int> received;  // by idempotency key
  std::vector<std::string> story;       // event types, as they arrived
  std::size_t most_held = 0;
  int asked_again = 0;

 private:
  void Offer(const v1::Delivery& delivery) {
    v1::DeliveryEvent event;
    *event.mutable_open() = delivery;
    dispatcher_.OnEvent(event);
  }

  ManualClock clock_{kNoon};
  NotifierObserver observer_;
  absl::Time wake_at_ = absl::InfiniteFuture();
  std::deque<absl::AnyInvocable<void()>> work_;
  std::map<std::pair<std::string, int>, v1::Delivery> open_;
  std::map<std::string, int> numbers_;
  int number_ = 0;
  Dispatcher dispatcher_;
};

TEST(DispatcherSharing, TenThousandStuckDeliveriesOfOneTenantDelayNoOther) {
  World world({});
  world.dead = {"https://dead/"};
  world.Snapshot();
  for (int i = 0; i < 10'001; ++i) world.Add("aa", "https://dead/");
  world.RunUntil(kNoon + absl::Seconds(90));
  EXPECT_TRUE(world.received.empty());
  EXPECT_EQ(world.open(), 10'001u);

  world.Add("bb", "https://alive/");
  world.RunUntil(world.now());
  EXPECT_EQ(world.received, (std::map<std::string, int>{{"dlv-bb-10002", 1}}));
  world.Add("aa", "https://alive/");
  world.RunUntil(world.now());
  EXPECT_EQ(world.received.count("dlv-aa-10003"), 1u) << "another endpoint of the same tenant";
  EXPECT_LE(world.most_held, 1002u);
  EXPECT_EQ(world.asked_again, 0) << "there was no room to ask for";
}

TEST(DispatcherSharing, WhatWasNotHeldIsDeliveredOnceTheEndpointIsBackAndEachExactlyOnce) {
  World world({});
  world.dead = {"https://dead/"};
  world.Snapshot();
  for (int i = 0; i < 10'001; ++i) world.Add("aa", "https://dead/");
  world.RunUntil(kNoon + absl::Seconds(90));

  world.dead.clear();
  world.RunUntil(kNoon + absl::Minutes(5));
  EXPECT_EQ(world.open(), 0u);
  EXPECT_EQ(world.received.size(), 10'001u);
  for (const auto& [id, times] : world.received) EXPECT_EQ(times, 1) << id;
  EXPECT_LE(world.most_held, 1000u);
  EXPECT_LE(world.asked_again, 25) << "once for many";
}

TEST(DispatcherSharing, ManyTenantsWithDeadEndpointsAreBoundedAndLeaveRoomForOneMore) {
  World world({.hold = {.total_max = 100, .per_tenant_max = 40, .per_endpoint_max = 20}});
  world.Snapshot();
  for (int tenant = 0; tenant < 5; ++tenant) {
    for (int endpoint = 0; endpoint < 3; ++endpoint) {
      const std::string address = "https://dead-" + std::to_string(endpoint) + "/";
      world.dead.insert(address);
      for (int i = 0; i < 30; ++i) world.Add("t" + std::to_string(tenant), address);
    }
  }
  world.RunUntil(kNoon + absl::Seconds(30));
  world.Add("zz", "https://alive/");
  world.RunUntil(world.now());
  EXPECT_EQ(world.received.size(), 1u);
  EXPECT_LE(world.most_held, 100u);

  world.dead.clear();
  world.RunUntil(kNoon + absl::Minutes(10));
  EXPECT_EQ(world.open(), 0u);
  EXPECT_EQ(world.received.size(), 451u);
  for (const auto& [id, times] : world.received) EXPECT_EQ(times, 1) << id;
  EXPECT_LE(world.most_held, 100u);
}

TEST(DispatcherOrder, HoldsForEachContactThroughOutagesAndFullEndpoints) {
  World world({.hold = {.total_max = 30, .per_tenant_max = 20, .per_endpoint_max = 10}});
  world.Snapshot();
  std::vector<std::string> planned;
  for (int i = 0; i < 100; ++i) {
    if (i % 20 == 0) world.dead = {"https://a/"};
    if (i % 20 == 15) world.dead.clear();
    planned.push_back(std::to_string(i));
    world.Add("aa", "https://a/", "incidents/7", planned.back());
    if (i % 3 == 0) world.Add("aa", "https://b/");
    if (i % 7 == 0) world.Snapshot();
    world.RunUntil(world.now() + absl::Seconds(1));
  }
  world.RunUntil(world.now() + absl::Hours(1));
  EXPECT_EQ(world.open(), 0u);
  std::erase(world.story, "");
  EXPECT_EQ(world.story, planned);
}

}  // namespace
}  // namespace tandem::notifier
