#include "router/api/delivery_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "router/engine/engine_rig.h"

namespace tandem::api {
namespace {

using engine::testing::Alerts;
using engine::testing::Ask;
using engine::testing::EachAlone;
using engine::testing::kHarbor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Knows what is open, as a notifier does.
class Worker final : public DeliverySink {
 public:
  bool Wants(const TenantId& tenant) const override { return tenant == kHarbor; }
  bool Send(v1::DeliveryEvent event) override {
    const std::lock_guard lock(mutex_);
    if (event.has_open()) open_.insert(event.open().delivery_id());
    if (event.has_ended()) open_.erase(event.ended().delivery_id());
    complete_ = complete_ || event.has_snapshot_end();
    return true;
  }
  std::set<std::string> open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  bool complete() const {
    const std::lock_guard lock(mutex_);
    return complete_;
  }

 private:
  mutable std::mutex mutex_;  // guards all below
  std::set<std::string> open_;
  bool complete_ = false;
};

class DeliveryHubTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        rig_.StartWithTenants({.shard = {.resolve_timeout = absl::Hours(24)}, .sinks = {&hub_}})
            .ok());
    ASSERT_TRUE(Ask(*rig_.engine, kHarbor, EachAlone(kHarbor)).ok());
  }
  ~DeliveryHubTest() override { rig_.engine.reset(); }

  // An incident whose first step is due: one delivery.
  void Page(std::uint64_t number) {
    ASSERT_TRUE(
        Ask(*rig_.engine, kHarbor, Alerts(number, {"Alert" + std::to_string(number)})).ok());
    rig_.clock.Advance(absl::Minutes(1));
    // The deadline comes before what is asked.
    ASSERT_TRUE(Ask(*rig_.engine, kHarbor, engine::PositionQuery{"agent-1"}).ok());
  }
  void Acknowledge(std::uint64_t incident) {
    ASSERT_TRUE(Ask(*rig_.engine, kHarbor,
                    core::Acknowledgement{.actor = {"ann", Side::kProvider},
                                          .incident = IncidentNumber(incident)})
                    .ok());
  }
  std::shared_ptr<Worker> Join() {
    auto worker = std::make_shared<Worker>();
    EXPECT_TRUE(hub_.Add(worker).ok());
    return worker;
  }

  engine::testing::Rig rig_;
  DeliveryHub hub_{&rig_.journal};
};

TEST_F(DeliveryHubTest, TellsWhatIsOpenAndThenWhatChanges) {
  Page(1);
  const auto worker = Join();
  EXPECT_TRUE(worker->complete());
  EXPECT_THAT(worker->open(), ElementsAre("dlv-harbor-mfg-1-1"));
  Page(2);
  EXPECT_THAT(worker->open(), ElementsAre("dlv-harbor-mfg-1-1", "dlv-harbor-mfg-2-2"));
  Acknowledge(1);
  EXPECT_THAT(worker->open(), ElementsAre("dlv-harbor-mfg-2-2"));
}

TEST_F(DeliveryHubTest, OneThatLeavesIsToldNothing) {
  const auto worker = Join();
  hub_.Remove(worker.get());
  Page(1);
  EXPECT_THAT(worker->open(), IsEmpty());
}

TEST_F(DeliveryHubTest, WhoeverJoinsWhileDeliveriesComeAndGoKnowsThemAll) {
  std::vector<std::shared_ptr<Worker>> workers;
  std::atomic<bool> done = false;
  std::thread joining([&] {
    while (!done && workers.size() < 500) workers.push_back(Join());
  });
  for (std::uint64_t number = 1; number <= 60; ++number) {
    Page(number);
    if (number % 3 != 0) Acknowledge(number);
  }
  done = true;
  joining.join();
  workers.push_back(Join());

  EXPECT_EQ(workers.back()->open().size(), rig_.Recovered(kHarbor)->deliveries.size());
  EXPECT_GE(workers.back()->open().size(), 20U);
  for (const auto& worker : workers) EXPECT_EQ(worker->open(), workers.back()->open());
}

}  // namespace
}  // namespace tandem::api
