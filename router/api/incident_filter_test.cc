#include "router/api/incident_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::api {
namespace {

using ::testing::HasSubstr;

v1::Incident Mes() {
  v1::Incident incident;
  incident.set_state(v1::ACKNOWLEDGED);
  incident.set_severity(v1::MAJOR);
  incident.set_owner_side(v1::CUSTOMER);
  incident.set_owner_team("plant-it");
  incident.set_rule("mes-in-production");
  v1::Label* label = incident.add_group_labels();
  label->set_name("site");
  label->set_value("plant-7");
  return incident;
}

bool Matches(std::string_view text) {
  const auto filter = IncidentFilter::Parse(text);
  EXPECT_TRUE(filter.ok()) << text << ": " << filter.status();
  return filter.ok() && filter->Matches(Mes());
}

TEST(IncidentFilterTest, TakesEverythingWhenItIsEmpty) {
  EXPECT_TRUE(Matches(""));
  EXPECT_TRUE(Matches("  "));
}

TEST(IncidentFilterTest, HoldsWhenEveryTermHolds) {
  for (const char* text : {"state=acknowledged",
                           "state=open|acknowledged",
                           "state!=resolved",
                           "severity=major",
                           "severity>=major",
                           "severity>=info",
                           "severity!=critical|info",
                           "side=customer",
                           "side!=provider",
                           "team=plant-it",
                           "team=noc|plant-it",
                           "team!=noc",
                           "rule=mes-in-production",
                           "rule!=rest",
                           "label.site=plant-7",
                           "label.site!=plant-8",
                           "label.service=",
                           "label.service!=mes",
                           " state = acknowledged , severity >= major ",
                           "severity>=warning,severity!=critical"}) {
    EXPECT_TRUE(Matches(text)) << text;
  }
}

TEST(IncidentFilterTest, FailsWhenOneTermFails) {
  for (const char* text :
       {"state=open", "state!=acknowledged", "severity=critical", "severity>=critical",
        "side=provider", "team=noc", "team!=plant-it", "rule=rest", "rule!=mes-in-production",
        "label.site=plant-8", "label.site!=plant-7", "label.service=mes",
        "label.site=", "state=acknowledged,side=provider", "state=open,state=acknowledged",
        "team=plant-it,team=noc", "severity>=critical,severity=major"}) {
    EXPECT_FALSE(Matches(text)) << text;
  }
}

TEST(IncidentFilterTest, ThatContradictsItselfTakesNothingWhateverFollows) {
  EXPECT_FALSE(Matches("state=open,state=resolved,state=acknowledged"));
  EXPECT_FALSE(Matches("team=noc,team=other,team=plant-it"));
}

TEST(IncidentFilterTest, NamesWhatIsWrongAndWhatWasExpected) {
  const struct {
    const char* text;
    const char* expected;
  } kCases[] = {
      {"state=opne", "open, acknowledged or resolved"},
      {"state", "a term such as"},
      {"=open", "a term such as"},
      {"state=open,", "a term such as"},
      {"severity>=high", "info, warning, major or critical"},
      {"state>=open", "severity>="},
      {"side=vendor", "provider or customer"},
      {"sate=open", "did you mean \"state\""},
      {"label.=x", "label"},
      {"state=", "open, acknowledged or resolved"},
  };
  for (const auto& [text, expected] : kCases) {
    const absl::Status status = IncidentFilter::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(ReasonOf(status), "FILTER_INVALID") << text;
    ASSERT_EQ(FieldsOf(status).size(), 1U) << text;
    EXPECT_EQ(FieldsOf(status).front().field, "filter") << text;
    EXPECT_THAT(MessageOf(status), HasSubstr(expected)) << text;
  }
}

TEST(IncidentFilterTest, HasLimits) {
  std::string terms = "state=open";
  for (int i = 1; i < 32; ++i) terms += ",state=open";
  EXPECT_TRUE(IncidentFilter::Parse(terms).ok());
  EXPECT_FALSE(IncidentFilter::Parse(terms + ",state=open").ok());

  std::string values = "team=a";
  for (int i = 1; i < 16; ++i) values += "|a";
  EXPECT_TRUE(IncidentFilter::Parse(values).ok());
  EXPECT_FALSE(IncidentFilter::Parse(values + "|a").ok());
}

TEST(IncidentFilterTest, LetsTheJournalSortOutWhatItCan) {
  const auto filter =
      IncidentFilter::Parse("state!=resolved,severity>=major,side=provider,team=noc,rule=a|b");
  ASSERT_TRUE(filter.ok());

  journal::IncidentQuery query;
  filter->AddTo(query);

  using ::testing::ElementsAre;
  EXPECT_THAT(query.states, ElementsAre(IncidentState::kOpen, IncidentState::kAcknowledged));
  EXPECT_THAT(query.severities, ElementsAre(Severity::kMajor, Severity::kCritical));
  EXPECT_THAT(query.sides, ElementsAre(Side::kProvider));
  EXPECT_THAT(query.teams, ElementsAre("noc"));
  EXPECT_THAT(query.rules, ElementsAre("a", "b"));
  EXPECT_FALSE(filter->has_labels());
}

}  // namespace
}  // namespace tandem::api
