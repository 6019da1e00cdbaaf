// Rules within rules: what they mean, and that the index finds what a walk over the tree finds.
#include <absl/time/time.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "router/playbook/parse.h"
#include "router/playbook/playbook.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kHead = R"(playbook: 1
tenant: t
contacts:
  noc-desk: {side: provider, webhook: {url: "https://hooks.example/noc"}}
  plant-desk: {side: customer, webhook: {url: "https://hooks.example/plant"}}
teams:
  noc: {side: provider, contacts: [noc-desk]}
  plant: {side: customer, contacts: [plant-desk]}
  line: {side: customer, contacts: [plant-desk]}
calendars:
  morning: {intervals: [{times: ["06:00-12:00"]}]}
  day: {intervals: [{times: ["08:00-18:00"]}]}
  weekend: {intervals: [{weekdays: [saturday, sunday]}]}
escalations:
  usual: {steps: [{after: 0s, notify: [noc]}, {after: 10m, notify: [plant]}]}
  plant-first: {steps: [{after: 0s, notify: [plant]}, {after: 10m, notify: [noc]}]}
  alone: {steps: [{after: 0s, notify: [noc]}]}
rules:
)";

constexpr std::string_view kTree = R"(  - name: mes
    match: ['service="mes"']
    when: {in: [morning, weekend]}
    owner: plant
    handling: needs_decision
    escalation: usual
    group_by: [site]
    ack_expires: 10m
    reason: The line depends on it.
    consult: {due: 5m, unanswered: hold}
    rules:
      - name: mes-critical
        match: ['severity="critical"']
        when: {in: [day], not_in: [weekend]}
        severity: critical
        ack_expires: 2m
      - name: mes-test
        match: ['stage="test"']
        owner: noc
        handling: autonomous
        escalation: plant-first
        reason: Nobody works there.
  - {name: rest, owner: noc, handling: autonomous, escalation: usual, reason: Other.}
)";

Compiled CompileRulesText(std::string_view rules) {
  return CompilePlaybook(std::string(kHead) + std::string(rules));
}

std::vector<std::string> Texts(const Compiled& compiled) {
  std::vector<std::string> texts;
  for (const Finding& finding : compiled.findings) {
    texts.push_back((finding.level == Finding::Level::kWarning ? "warning: " : "") +
                    finding.message);
  }
  return texts;
}

std::string RuleOf(const Playbook& playbook, std::vector<LabelView> labels, absl::Time now) {
  return playbook.rules()[playbook.MatchRule(labels, Binding(), now).rule].name;
}

absl::Time At(int hour, int day = 1) {  // June 2026 begins with a Monday
  return absl::FromCivil(absl::CivilHour(2026, 6, day, hour), absl::UTCTimeZone());
}

TEST(NestedRules, TakeWhatTheyDoNotSayFromTheRuleAroundThem) {
  const Compiled compiled = CompileRulesText(kTree);
  ASSERT_NE(compiled.playbook, nullptr) << Texts(compiled).front();
  const auto& rules = compiled.playbook->rules();
  ASSERT_EQ(rules.size(), 4u);
  const Rule& critical = rules[0];
  EXPECT_EQ(critical.name, "mes-critical");
  EXPECT_EQ(critical.parent, 2u);
  EXPECT_EQ(compiled.playbook->teams()[critical.owner].name, "plant");
  EXPECT_EQ(critical.handling, Handling::kNeedsDecision);
  EXPECT_EQ(critical.reason, "The line depends on it.");
  EXPECT_THAT(critical.group_by, ElementsAre("site"));
  EXPECT_EQ(critical.ack_expires, absl::Minutes(2));
  EXPECT_EQ(critical.severity, Severity::kCritical);
  EXPECT_EQ(critical.matchers.size(), 2u);
  const Rule& test = rules[1];
  EXPECT_EQ(compiled.playbook->teams()[test.owner].name, "noc");
  EXPECT_EQ(test.ack_expires, absl::Minutes(10));
  EXPECT_FALSE(test.severity.has_value());
  EXPECT_EQ(rules[2].name, "mes");
  EXPECT_EQ(rules[2].parent, 2u);
}

TEST(NestedRules, AreTriedBeforeTheRuleAroundThemAndUnderItsConditionsToo) {
  const Compiled compiled = CompileRulesText(kTree);
  const Playbook& playbook = *compiled.playbook;
  const std::vector<LabelView> critical = {{"service", "mes"}, {"severity", "critical"}};
  EXPECT_EQ(RuleOf(playbook, critical, At(9)), "mes-critical");
  EXPECT_EQ(RuleOf(playbook, critical, At(7)), "mes") << "not in `day`";
  EXPECT_EQ(RuleOf(playbook, critical, At(13)), "rest") << "not in `morning`, nor at a weekend";
  EXPECT_EQ(RuleOf(playbook, critical, At(13, 6)), "mes") << "a Saturday";
  EXPECT_EQ(RuleOf(playbook, {{"severity", "critical"}}, At(9)), "rest");
  EXPECT_EQ(RuleOf(playbook, {{"service", "mes"}, {"stage", "test"}}, At(9)), "mes-test");
}

TEST(NestedRules, ShowTheConditionOfTheRuleAroundThemWhenThatIsWhatFailed) {
  const Compiled compiled = CompileRulesText(kTree);
  const std::vector<LabelView> labels = {{"service", "erp"}, {"severity", "critical"}};
  const auto verdicts = compiled.playbook->Explain(labels, Binding(), At(9));
  EXPECT_EQ(verdicts[0].failed, R"(service="mes" (is "erp"))");
  const std::vector<LabelView> mes = {{"service", "mes"}, {"severity", "critical"}};
  EXPECT_EQ(compiled.playbook->Explain(mes, Binding(), At(7))[0].failed,
            "in day (off, Mon 07:00 UTC)");
}

TEST(NestedRules, AreNotReachedBehindOneThatTakesAll) {
  const Compiled compiled = CompileRulesText(R"(  - name: a
    match: ['service="mes"']
    owner: noc
    handling: autonomous
    escalation: usual
    reason: R.
    rules:
      - {name: b, severity: info}
      - {name: c, match: ['x="1"']}
  - {name: rest, owner: noc, handling: autonomous, escalation: usual, reason: Other.}
)");
  EXPECT_THAT(
      Texts(compiled),
      ElementsAre("warning: rules[0]: no alert comes to the rule itself: one that is nested "
                  "in it takes all; what it says is only inherited",
                  "rules[0].rules[1]: never reached: the rule on line 26 takes every "
                  "alert; move that one to the end, or give it conditions"));
}

TEST(NestedRules, AnOuterRuleSaysEverythingItself) {
  const Compiled compiled = CompileRulesText("  - {name: rest, rules: []}\n");
  EXPECT_THAT(Texts(compiled),
              ElementsAre("rules[0]: \"owner\" is missing; expected the team that leads",
                          "rules[0]: \"handling\" is missing; expected autonomous, needs_input or "
                          "needs_decision",
                          "rules[0]: \"escalation\" is missing; expected who is told, and when",
                          "rules[0]: \"reason\" is missing; expected a sentence that says why",
                          "rules[0].rules: an empty list of rules; leave it out"));
}

TEST(Consult, IsSettledFromTheEscalationWhenNobodySaysWhom) {
  const Compiled compiled = CompileRulesText(kTree);
  const auto& rules = compiled.playbook->rules();
  ASSERT_TRUE(rules[2].consult.has_value());
  const Consult& asked = *rules[2].consult;
  EXPECT_EQ(compiled.playbook->teams()[asked.team].name, "noc");
  EXPECT_EQ(asked.question, "May plant act?");
  EXPECT_THAT(asked.options, ElementsAre("approve", "decline"));
  EXPECT_EQ(asked.due, absl::Minutes(5));
  EXPECT_EQ(asked.unanswered, Unanswered::kHold);
  ASSERT_TRUE(rules[1].consult.has_value()) << "a gap in the context may ask for input";
  EXPECT_EQ(compiled.playbook->teams()[rules[1].consult->team].name, "plant");
  EXPECT_EQ(rules[1].consult->question, "What has noc to know before it acts?");
}

std::vector<std::string> WithConsult(std::string_view handling, std::string_view escalation,
                                     std::string_view consult) {
  return Texts(CompileRulesText(
      fmt::format("  - {{name: rest, owner: noc, handling: {}, escalation: {}, reason: R.{}}}\n",
                  handling, escalation, consult)));
}

TEST(Consult, MistakesAreNamed) {
  EXPECT_THAT(WithConsult("needs_input", "usual", ", consult: {team: noc}"),
              ElementsAre("rules[0].consult.team: the team \"noc\" is of the provider, as the "
                          "owner \"noc\" is; the other side is asked"));
  EXPECT_THAT(WithConsult("needs_input", "usual", ", consult: {team: plnt}"),
              ElementsAre("rules[0].consult.team: there is no team \"plnt\"; did you mean "
                          "\"plant\"?"));
  EXPECT_THAT(WithConsult("needs_input", "alone", ""),
              ElementsAre("warning: rules[0]: needs_input, but nobody is asked: no step of "
                          "\"alone\" tells a team of the other side; name one: consult: {team: "
                          "TEAM}"));
  EXPECT_THAT(WithConsult("needs_input", "alone", ", consult: {team: line}"), ElementsAre());
  EXPECT_THAT(WithConsult("autonomous", "alone", ""), ElementsAre());
  EXPECT_THAT(WithConsult("needs_input", "usual", ", consult: {options: [a], due: 0s}"),
              ElementsAre("rules[0].consult.options: a choice needs two options; without "
                          "`options` any text answers",
                          "rules[0].consult.due: \"0s\" is out of bounds; expected 1s to 30d"));
  EXPECT_THAT(WithConsult("needs_input", "usual", ", consult: {unanswered: wait, ask: plant}"),
              ElementsAre("rules[0].consult.unanswered: \"wait\" is not known here; expected "
                          "escalate, proceed or hold",
                          "rules[0].consult.ask: there is no such key; expected team, question, "
                          "options, due or unanswered"));
}

// A rule as the random test writes it, and as it is read without a compiler.
struct Node {
  struct Condition {
    std::string label, op, value;
  };
  std::string name;
  std::vector<Condition> match;
  std::vector<std::string> in, not_in;
  std::vector<Node> children;
};

class Trees {
 public:
  explicit Trees(std::uint64_t seed) : dice_(seed) {}

  std::vector<Node> List(int depth) {
    std::vector<Node> nodes;
    for (int i = Roll(4) + (depth == 0 ? 1 : 0); i > 0; --i) nodes.push_back(One(depth));
    return nodes;
  }
  std::map<std::string, std::string> Labels() {
    std::map<std::string, std::string> labels;
    for (const char* name : {"a", "b", "c"}) {
      if (Roll(4) > 0) labels[name] = Value();
    }
    if (labels.empty()) labels["a"] = "x";
    return labels;
  }
  absl::Time Now() { return At(Roll(24), 1 + Roll(7)) + absl::Minutes(Roll(60)); }

 private:
  int Roll(int sides) { return static_cast<int>(dice_() % static_cast<std::uint64_t>(sides)); }
  std::string Value() { return std::string(1, "xyz"[Roll(3)]) + (Roll(4) == 0 ? "1" : ""); }

  Node One(int depth) {
    Node node{.name = fmt::format("r{}", ++last_)};
    for (int i = 1 + Roll(2); i > 0; --i) {
      const std::string op = std::vector<std::string>{"=", "!=", "=~", "!~"}[Roll(4)];
      std::string value = Value();
      if (op.size() == 2 && op[1] == '~') {
        value = std::vector<std::string>{"x|y1", ".*1", "[xz]", "", "(y|z)1?"}[Roll(5)];
      } else if (Roll(8) == 0) {
        value.clear();
      }
      node.match.push_back({std::string(1, "abc"[Roll(3)]), op, value});
    }
    const std::vector<std::string> calendars = {"morning", "day", "weekend"};
    if (Roll(3) == 0) node.in.push_back(calendars[Roll(3)]);
    if (!node.in.empty() && Roll(2) == 0 && node.in[0] != "day") node.in.push_back("day");
    if (Roll(5) == 0) node.not_in.push_back(calendars[Roll(3)]);
    if (depth < 3 && Roll(2) == 0) node.children = List(depth + 1);
    return node;
  }

  std::mt19937_64 dice_;
  int last_ = 0;
};

std::string Yaml(const std::vector<Node>& nodes, int indent) {
  const auto join = [](const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& one : all) text += (text.empty() ? "" : ", ") + one;
    return text;
  };
  std::string text;
  for (const Node& node : nodes) {
    const std::string pad(static_cast<std::size_t>(indent), ' ');
    text += fmt::format("{}- name: {}\n", pad, node.name);
    std::string match;
    for (const auto& [label, op, value] : node.match) {
      match += fmt::format("{}'{}{}\"{}\"'", match.empty() ? "" : ", ", label, op, value);
    }
    text += fmt::format("{}  match: [{}]\n", pad, match);
    if (!node.in.empty() || !node.not_in.empty()) {
      std::string when;
      if (!node.in.empty()) when += fmt::format("in: [{}]", join(node.in));
      if (!node.not_in.empty()) {
        when += fmt::format("{}not_in: [{}]", when.empty() ? "" : ", ", join(node.not_in));
      }
      text += fmt::format("{}  when: {{{}}}\n", pad, when);
    }
    if (indent == 2) {
      text += fmt::format(
          "{}  owner: noc\n{}  handling: autonomous\n{}  escalation: usual\n"
          "{}  reason: R.\n",
          pad, pad, pad, pad);
    }
    if (!node.children.empty()) {
      text += fmt::format("{}  rules:\n{}", pad, Yaml(node.children, indent + 4));
    }
  }
  return text;
}

// The plain meaning.
class Oracle {
 public:
  Oracle(const std::map<std::string, std::string>& labels, absl::Time now)
      : labels_(labels), civil_(absl::UTCTimeZone().At(now).cs) {}

  std::optional<std::string> First(const std::vector<Node>& nodes) const {
    for (const Node& node : nodes) {
      if (!Holds(node)) continue;
      const auto below = First(node.children);
      return below ? below : node.name;
    }
    return std::nullopt;
  }

 private:
  bool IsOn(const std::string& calendar) const {
    if (calendar == "morning") return civil_.hour() >= 6 && civil_.hour() < 12;
    if (calendar == "day") return civil_.hour() >= 8 && civil_.hour() < 18;
    return absl::GetWeekday(civil_) == absl::Weekday::saturday ||
           absl::GetWeekday(civil_) == absl::Weekday::sunday;
  }
  bool Holds(const Node& node) const {
    for (const auto& [label, op, value] : node.match) {
      const auto found = labels_.find(label);
      const std::string actual = found == labels_.end() ? "" : found->second;
      const bool equal = op.find('~') == std::string::npos
                             ? actual == value
                             : std::regex_match(actual, std::regex(value));
      if (equal != (op[0] == '=')) return false;
    }
    bool any = node.in.empty();
    for (const std::string& calendar : node.in) any = any || IsOn(calendar);
    for (const std::string& calendar : node.not_in) any = any && !IsOn(calendar);
    return any;
  }

  const std::map<std::string, std::string>& labels_;
  const absl::CivilSecond civil_;
};

// Set for a long run: so many comparisons.
std::uint64_t Cases() {
  const char* text = std::getenv("TANDEM_PROPERTY_CASES");
  return text == nullptr ? 20'000 : std::strtoull(text, nullptr, 10);
}

TEST(NestedRules, AgreeWithAWalkOverTheTree) {
  constexpr std::uint64_t kAlertsPerTree = 200;
  const std::uint64_t cases = Cases();
  std::uint64_t matched_deep = 0;
  for (std::uint64_t seed = 1; seed * kAlertsPerTree <= cases; ++seed) {
    Trees trees(seed);
    const std::vector<Node> tree = trees.List(0);
    const Compiled compiled = CompileRulesText(
        Yaml(tree, 2) +
        "  - {name: rest, owner: noc, handling: autonomous, escalation: usual, reason: R.}\n");
    ASSERT_NE(compiled.playbook, nullptr)
        << "seed " << seed << ": " << Texts(compiled).front() << "\n"
        << Yaml(tree, 2);
    for (std::uint64_t i = 0; i < kAlertsPerTree; ++i) {
      const auto labels = trees.Labels();
      const absl::Time now = trees.Now();
      std::vector<LabelView> view;
      view.reserve(labels.size());
      for (const auto& [name, value] : labels) view.push_back({name, value});
      const std::string expected = Oracle(labels, now).First(tree).value_or("rest");
      ASSERT_EQ(RuleOf(*compiled.playbook, view, now), expected)
          << "seed " << seed << ", alert " << i << "\n"
          << Yaml(tree, 2);
      const Match scanned = compiled.playbook->MatchByScan(view, Binding(), now);
      ASSERT_EQ(compiled.playbook->rules()[scanned.rule].name, expected);
      if (expected != "rest") ++matched_deep;
    }
  }
  EXPECT_GT(matched_deep, cases / 10) << "the random alerts meet rules";
}

}  // namespace
}  // namespace tandem::playbook
