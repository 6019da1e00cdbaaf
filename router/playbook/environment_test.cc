#include "router/playbook/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "router/base/status.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;

EntitySpec Spec(std::string kind, std::string id) {
  EntitySpec spec;
  spec.kind = std::move(kind);
  spec.id = std::move(id);
  return spec;
}

class EnvironmentTest : public ::testing::Test {
 protected:
  EntitySpec& Add(std::string kind, std::string id) {
    return specs_.emplace_back(Spec(std::move(kind), std::move(id)));
  }
  void PutAll() {
    for (const EntitySpec& spec : specs_) {
      const absl::Status status = environment_.Put(spec);
      ASSERT_TRUE(status.ok()) << status;
    }
  }

  std::deque<EntitySpec> specs_;
  Environment environment_;
};

TEST_F(EnvironmentTest, BindsByTheLabelThatBearsTheKind) {
  Add("site", "plant-7");
  PutAll();
  const LabelView labels[] = {{"alertname", "Down"}, {"site", "plant-7"}};

  const Binding binding = environment_.Bind(labels);

  EXPECT_EQ(binding.Find("site"), environment_.Find("site", "plant-7"));
  EXPECT_EQ(binding.bound[0].how, "label");
  EXPECT_EQ(binding.Find("service"), nullptr);
  EXPECT_EQ(binding.Find("planet"), nullptr);
}

TEST_F(EnvironmentTest, BindsByTheSmallestIdAmongMatchersWhenNoLabelDoes) {
  Add("device", "plc-b").matchers = {"instance=~\"plc-.*\""};
  Add("device", "plc-a").matchers = {"instance=~\"plc-.*\"", "site=\"plant-7\""};
  PutAll();

  const LabelView both[] = {{"instance", "plc-1"}, {"site", "plant-7"}};
  EXPECT_EQ(environment_.Bind(both).Find("device"), environment_.Find("device", "plc-a"));
  EXPECT_EQ(environment_.Bind(both).bound[2].how, "matcher");

  const LabelView other[] = {{"instance", "plc-1"}, {"site", "plant-2"}};
  EXPECT_EQ(environment_.Bind(other).Find("device"), environment_.Find("device", "plc-b"));

  const LabelView unknown_label[] = {{"device", "gone"}, {"instance", "plc-1"}};
  EXPECT_EQ(environment_.Bind(unknown_label).Find("device"), environment_.Find("device", "plc-b"));
}

TEST_F(EnvironmentTest, FollowsRelationsOneStepOnly) {
  Add("device", "plc-1").relations = {{"part_of", "application/scada"}};
  Add("application", "scada").relations = {{"runs_at", "site/plant-7"}};
  Add("site", "plant-7");
  PutAll();
  const LabelView labels[] = {{"device", "plc-1"}};

  const Binding binding = environment_.Bind(labels);

  EXPECT_EQ(binding.Find("application"), environment_.Find("application", "scada"));
  EXPECT_EQ(binding.bound[3].how, "part_of");
  EXPECT_EQ(binding.bound[3].via, environment_.Find("device", "plc-1"));
  EXPECT_EQ(binding.Find("site"), nullptr);
}

TEST_F(EnvironmentTest, PrefersTheRelationOfTheEarlierKindAndNeverOverridesALabel) {
  Add("service", "mes").relations = {{"runs_at", "site/plant-2"}};
  Add("device", "plc-1").relations = {{"runs_at", "site/gone"}, {"runs_at", "site/plant-7"}};
  Add("site", "plant-2");
  Add("site", "plant-7");
  PutAll();

  const LabelView both[] = {{"device", "plc-1"}, {"service", "mes"}};
  EXPECT_EQ(environment_.Bind(both).Find("site"), environment_.Find("site", "plant-2"));
  const LabelView device[] = {{"device", "plc-1"}};
  EXPECT_EQ(environment_.Bind(device).Find("site"), environment_.Find("site", "plant-7"));
  const LabelView named[] = {{"device", "plc-1"}, {"service", "mes"}, {"site", "plant-7"}};
  EXPECT_EQ(environment_.Bind(named).Find("site"), environment_.Find("site", "plant-7"));
}

TEST_F(EnvironmentTest, AnswersForAttributesAndForWhatEveryEntityHas) {
  EntitySpec& site = Add("site", "plant-7");
  site.display_name = "Plant 7";
  site.attributes = {{"kind", "factory"}, {"criticality", "high"}};
  site.coordination = {"biomedical-engineering", "change-control-board"};
  PutAll();

  const Entity& entity = *environment_.Find("site", "plant-7");
  EXPECT_EQ(entity.Attribute("kind"), "factory");
  EXPECT_EQ(entity.Attribute("criticality"), "high");
  EXPECT_EQ(entity.Attribute("id"), "plant-7");
  EXPECT_EQ(entity.Attribute("name"), "Plant 7");
  EXPECT_EQ(entity.Attribute("coordination"), "biomedical-engineering,change-control-board");
  EXPECT_EQ(entity.Attribute("owner"), std::nullopt);
  EXPECT_EQ(entity.FindCalendar("production"), nullptr);
}

TEST_F(EnvironmentTest, ReplacesAndRemovesWithAllThatHangsOnAnEntity) {
  Add("device", "plc-1").matchers = {"instance=\"a\""};
  PutAll();
  EntitySpec changed = Spec("device", "plc-1");
  changed.matchers = {"instance=\"b\""};
  ASSERT_TRUE(environment_.Put(changed).ok());
  const LabelView a[] = {{"instance", "a"}};
  const LabelView b[] = {{"instance", "b"}};

  EXPECT_EQ(environment_.size(), 1u);
  EXPECT_EQ(environment_.Bind(a).Find("device"), nullptr);
  EXPECT_NE(environment_.Bind(b).Find("device"), nullptr);

  environment_.Remove("device", "plc-1");
  environment_.Remove("device", "never-there");
  environment_.Remove("planet", "earth");
  EXPECT_EQ(environment_.size(), 0u);
  EXPECT_EQ(environment_.Bind(b).Find("device"), nullptr);
}

TEST_F(EnvironmentTest, IsCopiedWithAllItsLookUps) {
  Add("device", "plc-1").matchers = {"instance=\"a\""};
  PutAll();
  const Environment copy = environment_;
  environment_.Clear();
  const LabelView labels[] = {{"instance", "a"}};

  EXPECT_EQ(copy.Bind(labels).Find("device")->spec.id, "plc-1");
  EXPECT_EQ(copy.Find("device", "plc-1")->spec.id, "plc-1");
}

TEST_F(EnvironmentTest, KeepsTheOldFormWhenTheNewOneDoesNotCompile) {
  Add("site", "plant-7").attributes = {{"kind", "factory"}};
  PutAll();
  EntitySpec bad = Spec("site", "plant-7");
  bad.calendars.emplace_back("production", CalendarSpec{});

  EXPECT_FALSE(environment_.Put(bad).ok());

  EXPECT_EQ(environment_.Find("site", "plant-7")->Attribute("kind"), "factory");
}

TEST_F(EnvironmentTest, SaysWhereAnEntityIsWrong) {
  const auto fields = [&](const EntitySpec& spec) { return FieldsOf(environment_.Put(spec)); };
  EXPECT_THAT(
      fields(Spec("planet", "earth")),
      ElementsAre(FieldError{"kind",
                             "\"planet\" is no kind of entity; expected site, service, device "
                             "or application"}));
  EXPECT_THAT(fields(Spec("site", "")), ElementsAre(FieldError{"id", "an entity needs an id"}));

  EntitySpec twice = Spec("site", "a");
  twice.attributes = {{"b", "1"}, {"a", "1"}, {"b", "2"}};
  EXPECT_THAT(fields(twice), ElementsAre(FieldError{"attributes[\"b\"]", "the name occurs twice"}));

  EntitySpec calendar = Spec("site", "a");
  calendar.calendars.emplace_back("night", CalendarSpec{"Europe/Berlin", {{}}});
  calendar.calendars.back().second.intervals[0].times = {"8-9"};
  EXPECT_THAT(
      fields(calendar),
      ElementsAre(FieldError{"calendars[\"night\"].intervals[0].times[0]",
                             "\"8\" in \"8-9\" is not a time of day; expected two digits each, "
                             "from 00:00 to 24:00"}));

  EntitySpec matcher = Spec("device", "a");
  matcher.matchers = {"a=b", "site.kind=x"};
  EXPECT_THAT(
      fields(matcher),
      ElementsAre(FieldError{"matchers[1]",
                             "\"site.kind\" asks the context; an entity binds by labels only"}));
  matcher.matchers = {"a"};
  EXPECT_THAT(
      fields(matcher),
      ElementsAre(FieldError{"matchers[0]",
                             "\"a\" has no operator; expected NAME=\"VALUE\" with one of = != "
                             "=~ !~"}));
}

TEST(FindLabel, GivesTheEmptyTextForAnAbsentLabel) {
  const LabelView labels[] = {{"a", "1"}, {"c", "3"}};

  EXPECT_EQ(FindLabel(labels, "c"), "3");
  EXPECT_EQ(FindLabel(labels, "b"), "");
  EXPECT_EQ(FindLabel({}, "b"), "");
}

}  // namespace
}  // namespace tandem::playbook
