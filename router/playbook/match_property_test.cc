// MatchRule finds through the index what MatchByScan finds by trying every rule in turn.
//
// TANDEM_PLAYBOOK_CASES and TANDEM_PLAYBOOK_SEED ask for a longer or for a given run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "router/playbook/parse.h"
#include "router/playbook/playbook.h"

namespace tandem::playbook {
namespace {

constexpr std::uint64_t kCases = 40'000;
constexpr int kQuestionsAPlaybook = 100;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Small vocabularies, so that conditions meet.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::string Playbook() {
    std::string text = R"(playbook: 1
tenant: t
contacts:
  c: {side: provider, webhook: {url: "https://hooks.example/c"}}
teams:
  a: {side: provider, contacts: [c]}
calendars:
  early: {intervals: [{times: ["00:00-12:00"]}]}
  night: {location: Europe/Berlin, intervals: [{times: ["22:00-06:00"], weekdays: ["monday:friday"]}]}
escalations:
  e: {steps: [{after: 0s, notify: [a]}]}
rules:
)";
    const int rules = Below(30);
    for (int i = 0; i < rules; ++i) text += Rule(i);
    return text + "  - {name: rest, owner: a, handling: autonomous, escalation: e, reason: r}\n";
  }

  Environment Context() {
    Environment environment;
    const int entities = Below(8);
    for (int i = 0; i < entities; ++i) EXPECT_TRUE(environment.Put(Entity()).ok());
    return environment;
  }

  std::vector<std::pair<std::string, std::string>> Labels() {
    std::vector<std::pair<std::string, std::string>> labels;
    for (const char* name : {"a", "b", "c", "device", "service", "site"}) {
      if (Chance(2)) continue;
      const bool is_kind = std::string_view(name).size() > 1;
      labels.emplace_back(name, is_kind ? Id() : Value());
    }
    return labels;
  }

  absl::Time Time() {
    return absl::FromUnixSeconds(1780272000) + absl::Minutes(Below(7 * 24 * 60));
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool Chance(int one_in) { return Below(one_in) == 0; }
  template <std::size_t kCount>
  const char* Pick(const char* const (&words)[kCount]) {
    return words[Below(static_cast<int>(kCount))];
  }
  std::string Id() { return Pick({"one", "two", "three"}); }
  std::string Value() { return Pick({"u", "v", "w", "x"}); }
  std::string Kind() { return Pick({"site", "service", "device", "application"}); }

  std::string Name() {
    if (Chance(2)) return Pick({"a", "b", "c", "site", "service"});
    return Kind() + "." + Pick({"kind", "tier", "id", "coordination"});
  }

  std::string Condition() {
    const std::string value = Chance(6) ? "" : Chance(4) ? Id() : Value();
    switch (Below(7)) {
      case 0:
        return fmt::format("'{}!=\"{}\"'", Name(), value);
      case 1:
        return fmt::format("'{}=~\"{}|{}\"'", Name(), value, Value());
      case 2:
        return fmt::format("'{}=~\"[u-w]?{}\"'", Name(), Chance(2) ? "" : "x?");
      case 3:
        return fmt::format("'{}!~\"{}|{}\"'", Name(), value, Value());
      default:
        return fmt::format("'{}=\"{}\"'", Name(), value);
    }
  }

  std::string Calendar() {
    return Chance(2) ? Pick({"early", "night"}) : Kind() + "." + Pick({"shift", "freeze"});
  }

  template <typename Make>
  std::string List(int at_least, Make make) {
    std::string text = make();
    for (int i = Below(3); i > at_least; --i) text += ", " + make();
    return text;
  }

  std::string Rule(int number) {
    std::string text = fmt::format("  - name: r{}\n    match: [{}]\n", number,
                                   List(0, [&] { return Condition(); }));
    if (Chance(3))
      text += fmt::format("    when: {{in: [{}]}}\n", List(0, [&] { return Calendar(); }));
    else if (Chance(3)) {
      text += fmt::format("    when: {{in: [{}], not_in: [{}]}}\n", Calendar(), Calendar());
    }
    return text + fmt::format(
                      "    if_missing: {}\n    handling: {}\n    owner: a\n    escalation: e\n"
                      "    reason: r\n",
                      Pick({"needs_input", "skip", "match"}),
                      Pick({"autonomous", "needs_input", "needs_decision"}));
  }

  EntitySpec Entity() {
    EntitySpec spec;
    spec.kind = Kind();
    spec.id = Id();
    if (!Chance(3)) spec.attributes.emplace_back("kind", Chance(4) ? "" : Value());
    if (!Chance(3)) spec.attributes.emplace_back("tier", Value());
    if (Chance(2)) spec.relations.emplace_back("runs_at", Kind() + "/" + Id());
    if (Chance(3)) spec.matchers = {fmt::format("{}=\"{}\"", Pick({"a", "b", "c"}), Value())};
    if (Chance(3)) spec.coordination = {Value()};
    for (const char* name : {"freeze", "shift"}) {
      if (Chance(2)) continue;
      CalendarSpec calendar;
      calendar.intervals.emplace_back().times = {Chance(2) ? "06:00-18:00" : "20:00-04:00"};
      spec.calendars.emplace_back(name, calendar);
    }
    return spec;
  }

  std::mt19937_64 random_;
};

std::string Describe(const Match& match) {
  std::string text = fmt::format("rule {} handling {} gap {}", match.rule,
                                 static_cast<int>(match.handling), match.context_gap);
  for (const CalendarAsked& asked : match.asked) {
    text += fmt::format(" asked {} {} {}", asked.calendar, asked.on, asked.local_time);
  }
  for (const std::string_view gap : match.gaps) text += fmt::format(" missing {}", gap);
  return text;
}

TEST(MatchRule, AgreesWithAScanOfAllRulesAndWithItsExplanation) {
  const std::uint64_t seed = FromEnvironment("TANDEM_PLAYBOOK_SEED", std::random_device()());
  const std::uint64_t cases = FromEnvironment("TANDEM_PLAYBOOK_CASES", kCases);
  std::cout << "seed " << seed << ", " << cases << " cases\n";
  Generator generator(seed);
  std::uint64_t with_gap = 0, with_calendar = 0, caught_all = 0;
  for (std::uint64_t i = 0; i < cases;) {
    const std::string source = generator.Playbook();
    const Compiled compiled = CompilePlaybook(source);
    ASSERT_NE(compiled.playbook, nullptr) << source << compiled.findings[0].message;
    const Playbook& playbook = *compiled.playbook;
    for (int question = 0; question < kQuestionsAPlaybook; ++question, ++i) {
      const Environment environment = generator.Context();
      const auto owned = generator.Labels();
      const std::vector<LabelView> labels = [&] {
        std::vector<LabelView> views;
        views.reserve(owned.size());
        for (const auto& [name, value] : owned) views.push_back({name, value});
        return views;
      }();
      const Binding binding = environment.Bind(labels);
      const absl::Time now = generator.Time();

      const Match indexed = playbook.MatchRule(labels, binding, now);
      const Match scanned = playbook.MatchByScan(labels, binding, now);

      ASSERT_EQ(Describe(indexed), Describe(scanned)) << "seed " << seed << "\n" << source;
      const std::vector<Verdict> verdicts = playbook.Explain(labels, binding, now);
      ASSERT_EQ(verdicts.back().rule, scanned.rule);
      ASSERT_TRUE(verdicts.back().matched);
      ASSERT_EQ(verdicts.size(), scanned.rule + 1);
      for (std::size_t rule = 0; rule + 1 < verdicts.size(); ++rule) {
        ASSERT_FALSE(verdicts[rule].matched);
        ASSERT_NE(verdicts[rule].failed, "");
      }
      with_gap += indexed.gaps.empty() ? 0 : 1;
      with_calendar += indexed.asked.empty() ? 0 : 1;
      caught_all += indexed.rule + 1 == playbook.rules().size() ? 1 : 0;
    }
  }
  std::cout << with_gap << " with gaps, " << with_calendar << " that asked calendars, "
            << caught_all << " of the last rule\n";
  EXPECT_GT(with_gap, cases / 50);
  EXPECT_GT(with_calendar, cases / 50);
  EXPECT_LT(caught_all, cases / 2);
}

}  // namespace
}  // namespace tandem::playbook
