#include "tools/tandem/doctor_deliveries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/tandem/age.h"

namespace tandem::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Level = Check::Level;

const absl::Time kNoon = absl::FromUnixSeconds(1767268800);

Look AtNoon() {
  Look look;
  look.now = kNoon;
  return look;
}

v1::TimelineEntry Entry(const std::string& kind, const std::string& delivery, int minute,
                        const std::string& reason = "", const std::string& contact = "anna") {
  v1::TimelineEntry entry;
  entry.set_kind(kind);
  entry.set_delivery_id(delivery);
  entry.set_contact(contact);
  entry.set_reason(reason);
  *entry.mutable_time() = ToStamp(kNoon - absl::Minutes(30 - minute));
  return entry;
}

std::vector<DeliveryTrouble> Troubles(const std::vector<v1::TimelineEntry>& timeline) {
  return TroublesIn("acme/12", timeline);
}

TEST(TroublesIn, FindsWhatIsTriedAgainWithItsAgeAndItsLastReason) {
  const auto troubles = Troubles({Entry("DELIVERY_PLANNED", "dlv-1", 0),
                                  Entry("DELIVERY_FAILED", "dlv-1", 1, "HTTP 503"),
                                  Entry("DELIVERY_ATTEMPTED", "dlv-1", 2),
                                  Entry("DELIVERY_FAILED", "dlv-1", 2, "connection refused")});

  ASSERT_THAT(troubles, SizeIs(1));
  EXPECT_EQ(troubles[0].incident, "acme/12");
  EXPECT_EQ(troubles[0].contact, "anna");
  EXPECT_EQ(troubles[0].reason, "connection refused");
  EXPECT_EQ(troubles[0].since, kNoon - absl::Minutes(29));
  EXPECT_EQ(troubles[0].failures, 2u);
  EXPECT_FALSE(troubles[0].given_up);
}

TEST(TroublesIn, KnowsWhatWasNeverTriedAndWhatWasAnnounced) {
  v1::TimelineEntry failed = Entry("DELIVERY_FAILED", "dlv-2", 2, "HTTP 503");
  *failed.mutable_next_attempt_time() = ToStamp(kNoon + absl::Seconds(20));
  const auto troubles =
      Troubles({Entry("DELIVERY_PLANNED", "dlv-1", 0), Entry("DELIVERY_PLANNED", "dlv-2", 1),
                failed, Entry("DELIVERY_ATTEMPTED", "dlv-2", 3)});

  ASSERT_THAT(troubles, SizeIs(2));
  EXPECT_EQ(troubles[0].failures, 0u);
  EXPECT_EQ(troubles[0].since, kNoon - absl::Minutes(30));
  EXPECT_EQ(troubles[0].contact, "anna");
  EXPECT_EQ(troubles[1].since, kNoon - absl::Minutes(28)) << "the failure, not the plan";
  EXPECT_EQ(troubles[1].failed, kNoon - absl::Minutes(28));
  EXPECT_EQ(troubles[1].next, kNoon + absl::Seconds(20));
}

TEST(TroublesIn, KnowsWhatWasGivenUp) {
  const auto troubles = Troubles({Entry("DELIVERY_FAILED", "dlv-1", 1, "HTTP 503"),
                                  Entry("DELIVERY_GIVEN_UP", "dlv-1", 11, "not delivered")});

  ASSERT_THAT(troubles, SizeIs(1));
  EXPECT_TRUE(troubles[0].given_up);
}

TEST(TroublesIn, AreOverWhenTheMessageArrivedOrIsNotWantedOrTheContactWasToldLater) {
  EXPECT_THAT(Troubles({Entry("DELIVERY_FAILED", "dlv-1", 1, "HTTP 503"),
                        Entry("DELIVERY_SUCCEEDED", "dlv-1", 2)}),
              IsEmpty());
  EXPECT_THAT(Troubles({Entry("DELIVERY_FAILED", "dlv-1", 1, "HTTP 503"),
                        Entry("DELIVERY_CANCELLED", "dlv-1", 2)}),
              IsEmpty());
  EXPECT_THAT(Troubles({Entry("DELIVERY_GIVEN_UP", "dlv-1", 1, "HTTP 503"),
                        Entry("DELIVERY_SUCCEEDED", "dlv-2", 2)}),
              IsEmpty());
  EXPECT_THAT(Troubles({Entry("DELIVERY_GIVEN_UP", "dlv-1", 1, "HTTP 503"),
                        Entry("DELIVERY_SUCCEEDED", "dlv-2", 2, "", "ben")}),
              SizeIs(1));
}

TEST(DeliveryChecks, AreGoodWhenNothingIsStuck) {
  const auto checks = DeliveryChecks("acme", {}, AtNoon());

  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].level, Level::kGood);
}

TEST(DeliveryChecks, SayWhatWasGivenUpAndWhatIsTriedAgainWithWhatToDo) {
  const std::vector<DeliveryTrouble> troubles = {
      {"acme/12", "anna", "the notifier has no signing secret `x`", kNoon - absl::Minutes(3), 4},
      {"acme/12", "ben", "HTTP 404", kNoon - absl::Minutes(9), 3, true},
      {"acme/13", "ben", "HTTP 404", kNoon - absl::Minutes(7), 3, true}};
  const auto checks = DeliveryChecks("acme", troubles, AtNoon());

  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_EQ(checks[0].level, Level::kBad);
  EXPECT_EQ(
      checks[0].found,
      "acme: ben was not told of acme/12, acme/13: HTTP 404 (given up; the first attempt failed 9m "
      "ago)");
  EXPECT_THAT(checks[0].advice, HasSubstr("check the contact's url"));
  EXPECT_EQ(checks[1].level, Level::kNotice);
  EXPECT_EQ(checks[1].found,
            "acme: anna is not told of acme/12 yet: the notifier has no signing secret `x` (4 "
            "attempts, the first 3m ago); 1 message waits, tried again");
  EXPECT_THAT(checks[1].advice, AllOf(HasSubstr("notifier.secrets"), HasSubstr("SIGHUP")));
}

// Held back by the notifier's circuit breaker, a delivery has no report of its own: what waits
// beside it for the same contact tells why and until when.
TEST(DeliveryChecks, SayHowManyWaitForAContactSinceWhenAndUntilWhen) {
  const std::vector<DeliveryTrouble> troubles = {
      {.incident = "acme/12",
       .contact = "anna",
       .reason = "HTTP 503",
       .since = kNoon - absl::Minutes(3),
       .failures = 4,
       .failed = kNoon - absl::Minutes(1),
       .next = kNoon - absl::Seconds(30)},
      {.incident = "acme/13",
       .contact = "anna",
       .reason = "HTTP 503 (circuit breaker open)",
       .since = kNoon - absl::Minutes(2),
       .failures = 1,
       .failed = kNoon - absl::Seconds(20),
       .next = kNoon + absl::Seconds(20)},
      {.incident = "acme/14", .contact = "anna", .since = kNoon - absl::Seconds(1)}};
  const auto checks = DeliveryChecks("acme", troubles, AtNoon());

  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].level, Level::kNotice);
  EXPECT_EQ(checks[0].found,
            "acme: anna is not told of acme/12, acme/13, acme/14 yet: HTTP 503 (circuit breaker "
            "open) (5 attempts, the first 3m ago); 3 messages wait, the next attempt not before "
            "12:00:20 (in 20s)");
}

TEST(DeliveryChecks, SayWhyTheUntriedWaitWhenTheLastOneThereWasGivenUp) {
  const auto checks = DeliveryChecks(
      "acme",
      std::vector<DeliveryTrouble>{
          {"acme/12", "anna", "HTTP 503", kNoon - absl::Minutes(9), 9, true, kNoon},
          {.incident = "acme/13", .contact = "anna", .since = kNoon - absl::Minutes(1)}},
      AtNoon());

  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_EQ(checks[1].found,
            "acme: anna is not told of acme/13 yet: HTTP 503 (none tried, the oldest planned 1m "
            "ago); 1 message waits, tried again");
}

TEST(DeliveryChecks, NameWhatNobodyTriesButNotWhatIsOnItsWay) {
  const DeliveryTrouble young{
      .incident = "acme/12", .contact = "anna", .since = kNoon - absl::Seconds(5)};
  EXPECT_EQ(DeliveryChecks("acme", std::vector{young}, AtNoon())[0].level, Level::kGood);

  DeliveryTrouble old = young;
  old.since = kNoon - absl::Minutes(4);
  const auto checks = DeliveryChecks("acme", std::vector{old, young}, AtNoon());
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].found,
            "acme: anna is not told of acme/12 yet: 2 messages wait, the oldest was planned 4m "
            "ago, and none has been tried");
  EXPECT_THAT(checks[0].advice, AllOf(HasSubstr("tandem_delivery_watch"), HasSubstr("its log")));
}

TEST(DeliveryChecks, AreAtMostTen) {
  std::vector<DeliveryTrouble> troubles;
  troubles.reserve(30);
  for (int i = 0; i < 30; ++i) {
    troubles.push_back({"acme/12", "contact-" + std::to_string(i), "HTTP 500", kNoon, 1, true});
  }
  const auto checks = DeliveryChecks("acme", troubles, AtNoon());

  ASSERT_THAT(checks, SizeIs(10));
  EXPECT_EQ(checks.back().found, "acme: 21 more contacts and reasons");
  EXPECT_EQ(checks.back().level, Level::kBad);
}

TEST(EscalationCheck, NamesOpenIncidentsThatNobodyTookOver) {
  std::vector<v1::Incident> incidents(3);
  for (int i = 0; i < 3; ++i) {
    incidents[i].set_name("tenants/acme/incidents/" + std::to_string(10 + i));
    incidents[i].set_state(v1::OPEN);
    *incidents[i].mutable_open_time() = ToStamp(kNoon - absl::Minutes(40 + i));
  }
  EXPECT_EQ(EscalationCheck("acme", incidents, AtNoon()).level, Level::kGood);
  incidents[1].set_escalation_exhausted(true);
  incidents[2].set_escalation_exhausted(true);
  incidents[2].set_state(v1::ACKNOWLEDGED);
  const Check check = EscalationCheck("acme", incidents, AtNoon());

  EXPECT_EQ(check.level, Level::kBad);
  EXPECT_EQ(check.found,
            "acme: nobody has taken over acme/11, and everybody was told; the oldest was opened "
            "41m ago");
  EXPECT_THAT(check.advice, HasSubstr("tandem incident ack acme/11"));
}

}  // namespace
}  // namespace tandem::cli
