// Whom a rule asks before its owner acts, and what.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/text.h"
#include "router/base/words.h"
#include "router/playbook/compiler.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kQuestionMaxBytes = 1024;
constexpr std::size_t kOptionsMax = 16;
constexpr std::size_t kOptionMaxBytes = 128;
constexpr absl::Duration kDueByDefault = absl::Minutes(15);

// The first team of the other side that the escalation tells: who hears of it anyway is asked.
std::optional<std::uint32_t> FirstOfOtherSide(const Escalation& escalation,
                                              const Playbook& playbook, Side side) {
  const auto other = [&](std::uint32_t team) { return playbook.teams()[team].side != side; };
  for (const Step& step : escalation.steps) {
    for (const std::uint32_t team : step.teams) {
      if (other(team)) return team;
    }
    for (const std::uint32_t schedule : step.schedules) {
      const std::uint32_t team = playbook.schedules()[schedule].spec().team;
      if (other(team)) return team;
    }
  }
  return std::nullopt;
}

}  // namespace

void Compiler::CompileConsult(const ConfigNode& node, Outer& own) {
  if (!reader_.IsMap(node)) return;
  reader_.OnlyKeys(node, {"team", "question", "options", "due", "unanswered"});
  Outer::Asked& asked = own.asked;  // what it does not say stays as it is around it
  if (const ConfigNode* team = node.Find("team")) {
    asked.team = teams_.Resolve(*team, reader_);
    own.consult_team_at = team;
  }
  if (const ConfigNode* question = node.Find("question")) {
    asked.question = reader_.Text(*question, kQuestionMaxBytes);
  }
  if (const ConfigNode* options = node.Find("options")) {
    asked.options = ReadOptions(*options);
  }
  if (const ConfigNode* due = node.Find("due")) {
    asked.due = reader_.Duration(*due, {absl::Seconds(1), absl::Hours(24 * 30)});
  }
  if (const ConfigNode* unanswered = node.Find("unanswered")) {
    const auto word = reader_.Word(*unanswered, {"escalate", "proceed", "hold"});
    if (word == "escalate") asked.unanswered = Unanswered::kEscalate;
    if (word == "proceed") asked.unanswered = Unanswered::kProceed;
    if (word == "hold") asked.unanswered = Unanswered::kHold;
  }
}

std::vector<std::string> Compiler::ReadOptions(const ConfigNode& node) {
  std::vector<std::string> options;
  for (const ConfigNode* item : reader_.List(node, kOptionsMax)) {
    auto option = reader_.Text(*item, kOptionMaxBytes);
    if (!option) continue;
    if (std::find(options.begin(), options.end(), *option) != options.end()) {
      reader_.Error(*item, fmt::format("{} stands twice in this list", Quoted(*option)));
      continue;
    }
    options.push_back(*std::move(option));
  }
  if (node.kind == ConfigNode::Kind::kList && node.children.size() < 2) {
    reader_.Error(node, "a choice needs two options; without `options` any text answers");
  }
  return options;
}

void Compiler::SettleConsult(const ConfigNode& node, Outer& own) {
  Rule& rule = own.rule;
  const Team& owner = playbook_->teams_[rule.owner];
  const bool decides = rule.handling == Handling::kNeedsDecision;
  std::optional<std::uint32_t> team = own.asked.team;
  if (team && playbook_->teams_[*team].side == owner.side) {
    const ConfigNode* own_consult = node.Find("consult");
    const bool here = own_consult != nullptr && own_consult->Find("team") != nullptr;
    reader_.Error(
        here ? *own.consult_team_at : node,
        fmt::format("the team {} is of the {}, as the owner {} is; the other side is "
                    "asked{}",
                    Quoted(playbook_->teams_[*team].name), ToText(owner.side), Quoted(owner.name),
                    here ? ""
                         : " (`consult` comes from the rule around this one; name "
                           "another team here)"));
    return;
  }
  if (!team) {
    team = FirstOfOtherSide(playbook_->escalations_[rule.escalation], *playbook_, owner.side);
  }
  rule.consult.reset();
  if (!team) {
    if (rule.handling == Handling::kAutonomous) return;
    reader_.Warning(node, fmt::format("{}, but nobody is asked: no step of {} tells a team of the "
                                      "other side; name one: consult: {{team: TEAM}}",
                                      ToText(rule.handling),
                                      Quoted(playbook_->escalations_[rule.escalation].name)));
    return;
  }
  Consult consult{.team = *team,
                  .options = own.asked.options.value_or(std::vector<std::string>()),
                  .due = own.asked.due.value_or(kDueByDefault),
                  .unanswered = own.asked.unanswered.value_or(Unanswered::kEscalate)};
  if (!own.asked.options && decides) consult.options = {"approve", "decline"};
  consult.question = own.asked.question.value_or(
      decides ? fmt::format("May {} act?", owner.name)
              : fmt::format("What has {} to know before it acts?", owner.name));
  rule.consult = std::move(consult);
}

}  // namespace tandem::playbook
