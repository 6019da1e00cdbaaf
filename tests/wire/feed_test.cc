// The feed over a real connection: tenants that come later, and cursors that are too old.
#include <fmt/format.h>

#include "router/api/cursor.h"
#include "tandem/v1/feed.grpc.pb.h"
#include "tests/wire/agent.h"
#include "tests/wire/watch.h"

namespace tandem::wire {
namespace {

constexpr char kSubscribe[] = "/tandem.v1.Feed/Subscribe";

class FeedOnTheWire : public ::testing::Test {
 protected:
  void Fire(const std::string& tenant, const std::string& alert) {
    rig_.Must<v1::PushAlertsResponse>(
        "/tandem.v1.AlertIngest/PushAlerts",
        rig_.NewToken({"agent-" + tenant, v1::AGENT, {tenant}}),
        fmt::format("batch {{ number: 1 alerts {{ labels {{ name: 'alertname' value: '{}' }} }} }}",
                    alert));
  }
  // The name of the incident of the next event, and where to go on behind it.
  static std::string NextOf(Watch<v1::FeedEvent>& feed, std::string* cursor = nullptr) {
    v1::FeedEvent event;
    do {
      if (!feed.Read(&event)) return "the end";
    } while (event.heartbeat());
    if (cursor != nullptr) *cursor = event.cursor();
    return event.incident().name();
  }

  Rig rig_;
  const std::string root_ = rig_.NewToken({"root", v1::ADMIN, {"-"}});
};

TEST_F(FeedOnTheWire, OfAllTenantsSeesOneThatIsMadeLater) {
  Watch<v1::FeedEvent> open(rig_, kSubscribe, root_, "");
  const std::string before = open.first().cursor();
  rig_.Must<v1::Tenant>("/tandem.v1.Admin/CreateTenant", rig_.admin(),
                        "tenant { name: 'tenants/quay' }");
  Fire("quay", "Down");

  EXPECT_EQ(NextOf(open), "tenants/quay/incidents/1");
  // Also one who was away meanwhile, with a cursor that does not know it.
  Watch<v1::FeedEvent> resumed(rig_, kSubscribe, root_, fmt::format("cursor: '{}'", before));
  EXPECT_EQ(NextOf(resumed), "tenants/quay/incidents/1");
}

TEST_F(FeedOnTheWire, SaysWithWhichCursorToGoOnWhenTheRetentionHasRemovedWhatCameNext) {
  Watch<v1::FeedEvent> open(rig_, kSubscribe, root_, "parents: 'tenants/harbor'");
  const std::string old = open.first().cursor();
  Fire("harbor", "A");
  NextOf(open);
  const Sequence gone(rig_.HeadOf("harbor"));
  Fire("harbor", "B");
  Fire("harbor", "C");
  NextOf(open);
  NextOf(open);
  ASSERT_TRUE(rig_.journal().Prune({.tenant = TenantId("harbor"), .through = gone}).ok());
  const auto subscribe = [&](const std::string& cursor) {
    return rig_.Call(kSubscribe, root_,
                     fmt::format("parents: 'tenants/harbor' cursor: '{}'", cursor));
  };

  const Reply refused = subscribe(old);

  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(refused.reason(), "CURSOR_TOO_OLD");
  ExpectWellFormed(refused.status);
  const std::string oldest = FactsOf(refused.error()).at("cursor");
  Watch<v1::FeedEvent> resumed(rig_, kSubscribe, root_,
                               fmt::format("parents: 'tenants/harbor' cursor: '{}'", oldest));
  EXPECT_EQ(NextOf(resumed), "tenants/harbor/incidents/2");
  EXPECT_EQ(NextOf(resumed), "tenants/harbor/incidents/3");
}

TEST_F(FeedOnTheWire, RefusesACursorOfATenantThatIsNotAskedFor) {
  Watch<v1::FeedEvent> both(rig_, kSubscribe, root_, "parents: ['tenants/harbor', 'tenants/mill']");
  const std::string cursor = both.first().cursor();
  const auto subscribe = [&](const std::string& parents) {
    return rig_.Call(kSubscribe, root_, fmt::format("{} cursor: '{}'", parents, cursor));
  };
  for (const char* tenant : {"harbor", "mill"}) {
    const Reply refused = subscribe(fmt::format("parents: 'tenants/{}'", tenant));
    EXPECT_EQ(refused.reason(), "CURSOR_OTHER_TENANT");
    ASSERT_EQ(FieldsOf(refused.error()).size(), 1U);
    EXPECT_EQ(FieldsOf(refused.error())[0].field, "cursor");
    ExpectWellFormed(refused.status);
  }
  EXPECT_TRUE(subscribe("parents: ['tenants/mill', 'tenants/harbor']").status.ok());
  EXPECT_TRUE(subscribe("").status.ok());
}

TEST_F(FeedOnTheWire, GoesOnWithTheTenantsThatAReaderStillHas) {
  Watch<v1::FeedEvent> both(rig_, kSubscribe, root_, "parents: ['tenants/harbor', 'tenants/mill']");
  const std::string cursor = both.first().cursor();
  const std::string viewer = rig_.NewToken({"left-with-one", v1::VIEWER, {"harbor"}});

  EXPECT_TRUE(rig_.Call(kSubscribe, viewer, fmt::format("cursor: '{}'", cursor)).status.ok());
}

}  // namespace
}  // namespace tandem::wire
