// What `tandem context export` writes, `tandem context import` takes back as it was.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "router/base/status.h"
#include "router/context/content.h"
#include "router/context/import_csv.h"
#include "router/context/import_yaml.h"
#include "tools/tandem/context_export.h"

namespace tandem::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kFile[] = R"(entities:
  - kind: site
    id: plant-7
    name: "Plant 7, \"Joliet\" – no: 7"
    attributes: {kind: factory, criticality: "high", open: "yes", code: "007", note: "a: b # c"}
    relations:
      - {kind: runs_at, target: site/a}
      - {kind: depends_on, target: service/b}
    calendars:
      production:
        location: America/Chicago
        intervals:
          - {weekdays: ["monday:friday"], times: ["06:00-22:00"]}
          - {years: ["2026"], months: [may]}
      holidays: {location: Europe/Vienna, dates: ["2026-12-24", "2026-12-31:2027-01-02"]}
      patches:
        recurring:
          - {start: "2026-01-13 22:00", duration: 4h, rule: "FREQ=MONTHLY;BYDAY=2TU", exceptions: ["2026-11-10"]}
          - {start: "2026-03-01 22:00", duration: 1h}
        exceptions: ["2026-12-08"]
    matchers: ['instance=~"plc-7-.*"']
    coordination: [plant-safety, works-council]
  - {kind: service, id: mes}
)";

v1::ListEntitiesResponse ListOf(const context::ImportedFile& file) {
  v1::ListEntitiesResponse list;
  for (const context::ImportedEntity& imported : file.entities) {
    v1::Entity& entity = *list.add_entities();
    entity = *context::UnpackContent(imported.content);
    entity.set_name(context::EntityName(TenantId("acme"), imported.key));
    entity.set_version(12);
  }
  return list;
}

void ExpectSame(const absl::StatusOr<context::ImportedFile>& again,
                const v1::ListEntitiesResponse& list) {
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ(again->entities.size(), static_cast<std::size_t>(list.entities_size()));
  for (int i = 0; i < list.entities_size(); ++i) {
    const context::ImportedEntity& entity = again->entities[static_cast<std::size_t>(i)];
    EXPECT_EQ(context::EntityName(TenantId("acme"), entity.key), list.entities(i).name());
    EXPECT_EQ(entity.content, context::PackContent(list.entities(i)));
  }
}

TEST(ContextExport, IsTakenBackAsItWasFromYamlAndJson) {
  const v1::ListEntitiesResponse list = ListOf(*context::ReadYaml(kFile));

  const std::string yaml = ExportYaml(list);

  ExpectSame(context::ReadYaml(yaml), list);
  ExpectSame(context::ReadYaml(ExportJson(list)), list);
  EXPECT_EQ(ExportYaml(ListOf(*context::ReadYaml(yaml))), yaml);
  EXPECT_THAT(yaml, HasSubstr("  - kind: site\n    id: plant-7\n"));
  EXPECT_THAT(yaml, HasSubstr("code: \"007\", criticality: high"));
}

TEST(ContextExport, TakesTheExamplesThroughEveryFormThatCanSayThem) {
  for (const char* name : {"factory", "hospital", "bank"}) {
    SCOPED_TRACE(name);
    std::ostringstream text;
    text << std::ifstream(fmt::format("{}/{}/context.yaml", TANDEM_EXAMPLES, name)).rdbuf();
    const auto file = context::ReadYaml(text.str());
    ASSERT_TRUE(file.ok()) << file.status();
    const v1::ListEntitiesResponse list = ListOf(*file);
    ExpectSame(context::ReadYaml(ExportYaml(list)), list);
    ExpectSame(context::ReadYaml(ExportJson(list)), list);
  }
}

TEST(ContextExport, IsTakenBackFromCsvButForWhatCsvLeavesAlone) {
  v1::ListEntitiesResponse list = ListOf(*context::ReadYaml(kFile));
  for (v1::Entity& entity : *list.mutable_entities()) {
    entity.clear_calendars();
    entity.clear_matchers();
  }

  const auto csv = ExportCsv(list);

  ASSERT_TRUE(csv.ok()) << csv.status();
  ExpectSame(context::ReadCsv(*csv), list);
}

TEST(ContextExport, RefusesInCsvWhatWouldComeBackAltered) {
  const auto refused = [](const std::string& yaml) {
    const auto file = context::ReadYaml(yaml);
    EXPECT_TRUE(file.ok()) << file.status();
    const auto csv = ExportCsv(ListOf(*file));
    EXPECT_EQ(ReasonOf(csv.status()), "NOT_IN_CSV");
    return MessageOf(csv.status());
  };
  EXPECT_THAT(refused("entities: [{kind: site, id: a, attributes: {b: \" c\"}}]"),
              HasSubstr("site/a: its attribute b"));
  EXPECT_THAT(refused("entities: [{kind: site, id: a, relations: [{kind: x, target: site/b}, "
                      "{kind: y, target: site/b}, {kind: x, target: site/c}]}]"),
              HasSubstr("not in the order of the columns"));
}

TEST(ContextExport, OfNothingIsAFileOfNothing) {
  ExpectSame(context::ReadYaml(ExportYaml({})), {});
  ExpectSame(context::ReadYaml(ExportJson({})), {});
}

}  // namespace
}  // namespace tandem::cli
