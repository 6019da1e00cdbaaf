#include "router/codec/projection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/core/testing.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::codec {
namespace {

using core::testing::kAnn;
using core::testing::kNoon;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The kinds and texts of an event: "ALERTS_JOINED 2 alerts began to fire".
std::vector<std::string> Lines(const journal::EventRow& row) {
  journal::v1::Event event;
  EXPECT_TRUE(event.ParseFromString(row.body));
  std::vector<std::string> lines;
  for (const v1::TimelineEntry& entry : event.entries()) {
    lines.push_back(entry.kind() + " " + entry.text());
  }
  return lines;
}

journal::v1::Event EventOf(const journal::EventRow& row) {
  journal::v1::Event event;
  EXPECT_TRUE(event.ParseFromString(row.body));
  return event;
}

v1::Incident IncidentIn(const journal::IncidentRow& row) {
  v1::Incident incident;
  EXPECT_TRUE(incident.ParseFromString(row.body));
  return incident;
}

v1::Delivery DeliveryIn(const journal::DeliveryRow& row) {
  v1::Delivery delivery;
  EXPECT_TRUE(delivery.ParseFromString(row.body));
  return delivery;
}

struct ProjectionTest : ::testing::Test {
  // The rows of what was decided last.
  journal::Commit Rows(const core::Facts& facts) {
    journal::Commit commit;
    Projection projection(commit);
    projection.AddRecord(world.state, facts);
    projection.Finish();
    return commit;
  }
  journal::Commit Do(const core::Input& input) { return Rows(world.Do(input).facts); }

  core::testing::World world;
};

TEST_F(ProjectionTest, ShowsAnIncidentThatOpens) {
  const journal::Commit commit =
      Rows(world.Push({{.labels = {{"alertname", "Down"}, {"host", "a"}, {"severity", "critical"}},
                        .annotations = {{"summary", "It is down"}}},
                       {.labels = {{"alertname", "Down"}, {"host", "b"}}}}));
  ASSERT_THAT(commit.incidents, SizeIs(1));
  const journal::IncidentRow& row = commit.incidents[0];
  EXPECT_EQ(row.tenant, world.state.tenant);
  EXPECT_EQ(row.number, IncidentNumber(1));
  EXPECT_EQ(row.state, IncidentState::kOpen);
  EXPECT_EQ(row.severity, Severity::kCritical);
  EXPECT_EQ(row.owner_side, Side::kProvider);
  EXPECT_EQ(row.owner_team, "noc");
  EXPECT_EQ(row.rule, "rest");
  EXPECT_EQ(row.updated, kNoon);
  const v1::Incident incident = IncidentIn(row);
  EXPECT_EQ(incident.name(), "tenants/t/incidents/1");
  EXPECT_EQ(incident.state(), v1::OPEN);
  EXPECT_EQ(incident.severity(), v1::CRITICAL);
  EXPECT_EQ(incident.handling(), v1::AUTONOMOUS);
  EXPECT_EQ(incident.title(), "It is down");
  EXPECT_EQ(incident.playbook_digest(), world.state.playbook->digest());
  ASSERT_EQ(incident.group_labels_size(), 1);
  EXPECT_EQ(incident.group_labels(0).value(), "Down");
  EXPECT_EQ(incident.firing_alerts(), 2U);
  EXPECT_EQ(incident.total_alerts(), 2U);
  EXPECT_EQ(incident.open_time().seconds(), absl::ToUnixSeconds(kNoon));
  EXPECT_EQ(incident.next_step_time().seconds(), absl::ToUnixSeconds(kNoon) + 10);
  EXPECT_FALSE(incident.has_acknowledge_time());
  EXPECT_FALSE(incident.has_resolve_time());
  EXPECT_EQ(incident.etag(), "1");

  ASSERT_THAT(commit.events, SizeIs(1));
  EXPECT_EQ(commit.events[0].sequence, Sequence(1));
  EXPECT_THAT(Lines(commit.events[0]), ElementsAre("OPENED Opened for noc by rule rest: autonomous",
                                                   "ALERTS_JOINED 2 alerts began to fire"));
  const journal::v1::Event event = EventOf(commit.events[0]);
  EXPECT_EQ(event.incident().SerializeAsString(), row.body);
  EXPECT_EQ(event.time(), absl::ToUnixMicros(kNoon));
  ASSERT_EQ(event.alerts_size(), 2);
  EXPECT_EQ(event.alerts(0).record(), 0U);  // of the event itself
  EXPECT_EQ(event.alerts(1).index(), 1U);
  EXPECT_EQ(event.alerts(1).state(), v1::FIRING);
  for (const v1::TimelineEntry& entry : event.entries()) {
    EXPECT_EQ(entry.sequence(), 1U);
    EXPECT_EQ(entry.actor().principal(), "tandem");
    EXPECT_EQ(entry.actor().side(), v1::SIDE_UNSPECIFIED);
  }
  EXPECT_THAT(commit.deliveries, IsEmpty());
}

TEST_F(ProjectionTest, ShowsWhoHasTakenOverWhileHeHas) {
  world.Fire("Down");
  world.now += absl::Microseconds(123'456);
  const journal::Commit commit =
      Do(core::Acknowledgement{kAnn, IncidentNumber(1), "mine", "", absl::Minutes(5)});
  ASSERT_THAT(commit.incidents, SizeIs(1));
  const v1::Incident incident = IncidentIn(commit.incidents[0]);
  EXPECT_EQ(incident.state(), v1::ACKNOWLEDGED);
  EXPECT_EQ(incident.acknowledged_by().principal(), kAnn.principal);
  EXPECT_EQ(incident.acknowledged_by().side(), v1::PROVIDER);
  EXPECT_EQ(incident.acknowledge_time().seconds(), absl::ToUnixSeconds(kNoon));
  EXPECT_EQ(incident.acknowledge_expire_time().seconds(), absl::ToUnixSeconds(kNoon) + 300);
  EXPECT_EQ(incident.acknowledge_limit().seconds(), 3600) << "the rule's ack_expires";
  EXPECT_FALSE(incident.has_next_step_time()) << "nobody is told while somebody works on it";
  const v1::TimelineEntry entry = EventOf(commit.events[0]).entries(0);
  EXPECT_EQ(entry.kind(), "ACKNOWLEDGED");
  EXPECT_EQ(entry.comment(), "mine");
  EXPECT_THAT(entry.text(), HasSubstr("until 2026-06-01T12:05:00Z unless")) << "whole seconds";
  EXPECT_EQ(entry.actor().principal(), kAnn.principal);

  const journal::Commit expired = Rows(world.Advance(absl::Minutes(5)));
  const v1::Incident after = IncidentIn(expired.incidents[0]);
  EXPECT_EQ(after.state(), v1::OPEN);
  EXPECT_FALSE(after.has_acknowledged_by());
  EXPECT_FALSE(after.has_acknowledge_expire_time());
  EXPECT_FALSE(after.has_acknowledge_limit());
}

TEST_F(ProjectionTest, ShowsWhoHasResolvedIt) {
  world.Fire("Down");
  const journal::Commit by_ann = Do(core::Resolution{kAnn, IncidentNumber(1), "done", ""});
  const v1::Incident resolved = IncidentIn(by_ann.incidents[0]);
  EXPECT_EQ(resolved.state(), v1::RESOLVED);
  EXPECT_EQ(resolved.resolved_by().principal(), kAnn.principal);
  EXPECT_EQ(resolved.resolve_time().seconds(), absl::ToUnixSeconds(kNoon));
  EXPECT_EQ(resolved.firing_alerts(), 1U);
  EXPECT_THAT(Lines(by_ann.events[0]),
              ElementsAre("RESOLVED Resolved by ann@provider.example (provider)"));

  const journal::Commit back = Do(core::Reopening{kAnn, IncidentNumber(1), "not done", ""});
  const v1::Incident reopened = IncidentIn(back.incidents[0]);
  EXPECT_EQ(reopened.state(), v1::OPEN);
  EXPECT_EQ(reopened.reopen_count(), 1U);
  EXPECT_FALSE(reopened.has_resolve_time());
  EXPECT_FALSE(reopened.has_resolved_by());
}

TEST_F(ProjectionTest, SaysWhereTheNewestReportOfAClearedAlertStands) {
  world.Fire("Down");
  world.now += absl::Minutes(1);
  world.Push({{.labels = {{"alertname", "Down"}, {"host", "a"}},
               .annotations = {{"summary", "worse"}}}});  // record 2, if it changed anything
  const Sequence newest = world.state.last_sequence;
  world.now += absl::Minutes(1);
  const journal::Commit commit = Rows(world.Clear("Down"));
  ASSERT_THAT(commit.events, SizeIs(1));
  const journal::v1::Event event = EventOf(commit.events[0]);
  ASSERT_EQ(event.alerts_size(), 1);
  EXPECT_EQ(event.alerts(0).state(), v1::CLEARED);
  EXPECT_EQ(event.alerts(0).record(), newest.value);
  EXPECT_EQ(event.alerts(0).ends(), absl::ToUnixMicros(world.now));
  EXPECT_THAT(Lines(commit.events[0]), ElementsAre("ALERTS_CLEARED 1 alert resolved"));
}

TEST_F(ProjectionTest, HandsOutADeliveryWhileItIsOpenAndItsEndOnce) {
  world.Fire("Down");
  const journal::Commit planned = Rows(world.Advance(absl::Seconds(10)));
  ASSERT_THAT(planned.deliveries, SizeIs(2));  // ann and ben
  const journal::DeliveryRow& row = planned.deliveries[0];
  EXPECT_TRUE(row.open);
  const v1::Delivery delivery = DeliveryIn(row);
  EXPECT_EQ(delivery.tenant(), "t");
  EXPECT_EQ(delivery.delivery_id(), "dlv-t-1-1");
  EXPECT_EQ(delivery.contact(), "ann");
  EXPECT_EQ(delivery.team(), "noc");
  EXPECT_EQ(delivery.side(), v1::PROVIDER);
  EXPECT_EQ(delivery.channel(), "webhook");
  EXPECT_EQ(delivery.address(), "https://hooks.example/ann");
  EXPECT_EQ(delivery.event_type(), "incident.opened");
  EXPECT_EQ(delivery.step(), 1U);
  EXPECT_EQ(delivery.attempts(), 0U);
  EXPECT_EQ(delivery.incident().name(), "tenants/t/incidents/1");
  const std::string as_planned = delivery.incident().SerializeAsString();

  Do(core::DeliveryReport{.delivery = row.number,
                          .outcome = core::DeliveryReport::Outcome::kAttempting,
                          .attempt = 1,
                          .detail = {}});
  const absl::Time later = world.now + absl::Seconds(30);
  const journal::Commit failed =
      Do(core::DeliveryReport{.delivery = row.number,
                              .outcome = core::DeliveryReport::Outcome::kFailed,
                              .attempt = 1,
                              .detail = "HTTP 503",
                              .not_before = later});
  ASSERT_THAT(failed.deliveries, SizeIs(1));
  const v1::Delivery again = DeliveryIn(failed.deliveries[0]);
  EXPECT_EQ(again.delivery_id(), delivery.delivery_id());
  EXPECT_EQ(again.attempts(), 1U);
  EXPECT_EQ(again.not_before().seconds(), absl::ToUnixSeconds(later));
  EXPECT_EQ(again.incident().SerializeAsString(), as_planned) << "every attempt says the same";

  const journal::Commit held =
      Do(core::DeliveryReport{.delivery = row.number,
                              .outcome = core::DeliveryReport::Outcome::kFailed,
                              .attempt = 2,
                              .detail = "no signing secret"});
  ASSERT_THAT(held.deliveries, SizeIs(1));
  EXPECT_FALSE(DeliveryIn(held.deliveries[0]).has_not_before()) << "whoever has it begins at once";

  const journal::Commit told =
      Do(core::DeliveryReport{.delivery = row.number,
                              .outcome = core::DeliveryReport::Outcome::kSucceeded,
                              .attempt = 2,
                              .detail = {},
                              .latency = absl::Milliseconds(40)});
  ASSERT_THAT(told.deliveries, SizeIs(1));
  EXPECT_FALSE(told.deliveries[0].open);
  EXPECT_EQ(told.deliveries[0].body, delivery.delivery_id());
  EXPECT_THAT(Lines(told.events[0]),
              ElementsAre("DELIVERY_SUCCEEDED ann was told (attempt 2, 40ms)"));
}

TEST_F(ProjectionTest, WritesAnIncidentOnceACommitAndItsEventsOnceARecord) {
  journal::Commit commit;
  Projection projection(commit);
  const auto add = [&](const core::Facts& facts) { projection.AddRecord(world.state, facts); };
  add(world.Push({{.labels = {{"alertname", "One"}}}, {.labels = {{"alertname", "Two"}}}}));
  add(world.Do(core::Note{kAnn, IncidentNumber(2), "seen", ""}).facts);
  add(world.Do(core::Resolution{kAnn, IncidentNumber(2), "", ""}).facts);
  projection.Finish();

  ASSERT_THAT(commit.incidents, SizeIs(2));
  EXPECT_EQ(IncidentIn(commit.incidents[0]).state(), v1::OPEN);
  EXPECT_EQ(IncidentIn(commit.incidents[1]).state(), v1::RESOLVED);
  EXPECT_EQ(IncidentIn(commit.incidents[1]).etag(), "3");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> events;
  for (const journal::EventRow& row : commit.events) {
    events.emplace_back(row.sequence.value, row.incident.value);
  }
  EXPECT_THAT(events,
              ElementsAre(std::pair(1, 1), std::pair(1, 2), std::pair(2, 2), std::pair(3, 2)));
  // The event of a record shows the incident as it was then, not as it is at the commit's end.
  EXPECT_EQ(EventOf(commit.events[2]).incident().state(), v1::OPEN);
  EXPECT_EQ(EventOf(commit.events[3]).incident().state(), v1::RESOLVED);
}

TEST_F(ProjectionTest, TellsNothingOfWhatConcernsNoIncident) {
  const journal::Commit commit =
      Do(core::ContextChange{.version = 1, .actor = kAnn, .comment = "inventory"});
  EXPECT_THAT(commit.incidents, IsEmpty());
  EXPECT_THAT(commit.events, IsEmpty());
  EXPECT_THAT(commit.deliveries, IsEmpty());
}

// The bodies of rows stay what they were when the incident's version is live no more.
TEST_F(ProjectionTest, ShowsTheVersionThatAnIncidentBeganUnder) {
  world.Fire("Down");
  const std::string began = world.state.playbook->digest();
  std::string other(core::testing::kPlaybook);
  other += "# another version\n";
  world.Do(core::PlaybookActivation{kAnn, "why", core::testing::Compile(other), ""});
  const journal::Commit commit = Do(core::Note{kAnn, IncidentNumber(1), "seen", ""});
  EXPECT_NE(world.state.playbook->digest(), began);
  EXPECT_EQ(IncidentIn(commit.incidents[0]).playbook_digest(), began);
}

}  // namespace
}  // namespace tandem::codec
