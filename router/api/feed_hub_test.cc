#include "router/api/feed_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "router/api/feed_sinks.h"
#include "router/base/status.h"
#include "router/engine/engine_rig.h"

namespace tandem::api {
namespace {

using api::testing::SlowSink;
using api::testing::TestSink;
using engine::testing::Alerts;
using engine::testing::Ask;
using engine::testing::Await;
using engine::testing::EachAlone;
using engine::testing::kHarbor;
using engine::testing::kMill;
using engine::testing::kPatience;
using engine::testing::Send;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// Names of alerts, each of which opens an incident.
std::vector<std::string> Names(int from, int count) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) names.push_back("Alert" + std::to_string(from + i));
  return names;
}

// Those of the texts that begin so.
std::vector<std::string> Of(const std::string& beginning, const std::vector<std::string>& texts) {
  std::vector<std::string> found;
  std::copy_if(texts.begin(), texts.end(), std::back_inserter(found),
               [&](const std::string& text) { return text.rfind(beginning, 0) == 0; });
  return found;
}

class FeedHubTest : public ::testing::Test {
 protected:
  void Start(FeedHub::Options options = {}) {
    hub_ = *FeedHub::Start(&rig_.journal, &rig_.clock, options);
    ASSERT_TRUE(rig_.StartWithTenants({.sinks = {hub_.get()}}).ok());
    for (const TenantId& tenant : {kHarbor, kMill}) {
      ASSERT_TRUE(Ask(*rig_.engine, tenant, EachAlone(tenant)).ok());
    }
  }
  ~FeedHubTest() override {
    rig_.engine.reset();
    hub_.reset();
  }

  void Fire(const TenantId& tenant, std::uint64_t number, std::vector<std::string> names) {
    ASSERT_TRUE(Ask(*rig_.engine, tenant, Alerts(number, names)).ok());
  }
  std::shared_ptr<TestSink> Watch(Subscription wanted, std::size_t room = 1'000'000) {
    auto sink = std::make_shared<TestSink>(room);
    EXPECT_TRUE(hub_->Add(sink, std::move(wanted)).ok());
    return sink;
  }
  // What was decided before this call has been prepared after it: the hub welcomes the first only
  // behind it, and the second only once it is done with the first.
  void AwaitPrepared() {
    Watch({.tenants = {kMill}})->AwaitBeats(1);
    Watch({.tenants = {kMill}})->AwaitBeats(1);
  }
  // A batch is prepared and then meets a full disk, which has room again at once.
  void LoseBatch(std::uint64_t number, const std::vector<std::string>& names) {
    rig_.journal.Hold();
    rig_.journal.FailAfter(0, engine::testing::DiskFull());
    auto lost = Send(*rig_.engine, kHarbor, Alerts(number, names));
    rig_.journal.AwaitHeld();
    AwaitPrepared();
    rig_.journal.Release();
    ASSERT_FALSE(Await(std::move(lost)).ok());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (rig_.engine->health() != engine::EngineHealth::kServing &&
           std::chrono::steady_clock::now() < deadline) {
      rig_.engine->Wake();
      std::this_thread::yield();
    }
  }
  static Subscription All() { return {.tenants = {kHarbor, kMill}, .from_beginning = true}; }
  static Subscription After(const std::string& cursor) {
    return {.tenants = {kHarbor, kMill}, .from = *ReadCursor(cursor)};
  }

  engine::testing::Rig rig_;
  std::unique_ptr<FeedHub> hub_;
};

TEST_F(FeedHubTest, TellsFromTheBeginningAndThenWhatComes) {
  Start();
  Fire(kHarbor, 1, {"A", "B"});
  const auto sink = Watch(All());
  EXPECT_THAT(sink->Await(2), ElementsAre("harbor-mfg 2.1", "harbor-mfg 2.2"));

  Fire(kMill, 1, {"C"});
  sink->Await(3);  // between tenants there is no order but that in which one looks
  Fire(kHarbor, 2, {"D"});

  EXPECT_THAT(sink->Await(4),
              ElementsAre("harbor-mfg 2.1", "harbor-mfg 2.2", "mill 2.1", "harbor-mfg 3.3"));
}

TEST_F(FeedHubTest, SaysNothingOfWhatIsNotDurable) {
  Start();
  const auto sink = Watch(All());
  Fire(kHarbor, 1, {"A"});
  sink->Await(1);
  rig_.journal.Hold();
  auto answered = Send(*rig_.engine, kHarbor, Alerts(2, {"B"}));
  rig_.journal.AwaitHeld();
  AwaitPrepared();
  EXPECT_EQ(sink->Await(1).size(), 1U);
  rig_.journal.Release();

  EXPECT_TRUE(Await(std::move(answered)).ok());
  EXPECT_THAT(sink->Await(2), ElementsAre("harbor-mfg 2.1", "harbor-mfg 3.2"));
}

TEST_F(FeedHubTest, WhatCouldNotBeWrittenIsNotSeenInThePlaceOfWhatWas) {
  Start();
  const auto sink = Watch(All());
  Fire(kHarbor, 1, {"A"});
  sink->Await(1);
  LoseBatch(2, {"Lost"});
  Fire(kHarbor, 2, {"Kept"});

  EXPECT_THAT(sink->Await(2), ElementsAre("harbor-mfg 2.1", "harbor-mfg 3.2"));
  ASSERT_EQ(sink->event(1).alerts_size(), 1);
  EXPECT_EQ(sink->event(1).alerts(0).labels(0).value(), "Kept");
}

TEST_F(FeedHubTest, WhatCouldNotBeWrittenIsNotSeenInACommitThatIsReadFromTheJournalEither) {
  Start({.live_events_max = 2});
  const auto sink = Watch(All());
  Fire(kHarbor, 1, {"A"});
  sink->Await(1);
  LoseBatch(2, {"Lost"});
  Fire(kHarbor, 2, {"K1", "K2", "K3"});

  sink->Await(4);
  EXPECT_EQ(sink->event(1).alerts(0).labels(0).value(), "K1");
  EXPECT_EQ(sink->event(3).alerts(0).labels(0).value(), "K3");
}

TEST_F(FeedHubTest, TellsOnlyWhatComesToOneWhoAsksForNothingElse) {
  Start();
  Fire(kHarbor, 1, {"A"});
  const auto before = Watch(All());
  before->Await(1);  // so that the hub has seen the commit
  const auto sink = Watch({.tenants = {kHarbor}});
  sink->AwaitBeats(1);

  Fire(kMill, 1, {"Foreign"});
  Fire(kHarbor, 2, {"B"});

  EXPECT_THAT(sink->Await(1), ElementsAre("harbor-mfg 3.2"));
}

TEST_F(FeedHubTest, ResumesFromEveryCursorWithoutGapOrRepeat) {
  Start();
  Fire(kHarbor, 1, {"A", "B", "C"});
  Fire(kMill, 1, {"D", "E"});
  Fire(kHarbor, 2, {"F"});
  const auto whole = Watch(All());
  const std::vector<std::string> all = whole->Await(6);

  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto resumed = Watch(After(whole->event(i).cursor()));
    const std::vector<std::string> rest(all.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                        all.end());
    const std::vector<std::string> told = resumed->Await(rest.size());
    // Each tenant's events come in order; between tenants there is none.
    for (const char* tenant : {"harbor-mfg ", "mill "}) {
      EXPECT_THAT(Of(tenant, told), ElementsAreArray(Of(tenant, rest))) << "after event " << i;
    }
    EXPECT_EQ(told.size(), rest.size()) << "after event " << i;
  }
}

TEST_F(FeedHubTest, ATenantThatIsCreatedLaterBelongsToAllTenantsFromItsFirstRecordOn) {
  Start();
  const TenantId late{"late"};
  const auto open = Watch({.tenants = {kHarbor, kMill}, .all_tenants = true});
  const auto some = Watch({.tenants = {kHarbor, kMill}});
  const std::string before = open->AwaitBeats(1);
  some->AwaitBeats(1);
  ASSERT_TRUE(Ask(*rig_.engine, core::kInstallation, engine::testing::NewTenant(late)).ok());
  ASSERT_TRUE(Ask(*rig_.engine, late, EachAlone(late)).ok());
  Fire(late, 1, {"A"});
  Fire(late, 2, {"B"});
  Fire(kMill, 1, {"C"});

  EXPECT_THAT(open->Await(3), ElementsAre("late 2.1", "late 3.2", "mill 2.1"));
  EXPECT_THAT(some->Await(1), ElementsAre("mill 2.1"));

  // Also for one who was away in between, with a cursor that does not know the tenant, and wherever
  // the stream was left.
  const std::vector<TenantId> tenants = {kHarbor, late, kMill};
  const auto resumed =
      Watch({.tenants = tenants, .all_tenants = true, .from = *ReadCursor(before)});
  EXPECT_THAT(Of("late", resumed->Await(3)), ElementsAre("late 2.1", "late 3.2"));
  const auto rest = Watch(
      {.tenants = tenants, .all_tenants = true, .from = *ReadCursor(open->event(0).cursor())});
  EXPECT_THAT(Of("late", rest->Await(2)), ElementsAre("late 3.2"));
}

TEST_F(FeedHubTest, ATenantThatWasCreatedWhileTheReaderCameIsNotMissed) {
  Start();
  Fire(kMill, 1, {"A"});
  Watch(All())->Await(1);  // so that the hub has seen the commit
  // The service has looked before there was a mill.
  const auto sink = Watch({.tenants = {kHarbor}, .all_tenants = true});

  EXPECT_THAT(sink->Await(1), ElementsAre("mill 2.1"));
}

TEST_F(FeedHubTest, ACursorFromBeforeTheFirstTenantLosesNothing) {
  Start();
  Fire(kHarbor, 1, {"A"});
  const auto sink = Watch(
      {.tenants = {kHarbor, kMill}, .all_tenants = true, .from = *ReadCursor(MakeCursor({}))});

  EXPECT_THAT(sink->Await(1), ElementsAre("harbor-mfg 2.1"));
}

TEST_F(FeedHubTest, RefusesACursorWhoseNextEventsTheRetentionHasRemoved) {
  Start();
  Fire(kHarbor, 1, {"A", "B"});  // record 2
  Fire(kHarbor, 2, {"C"});
  Fire(kMill, 1, {"D"});
  Fire(kHarbor, 3, {"E"});
  const auto whole = Watch(All());
  whole->Await(5);
  ASSERT_TRUE(rig_.journal.Prune({.tenant = kHarbor, .through = Sequence(2)}).ok());
  const auto at_harbor = [](std::uint64_t sequence, std::uint64_t incident) {
    return MakeCursor({{kHarbor, {Sequence(sequence), incident}}, {kMill, {Sequence(1)}}});
  };

  for (const std::string& cursor : {at_harbor(1, FeedPosition::kWhole), at_harbor(2, 1)}) {
    const absl::Status old = Watch(After(cursor))->AwaitCutOff();
    EXPECT_EQ(old.code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(ReasonOf(old), "CURSOR_TOO_OLD");
    // The oldest one is taken, and the other tenant is where it was.
    const std::string oldest = FactsOf(old).at("cursor");
    EXPECT_EQ(oldest, at_harbor(2, FeedPosition::kWhole));
    EXPECT_THAT(Watch(After(oldest))->Await(3),
                ElementsAre("harbor-mfg 3.3", "harbor-mfg 4.4", "mill 2.1"));
  }
  EXPECT_THAT(Watch(All())->Await(3), ElementsAre("harbor-mfg 3.3", "harbor-mfg 4.4", "mill 2.1"));
}

TEST_F(FeedHubTest, LosesNothingWhenRecordsDoNotFillAPage) {
  Start();
  // A page of 256 events ends before a record that does not fit into it.
  Fire(kHarbor, 1, Names(0, 200));
  Fire(kHarbor, 2, Names(200, 200));
  Fire(kHarbor, 3, Names(400, 300));
  Fire(kHarbor, 4, {"Last"});

  const auto sink = Watch(All());

  const std::vector<std::string> told = sink->Await(701);
  ASSERT_EQ(told.size(), 701U);
  EXPECT_EQ(told[200], "harbor-mfg 3.201");
  EXPECT_EQ(told[400], "harbor-mfg 4.401");
  EXPECT_EQ(told.back(), "harbor-mfg 5.701");
}

TEST_F(FeedHubTest, CutsASlowReaderOffWithACursorThatResumesExactly) {
  Start();
  Fire(kHarbor, 1, {"A", "B", "C", "D", "E"});
  const std::vector<std::string> all = Watch(All())->Await(5);
  for (std::size_t room = 0; room < 5; ++room) {
    const auto slow = Watch(All(), room);

    const absl::Status cut = slow->AwaitCutOff();
    EXPECT_EQ(cut.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(cut), "READER_TOO_SLOW");
    const auto resumed = Watch(After(FactsOf(cut).at("cursor")));

    std::vector<std::string> told = slow->Await(room);
    for (std::string& text : resumed->Await(5 - room)) told.push_back(std::move(text));
    EXPECT_THAT(told, ElementsAreArray(all)) << "with room for " << room;
  }
}

TEST_F(FeedHubTest, ReadsFromTheJournalWhatItWasTooSlowToTake) {
  // With room for a single commit, whatever comes while the hub is busy is dropped.
  Start({.commits_max = 1});
  const auto sink = Watch(All());
  std::vector<engine::testing::Answered> answers;
  answers.reserve(100);
  for (int i = 0; i < 100; ++i) {
    answers.push_back(Send(*rig_.engine, i % 7 == 0 ? kMill : kHarbor,
                           Alerts(static_cast<std::uint64_t>(i) + 1, Names(i, 1))));
  }
  for (auto& answer : answers) ASSERT_TRUE(Await(std::move(answer)).ok());

  std::map<std::string, int> next = {{"harbor-mfg", 1}, {"mill", 1}};
  for (const std::string& text : sink->Await(100)) {
    const std::string tenant = text.substr(0, text.find(' '));
    EXPECT_EQ(text.substr(text.find('.') + 1), std::to_string(next[tenant]++)) << text;
  }
  EXPECT_EQ(next["harbor-mfg"] + next["mill"], 102);
}

TEST_F(FeedHubTest, TellsOfADroppedCommitAlsoWhenNothingFollowsInItsTenant) {
  Start({.commits_max = 1});
  const auto sink = Watch(All());
  sink->AwaitBeats(1);
  // One after the other without a pause for the hub: the first is dropped, the second is mill's.
  Fire(kHarbor, 1, {"A"});
  Fire(kMill, 1, {"B"});

  EXPECT_THAT(sink->Await(2), ::testing::UnorderedElementsAre("harbor-mfg 2.1", "mill 2.1"));
}

TEST_F(FeedHubTest, TellsWhatTheFilterTakesAndMovesTheCursorPastTheRest) {
  Start();
  Subscription wanted = All();
  wanted.filter = *IncidentFilter::Parse("label.alertname=B");
  const auto sink = Watch(std::move(wanted));
  Fire(kHarbor, 1, {"A", "B", "C"});
  Fire(kHarbor, 2, {"D", "B2"});
  Fire(kMill, 1, {"B"});

  EXPECT_THAT(sink->Await(2), ElementsAre("harbor-mfg 2.2", "mill 2.1"));
  EXPECT_EQ(ReadCursor(sink->event(1).cursor())->at(kHarbor), FeedPosition{Sequence(3)});
}

TEST_F(FeedHubTest, CarriesAlertsUnlessTheyAreLeftOut) {
  Start();
  Fire(kHarbor, 1, {"A"});
  Subscription without = All();
  without.omit_alerts = true;

  const auto full = Watch(All());
  const auto lean = Watch(std::move(without));
  full->Await(1);
  lean->Await(1);

  ASSERT_EQ(full->event(0).alerts_size(), 1);
  EXPECT_EQ(full->event(0).alerts(0).labels(0).value(), "A");
  EXPECT_THAT(lean->event(0).alerts(), IsEmpty());
  EXPECT_EQ(lean->event(0).incident().total_alerts(), 1U);
}

TEST_F(FeedHubTest, BeatsWithTheCursorAtOnceAndAfterFifteenSecondsOfSilence) {
  Start();
  Fire(kHarbor, 1, {"A"});
  const auto sink = Watch(All());
  sink->Await(1);
  sink->AwaitBeats(1);
  rig_.clock.Advance(absl::Seconds(14));
  Fire(kHarbor, 2, {"B"});
  sink->Await(2);
  rig_.clock.Advance(absl::Seconds(14));
  Fire(kMill, 1, {"C"});
  sink->Await(3);  // no 15 s of silence yet
  EXPECT_EQ(sink->beats(), 1);

  rig_.clock.Advance(absl::Seconds(15));
  hub_->Poke();
  const std::string cursor = sink->AwaitBeats(2);

  EXPECT_EQ(ReadCursor(cursor)->at(kHarbor), FeedPosition{Sequence(3)});
  EXPECT_EQ(sink->beat_time(), rig_.clock.Now());
}

TEST_F(FeedHubTest, SendsHistoryNoFasterThanItIsRead) {
  Start({.page_events = 8});
  Fire(kHarbor, 1, Names(0, 100));
  Watch(All())->Await(100);  // so that it is history to the hub
  const auto sink = std::make_shared<SlowSink>(SlowSink::Room{.events_max = 20, .low_water = 5});
  ASSERT_TRUE(hub_->Add(sink, All()).ok());

  EXPECT_EQ(sink->ReadUntil(100, *hub_), 100U) << sink->cut_off();

  EXPECT_LE(sink->most_waiting(), 5U);
  std::vector<std::string> expected;
  for (int i = 1; i <= 100; ++i) {
    expected.push_back("tenants/harbor-mfg/incidents/" + std::to_string(i));
  }
  EXPECT_THAT(sink->incidents(), ElementsAreArray(expected));
}

TEST_F(FeedHubTest, EndsAPageByItsBytesToo) {
  Start({.page_bytes = 1});  // every page is one event
  Fire(kHarbor, 1, {"A", "B", "C"});
  Fire(kMill, 1, {"D", "E", "F"});
  Watch(All())->Await(6);  // so that the hub has seen both commits

  // Page by page the tenants take turns.
  EXPECT_THAT(Watch(All())->Await(6), ElementsAre("harbor-mfg 2.1", "mill 2.1", "harbor-mfg 2.2",
                                                  "mill 2.2", "harbor-mfg 2.3", "mill 2.3"));
}

TEST_F(FeedHubTest, ALargeCommitCutsNobodyOffWhoReads) {
  Start({.live_events_max = 10});
  const auto sink = std::make_shared<SlowSink>(SlowSink::Room{.events_max = 20, .low_water = 5});
  ASSERT_TRUE(hub_->Add(sink, All()).ok());
  Fire(kHarbor, 1, {"First"});
  ASSERT_EQ(sink->ReadUntil(1, *hub_), 1U);  // has caught up

  Fire(kHarbor, 2, Names(0, 100));

  EXPECT_EQ(sink->ReadUntil(101, *hub_), 101U) << sink->cut_off();
}

TEST_F(FeedHubTest, LeavesAlertsOutThatWouldNotFitIntoAMessage) {
  Start({.event = {.alerts_max = 512, .alert_bytes_max = 1}});
  Fire(kHarbor, 1, {"A"});

  const auto sink = Watch(All());
  sink->Await(1);

  EXPECT_THAT(sink->event(0).alerts(), IsEmpty());
  EXPECT_EQ(sink->event(0).incident().total_alerts(), 1U);
}

TEST_F(FeedHubTest, HasALimitOfSubscribersAndTakesOthersWhenOneHasLeft) {
  Start({.subscribers_max = 1});
  const auto first = Watch(All());
  const auto second = std::make_shared<TestSink>();
  const absl::Status refused = hub_->Add(second, All());
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "SUBSCRIBERS_EXHAUSTED");

  hub_->Remove(first.get());

  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (hub_->subscribers() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(hub_->Add(second, All()).ok());
}

}  // namespace
}  // namespace tandem::api
