#include "router/context/import_yaml.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/context/content.h"

namespace tandem::context {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

// "place: description" of every mistake.
std::vector<std::string> Mistakes(std::string_view content) {
  std::vector<std::string> mistakes;
  const auto file = ReadYaml(content);
  EXPECT_FALSE(file.ok());
  for (const FieldError& field : FieldsOf(file.status())) {
    mistakes.push_back(fmt::format("{}: {}", field.field, field.description));
  }
  return mistakes;
}

TEST(ReadYaml, ReadsAWholeEntity) {
  const auto file = ReadYaml(R"(# the plant
entities:
  - kind: site
    id: plant-7
    name: Plant 7 – Dayton
    attributes: {kind: factory, shifts: 3, active: yes, code: 0123}
    relations:
      - {kind: supplied_by, target: site/warehouse-2}
    calendars:
      production:
        location: America/New_York
        intervals:
          - weekdays: ["monday:friday"]
            times: ["06:00-22:00"]
          - months: [december]
            days_of_month: ["24:26"]
            years: ["2026"]
    matchers:
      - instance=~"plc-7-.*"
    coordination: [plant-it]
  - kind: service
    id: mes
)");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->states_all);
  ASSERT_THAT(file->entities, SizeIs(2));
  const v1::Entity plant = *UnpackContent(file->entities[0].content);
  EXPECT_EQ(ToText(file->entities[0].key), "site/plant-7");
  EXPECT_EQ(plant.display_name(), "Plant 7 – Dayton");
  // A plain text is what stands there, whatever YAML would make of it.
  EXPECT_EQ(plant.attributes().at("active"), "yes");
  EXPECT_EQ(plant.attributes().at("code"), "0123");
  EXPECT_EQ(plant.relations(0).target(), "site/warehouse-2");
  const v1::Calendar& production = plant.calendars().at("production");
  EXPECT_EQ(production.location(), "America/New_York");
  ASSERT_EQ(production.intervals_size(), 2);
  EXPECT_THAT(production.intervals(0).times(), ElementsAre("06:00-22:00"));
  EXPECT_THAT(production.intervals(1).days_of_month(), ElementsAre("24:26"));
  EXPECT_THAT(plant.matchers(), ElementsAre("instance=~\"plc-7-.*\""));
  EXPECT_THAT(plant.coordination(), ElementsAre("plant-it"));
}

TEST(ReadYaml, TakesARelationInOneText) {
  const auto file = ReadYaml(
      "entities:\n  - {kind: device, id: sw-7, relations: [runs_at site/main, {kind: part_of, "
      "target: "
      "application/a}]}\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const v1::Entity entity = *UnpackContent(file->entities[0].content);
  ASSERT_EQ(entity.relations_size(), 2);
  EXPECT_EQ(entity.relations(0).kind(), "runs_at");
  EXPECT_EQ(entity.relations(0).target(), "site/main");
  EXPECT_THAT(Mistakes("entities:\n  - {kind: device, id: a, relations: [runs_at]}\n"),
              ElementsAre(HasSubstr("relations[0].target")));
}

TEST(ReadYaml, NamesLineColumnAndPositionOfEveryMistake) {
  EXPECT_THAT(
      Mistakes(R"(entities:
  - kind: sit
    id: a
  - id: b
  - kind: site
    id: c
    calenders: {}
    attributes:
      name: x
  - kind: site
    id: d
    attributes:
      name: x
    calendars:
      shift:
        intervals:
          - times: ["25:00-26:00"]
  - kind: site
    id: e
    relations:
      - kind: runs_at
        target: plant
  - just a text
)"),
      ElementsAre(HasSubstr("2:11 entities[0].kind: \"sit\" is no kind"),
                  HasSubstr("4:5 entities[1].kind: is missing"),
                  AllOf(StartsWith("7:5 entities[2]: unknown key \"calenders\""),
                        HasSubstr("nearest: \"calendars\"")),
                  HasSubstr("9:13 entities[2].attributes[\"name\"]: is no attribute"),
                  HasSubstr("13:13 entities[3].attributes[\"name\"]: is no attribute"),
                  HasSubstr("17:21 entities[3].calendars[\"shift\"].intervals[0].times[0]:"),
                  HasSubstr("22:17 entities[4].relations[0].target: \"plant\""),
                  HasSubstr("23:5 entities[5]: is a text; expected a map")));
}

TEST(ReadYaml, ReadsDatesRecurrencesAndExceptions) {
  const auto file = ReadYaml(R"(entities:
  - kind: site
    id: plant-7
    calendars:
      patches:
        location: America/Chicago
        dates: ["2026-12-24", "2026-12-31:2027-01-02"]
        recurring:
          - {start: "2026-01-13 22:00", duration: 4h, rule: "FREQ=MONTHLY;BYDAY=2TU", exceptions: ["2026-11-10"]}
          - {start: "2026-03-01 22:00", duration: 1h}
        exceptions: ["2026-12-08"]
)");
  ASSERT_TRUE(file.ok()) << file.status();
  const v1::Entity plant = *UnpackContent(file->entities[0].content);
  const v1::Calendar& patches = plant.calendars().at("patches");
  EXPECT_THAT(patches.dates(), ElementsAre("2026-12-24", "2026-12-31:2027-01-02"));
  EXPECT_THAT(patches.exceptions(), ElementsAre("2026-12-08"));
  ASSERT_EQ(patches.recurring_size(), 2);
  EXPECT_EQ(patches.recurring(0).start(), "2026-01-13 22:00");
  EXPECT_EQ(patches.recurring(0).duration(), "4h");
  EXPECT_EQ(patches.recurring(0).rule(), "FREQ=MONTHLY;BYDAY=2TU");
  EXPECT_THAT(patches.recurring(0).exceptions(), ElementsAre("2026-11-10"));
  EXPECT_EQ(patches.recurring(1).rule(), "");
}

TEST(ReadYaml, PointsAtTheMistakesOfACalendar) {
  EXPECT_THAT(
      Mistakes(R"(entities:
  - kind: site
    id: plant-7
    calendars:
      patches:
        any_of: [production]
        recurring:
          - {start: "2026-01-13 24:00", duration: 0m, rule: "FREQ=MONTHLY;BYDAY=2TX"}
          - {begin: x}
        dates: ["2026-02-31"]
)"),
      ElementsAre(
          HasSubstr("6:9 entities[0].calendars[\"patches\"].any_of: a calendar of an entity stands "
                    "alone; any_of and except are for the calendars of a playbook"),
          HasSubstr("9:14 entities[0].calendars[\"patches\"].recurring[1]: unknown key \"begin\""),
          HasSubstr("10:17 entities[0].calendars[\"patches\"].dates[0]: there is no day"),
          HasSubstr("8:21 entities[0].calendars[\"patches\"].recurring[0].start:"),
          HasSubstr("8:51 entities[0].calendars[\"patches\"].recurring[0].duration:"),
          HasSubstr("8:61 entities[0].calendars[\"patches\"].recurring[0].rule: BYDAY: \"2TX\""),
          HasSubstr("9:13 entities[0].calendars[\"patches\"].recurring[1].start: \"\" is not a"),
          HasSubstr("9:13 entities[0].calendars[\"patches\"].recurring[1].duration: \"\" is")));
}

TEST(ReadYaml, RefusesWhatYamlWouldHide) {
  EXPECT_THAT(Mistakes("entities:\n  - {kind: site, id: a, id: b}\n"),
              ElementsAre("2:25: the key \"id\" occurs twice"));
  EXPECT_THAT(Mistakes("entities:\n  - &x {kind: site, id: a}\n  - *x\n"),
              ElementsAre(HasSubstr("2:5: an anchor"), HasSubstr("3:5: an alias"),
                          HasSubstr("entities[1]: is nothing")));
  EXPECT_THAT(Mistakes("entities:\n  - {kind: !!str site, id: a}\n"),
              ElementsAre(HasSubstr("the tag")));
  EXPECT_THAT(Mistakes("entities: []\n---\nentities: []\n"),
              ElementsAre(HasSubstr("a second document")));
}

TEST(ReadYaml, RefusesAFileOfAnotherForm) {
  EXPECT_THAT(Mistakes(""), ElementsAre(HasSubstr("the file is empty")));
  EXPECT_THAT(Mistakes("entites: []\n"),
              ElementsAre(HasSubstr("1:1: unknown key \"entites\""), HasSubstr("is missing")));
  EXPECT_THAT(Mistakes("entities:\n"), ElementsAre(HasSubstr("is nothing; expected a list")));
  EXPECT_THAT(Mistakes("- a\n"), ElementsAre(HasSubstr("the document is a list")));
  EXPECT_THAT(Mistakes("a text\n"), ElementsAre(HasSubstr("the document is a text")));
  EXPECT_THAT(Mistakes("entities: [\n"), ElementsAre(HasSubstr("not YAML")));
  EXPECT_THAT(Mistakes("entities: []\nentities: []\n"), ElementsAre(HasSubstr("occurs twice")));
  EXPECT_THAT(Mistakes("entities: []\nx: \x04\n"), ElementsAre(HasSubstr("2:1: the line has")));
  EXPECT_THAT(Mistakes("a: \xFF\n"), ElementsAre(HasSubstr("1:1: the line has")));
}

TEST(ReadYaml, RefusesAnEntityThatIsNamedTwice) {
  EXPECT_THAT(Mistakes("entities:\n  - {kind: site, id: a}\n  - {kind: site, id: a}\n"),
              ElementsAre("3:5 entities[1]: site/a occurs twice, first at 2:5 entities[0]"));
}

TEST(ReadYaml, SurvivesDeepNesting) {
  EXPECT_FALSE(ReadYaml("entities: " + std::string(100'000, '[')).ok());
  EXPECT_FALSE(ReadYaml("entities: [" + std::string(100, '[') + std::string(100, ']') + "]").ok());
  EXPECT_FALSE(ReadYaml("entities:\n  - {? {a: b} : c, ? [d] : e, ~: f}\n").ok());
}

TEST(ReadYaml, TakesNoEntityWithMoreEntriesThanThereIsRoomFor) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += fmt::format("a{}: b, ", i);
  EXPECT_THAT(Mistakes("entities:\n  - {kind: site, id: a, attributes: {" + many + "}}\n"),
              ElementsAre(HasSubstr("more than 1023 entries"),
                          HasSubstr("attributes: has 1023 entries; expected at most 64")));
}

}  // namespace
}  // namespace tandem::context
