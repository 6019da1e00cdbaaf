#include "router/api/delivery_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <set>
#include <thread>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/engine/engine_rig.h"

namespace tandem::api {
namespace {

using engine::testing::Alerts;
using engine::testing::Ask;
using engine::testing::EachAlone;
using engine::testing::kHarbor;
using engine::testing::kPatience;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Knows what is open, as a notifier does.
class Worker final : public DeliverySink {
 public:
  explicit Worker(std::size_t room = 1'000'000) : room_(room) {}

  bool Wants(const TenantId& tenant) const override { return tenant == kHarbor; }
  bool Send(v1::DeliveryEvent event) override {
    const std::lock_guard lock(mutex_);
    ++waiting_;
    most_waiting_ = std::max(most_waiting_, waiting_);
    if (event.has_open()) open_.insert(event.open().delivery_id());
    if (event.has_ended()) open_.erase(event.ended().delivery_id());
    complete_ = complete_ || event.has_snapshot_end();
    changed_.notify_all();
    return true;
  }
  bool HasRoom() const override {
    const std::lock_guard lock(mutex_);
    return waiting_ < room_;
  }
  void CutOff(absl::Status status) override {
    const std::lock_guard lock(mutex_);
    cut_off_ = std::move(status);
    changed_.notify_all();
  }

  void AwaitComplete() {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(changed_.wait_for(lock, kPatience, [this] { return complete_; }),
                 "it was not told everything");
  }
  absl::Status AwaitCutOff() {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(changed_.wait_for(lock, kPatience, [this] { return !cut_off_.ok(); }),
                 "it was not cut off");
    return cut_off_;
  }
  // Reads what waits, again and again, until it was told everything.
  void ReadAll(DeliveryHub& hub) {
    std::unique_lock lock(mutex_);
    while (!complete_) {
      TANDEM_CHECK(changed_.wait_for(lock, kPatience, [this] { return waiting_ > 0 || complete_; }),
                   "nothing came");
      waiting_ = 0;
      lock.unlock();
      hub.Poke();
      lock.lock();
    }
  }
  std::size_t most_waiting() const {
    const std::lock_guard lock(mutex_);
    return most_waiting_;
  }
  std::set<std::string> open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  const std::size_t room_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::set<std::string> open_;
  bool complete_ = false;
  std::size_t waiting_ = 0;
  std::size_t most_waiting_ = 0;
  absl::Status cut_off_;
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
    hub_.Add(worker);
    return worker;
  }

  engine::testing::Rig rig_;
  DeliveryHub hub_{&rig_.journal};
};

TEST_F(DeliveryHubTest, SendsWhatIsOpenNoFasterThanItIsTaken) {
  for (std::uint64_t number = 1; number <= 12; ++number) Page(number);
  const auto slow = std::make_shared<Worker>(3);
  hub_.Add(slow);
  slow->ReadAll(hub_);

  EXPECT_EQ(slow->open().size(), rig_.Recovered(kHarbor)->deliveries.size());
  EXPECT_LE(slow->most_waiting(), 4U) << "three, and that it has everything";
}

TEST_F(DeliveryHubTest, CutsOffOneThatJoinsAndTakesNothingAndServesTheNext) {
  DeliveryHub hub(&rig_.journal, {.patience = absl::Milliseconds(20)});
  Page(1);
  const auto stuck = std::make_shared<Worker>(0);
  hub.Add(stuck);
  EXPECT_EQ(ReasonOf(stuck->AwaitCutOff()), "READER_TOO_SLOW");

  const auto next = std::make_shared<Worker>();
  hub.Add(next);
  next->AwaitComplete();
  EXPECT_EQ(next->open().size(), 1U);
}

TEST_F(DeliveryHubTest, TellsWhatIsOpenAndThenWhatChanges) {
  Page(1);
  const auto worker = Join();
  worker->AwaitComplete();
  EXPECT_THAT(worker->open(), ElementsAre("dlv-harbor-mfg-1-1"));
  Page(2);
  EXPECT_THAT(worker->open(), ElementsAre("dlv-harbor-mfg-1-1", "dlv-harbor-mfg-2-2"));
  Acknowledge(1);
  EXPECT_THAT(worker->open(), ElementsAre("dlv-harbor-mfg-2-2"));
}

TEST_F(DeliveryHubTest, OneThatLeavesIsToldNothing) {
  const auto worker = Join();
  worker->AwaitComplete();
  hub_.Remove(worker.get());
  Page(1);
  EXPECT_THAT(worker->open(), IsEmpty());
}

TEST_F(DeliveryHubTest, WhoeverJoinsWhileDeliveriesComeAndGoKnowsThemAll) {
  std::vector<std::shared_ptr<Worker>> workers;
  std::atomic<bool> done = false;
  std::thread joining([&] {
    while (!done && workers.size() < 500) {
      workers.push_back(Join());
      workers.back()->AwaitComplete();
    }
  });
  for (std::uint64_t number = 1; number <= 60; ++number) {
    Page(number);
    if (number % 3 != 0) Acknowledge(number);
  }
  done = true;
  joining.join();
  workers.push_back(Join());
  workers.back()->AwaitComplete();

  EXPECT_EQ(workers.back()->open().size(), rig_.Recovered(kHarbor)->deliveries.size());
  EXPECT_GE(workers.back()->open().size(), 20U);
  for (const auto& worker : workers) EXPECT_EQ(worker->open(), workers.back()->open());
}

}  // namespace
}  // namespace tandem::api
