#include "router/api/context_watcher.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "router/base/check.h"
#include "router/context/entity_spec.h"
#include "router/engine/engine_rig.h"

namespace tandem::api {
namespace {

using engine::testing::Alerts;
using engine::testing::Ask;
using engine::testing::kHarbor;
using engine::testing::kMill;
using engine::testing::kNoon;
using engine::testing::kPatience;

// A context service whose streams begin with a heartbeat and then stay silent until they are ended.
class SilentContext final : public v1::Context::Service {
 public:
  grpc::Status WatchContext(grpc::ServerContext* context, const v1::WatchContextRequest* request,
                            grpc::ServerWriter<v1::WatchContextResponse>* writer) override {
    v1::WatchContextResponse beat;
    beat.set_tenant(request->parent().substr(std::string("tenants/").size()));
    beat.mutable_heartbeat();
    writer->Write(beat);
    std::unique_lock lock(mutex_);
    const int mine = ++opened_;
    changed_.notify_all();
    // A cancelled call is only to be asked; nobody tells.
    while (ended_ < mine && !context->IsCancelled()) {
      changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
    return {grpc::StatusCode::UNAVAILABLE, "the context service ends in this test"};
  }

  void AwaitOpened(int count) {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(changed_.wait_for(lock, kPatience, [&] { return opened_ >= count; }),
                 "no stream was opened");
  }
  int opened() const {
    const std::lock_guard lock(mutex_);
    return opened_;
  }
  void EndAll() {
    const std::lock_guard lock(mutex_);
    ended_ = opened_;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  int opened_ = 0;
  int ended_ = 0;  // streams up to this one end
};

// The rig has two tenants, so streams come and go in pairs.
class ContextWatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(rig_.StartWithTenants().ok());
    server_ = grpc::ServerBuilder().RegisterService(&context_).BuildAndStart();
    watcher_ = std::make_unique<ContextWatcher>(
        rig_.engine.get(),
        ContextWatcher::Options{.clock = &rig_.clock,
                                .channel = server_->InProcessChannel({}),
                                .token = "tdm_x",
                                .on_lost = [this](const TenantId&, const absl::Status& status) {
                                  const std::lock_guard lock(mutex_);
                                  lost_.push_back(status.code());
                                  changed_.notify_all();
                                }});
    context_.AwaitOpened(2);
  }
  ~ContextWatcherTest() override {
    watcher_.reset();
    rig_.engine.reset();
  }
  void AwaitLost(std::size_t count) {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(changed_.wait_for(lock, kPatience, [&] { return lost_.size() >= count; }),
                 "no stream was lost");
  }
  void AwaitHeard(const TenantId& tenant, absl::Time at) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (watcher_->LastHeard(tenant) != at) {
      TANDEM_CHECK(std::chrono::steady_clock::now() < until, "nothing was heard");
      std::this_thread::yield();
    }
  }

  engine::testing::Rig rig_;
  SilentContext context_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;  // guards lost_
  std::condition_variable changed_;
  std::vector<absl::StatusCode> lost_;
  std::unique_ptr<ContextWatcher> watcher_;
};

TEST_F(ContextWatcherTest, OpensAStreamAnewOnceTheBackoffIsOverByItsClock) {
  AwaitHeard(kHarbor, kNoon);
  AwaitHeard(kMill, kNoon);
  context_.EndAll();
  AwaitLost(2);
  EXPECT_EQ(context_.opened(), 2);  // the clock stands still

  rig_.clock.Advance(absl::Milliseconds(100));
  context_.AwaitOpened(4);

  AwaitHeard(kHarbor, kNoon + absl::Milliseconds(100));
}

TEST_F(ContextWatcherTest, TakesAStreamThatFellSilentForDead) {
  AwaitHeard(kHarbor, kNoon);
  AwaitHeard(kMill, kNoon);

  rig_.clock.Advance(absl::Seconds(16));
  AwaitLost(2);

  EXPECT_THAT(lost_, ::testing::Each(absl::StatusCode::kCancelled));
  rig_.clock.Advance(absl::Milliseconds(100));
  context_.AwaitOpened(4);
}

TEST(SpecOf, TakesOverAllThatACalendarSays) {
  v1::Entity entity;
  entity.set_name("tenants/acme/entities/site/plant-7");
  v1::Calendar& from = (*entity.mutable_calendars())["patches"];
  from.set_location("America/Chicago");
  from.add_intervals()->add_months("november:february");
  from.add_dates("2026-12-31:2027-01-02");
  from.add_exceptions("2026-12-08");
  v1::Recurrence& recurrence = *from.add_recurring();
  recurrence.set_start("2026-01-13 22:00");
  recurrence.set_duration("4h");
  recurrence.set_rule("FREQ=MONTHLY;BYDAY=2TU");
  recurrence.add_exceptions("2026-11-10");

  const playbook::CalendarSpec expected = {.location = "America/Chicago",
                                           .intervals = {{.months = {"november:february"}}},
                                           .dates = {"2026-12-31:2027-01-02"},
                                           .recurring = {{.start = "2026-01-13 22:00",
                                                          .duration = "4h",
                                                          .rule = "FREQ=MONTHLY;BYDAY=2TU",
                                                          .exceptions = {"2026-11-10"}}},
                                           .exceptions = {"2026-12-08"}};
  EXPECT_THAT(context::SpecOf(entity).calendars,
              ::testing::ElementsAre(::testing::Pair("patches", expected)));
}

}  // namespace
}  // namespace tandem::api
