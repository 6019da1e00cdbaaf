#include "tools/agent/storm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tools/agent/storm_text.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNoon = absl::FromUnixSeconds(1'760'000'000);

std::vector<AlertRule> Corpus() {
  std::ifstream file(TANDEM_SOURCE_DIR "/tests/data/alert_rules.jsonl");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  auto rules = ReadAlertRules(text);
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.value_or(std::vector<AlertRule>());
}

TEST(Storm, IsEqualForEqualSeeds) {
  Storm one(Corpus(), MadeUpContext(), {.seed = 7});
  Storm two(Corpus(), MadeUpContext(), {.seed = 7});
  Storm other(Corpus(), MadeUpContext(), {.seed = 8});
  bool differs = false;
  for (int i = 0; i < 500; ++i) {
    const std::string alert = one.Next(kNoon).SerializeAsString();
    EXPECT_EQ(two.Next(kNoon).SerializeAsString(), alert);
    differs = differs || other.Next(kNoon).SerializeAsString() != alert;
  }
  EXPECT_TRUE(differs);
}

TEST(Storm, EndsOnlyWhatFiresAndKeepsItsCount) {
  Storm storm(Corpus(), MadeUpContext(), {.seed = 3, .resolve_share = 0.4, .repeat_share = 0.2});
  std::set<std::string> firing;
  int ends = 0;
  int repeats = 0;
  for (int i = 0; i < 5000; ++i) {
    const v1::Alert alert = storm.Next(kNoon);
    if (alert.has_ends_at()) {
      EXPECT_EQ(firing.erase(AlertKey(alert)), 1u);
      ++ends;
    } else if (!firing.insert(AlertKey(alert)).second) {
      ++repeats;
    }
    ASSERT_EQ(storm.firing(), firing.size());
  }
  EXPECT_NEAR(ends, 2000, 200);
  EXPECT_NEAR(repeats, 1000, 200);
}

TEST(Storm, FindsNewAlertsHoweverManyFire) {
  Storm storm({Corpus()[0]}, {{.kind = "site", .id = "plant-7", .related = {}}},
              {.seed = 1, .resolve_share = 0, .repeat_share = 0, .firing_max = 3000});
  for (int i = 0; i < 3000; ++i) EXPECT_FALSE(storm.Next(kNoon).has_ends_at());
  EXPECT_EQ(storm.firing(), 3000u);
  EXPECT_TRUE(storm.Next(kNoon).has_ends_at());
}

TEST(Storm, CarriesTheEntitiesThatItComesFrom) {
  Storm storm(Corpus(), {{.kind = "service", .id = "mes", .related = {{"site", "plant-7"}}}}, {});
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(AlertKey(storm.Next(kNoon)), HasSubstr(R"(service="mes",)"));
    EXPECT_THAT(AlertKey(storm.Next(kNoon)), HasSubstr(R"(site="plant-7")"));
  }
}

TEST(Storm, MakesNoAlertThatARouterRefuses) {
  Storm storm(Corpus(), MadeUpContext(), {.seed = 5});
  for (int i = 0; i < 20'000; ++i) {
    const v1::Alert alert = storm.Next(kNoon);
    ASSERT_LE(alert.labels_size(), 64);
    for (const v1::Label& label : alert.labels()) {
      ASSERT_TRUE(IsUtf8(label.value()) && !HasControlCharacters(label.value())) << label.value();
      ASSERT_LE(label.value().size(), 2048u);
    }
    for (const v1::Label& annotation : alert.annotations()) {
      ASSERT_TRUE(IsUtf8(annotation.value()));
      ASSERT_FALSE(HasControlCharacters(annotation.value(), {.allow_newlines = true}));
      ASSERT_THAT(annotation.value(), Not(HasSubstr("{{"))) << AlertKey(alert);
      ASSERT_LE(annotation.value().size(), 8192u);
    }
  }
}

TEST(FillTemplate, FillsAndCutsOut) {
  const std::map<std::string, std::string> labels = {{"instance", "db-1"}, {"job", "pg"}};
  const TemplateFacts facts{.labels = labels, .value = 12.345};
  const auto fill = [&](std::string_view text) { return FillTemplate(text, facts); };

  EXPECT_EQ(fill("{{ $labels.instance }}/{{$labels.job}}/{{ .Labels.job }}"), "db-1/pg/pg");
  EXPECT_EQ(fill("VALUE = {{ $value }} LABELS = {{ $labels }}"),
            R"(VALUE = 12.35 LABELS = {instance="db-1", job="pg"})");
  EXPECT_EQ(fill(R"(at {{ printf "%.0f" $value }}, {{ $value | humanizePercentage }})"),
            "at 12, 12.35%");
  EXPECT_EQ(fill("down ({{ $labels.nothing }}) for a while ."), "down for a while.");
  EXPECT_EQ(fill("a {{ with $labels.job -}} of {{ . }} {{- end }} b"), "a of pg b");
  EXPECT_EQ(fill("a {{ with $labels.none -}} of {{ . }} {{- end }} b"), "a b");
  EXPECT_EQ(fill(R"(a{{- range query "up{x='}}'}" }} {{ .Labels.instance }}{{ end }} b)"), "a b");
  EXPECT_EQ(fill("{{ if $labels.job }}yes{{ else }}no{{ end }}"), "yes");
  EXPECT_EQ(fill("cut {{ $unknown | thing }} out"), "cut out");
  EXPECT_EQ(fill("never {{ closed"), "never");
}

TEST(ReadAlertRules, NamesTheBadLine) {
  EXPECT_THAT(MessageOf(ReadAlertRules("{\"alertname\":\"A\"}\n\n{").status()),
              HasSubstr("line 3"));
  EXPECT_FALSE(ReadAlertRules("").ok());
}

TEST(ReadStormContext, ReadsEntitiesAndSaysWhatIsWrong) {
  const auto entities = ReadStormContext(
      "entities:\n  - {kind: site, id: plant-7, attributes: {kind: factory}}\n"
      "  - kind: service\n    id: mes\n    relations: [{kind: runs_at, target: site/plant-7}]\n");
  ASSERT_TRUE(entities.ok()) << entities.status();
  ASSERT_EQ(entities->size(), 2u);
  EXPECT_EQ((*entities)[1].related[0], std::pair(std::string("site"), std::string("plant-7")));

  EXPECT_THAT(MessageOf(ReadStormContext("entities:\n  - {kind: site}\n").status()),
              HasSubstr("`kind` and `id`"));
  EXPECT_THAT(MessageOf(ReadStormContext("a: [").status()), HasSubstr("line"));
  EXPECT_FALSE(ReadStormContext("entities: []").ok());
}

}  // namespace
}  // namespace tandem::client
