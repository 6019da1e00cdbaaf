#include "tools/tandem/explain_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "router/base/text.h"
#include "tools/tandem/age.h"
#include "tools/tandem/incident_view.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

// From here on the context is called old: the service sends a heartbeat every 5 s.
constexpr absl::Duration kContextOld = absl::Minutes(1);
// Lines are read best below this width, even when the terminal is wider.
constexpr std::size_t kReadableColumns = 100;

// 0 in a pipe, where nothing is broken.
std::size_t WidthOf(const Look& look) { return std::min(look.columns, kReadableColumns); }

std::string Heading(const Look& look, std::string_view text) {
  return fmt::format("\n{}\n", Painted(look, Tint::kBold, text));
}

std::string_view HandlingMeaning(v1::Handling handling) {
  switch (handling) {
    case v1::AUTONOMOUS:
      return "acts alone";
    case v1::NEEDS_INPUT:
      return "acts after the other side has answered";
    case v1::NEEDS_DECISION:
      return "waits: the other side decides";
    default:
      return "acts as a newer router says";
  }
}

const v1::RuleVerdict* Matching(const v1::Explanation& explanation) {
  for (const v1::RuleVerdict& verdict : explanation.rules()) {
    if (verdict.matched()) return &verdict;
  }
  return nullptr;
}

std::string Answer(const v1::Explanation& explanation, const Look& look) {
  const v1::Incident& incident = explanation.incident();
  const Severity severity = ToSeverity(incident.severity());
  std::string text =
      fmt::format("{}  {}  {}\n", Painted(look, Tint::kBold, Printable(ShortName(incident.name()))),
                  Painted(look, TintOf(severity), SeverityText(severity)),
                  Painted(look, Tint::kBold, Printable(incident.title())));
  text += fmt::format(
      "\n  → {} leads ({}) and {}.\n", Painted(look, Tint::kBold, Printable(incident.owner_team())),
      SideText(ToSide(incident.owner_side())), HandlingMeaning(incident.handling()));
  const v1::RuleVerdict* verdict = Matching(explanation);
  const std::string rule = verdict == nullptr ? incident.rule() : verdict->rule();
  text += fmt::format("  Rule {}", Painted(look, Tint::kGreen, Printable(rule)));
  if (verdict != nullptr && verdict->line() > 0) text += fmt::format(", line {}", verdict->line());
  text += fmt::format(" of playbook {}\n", Printable(explanation.playbook_digest().substr(0, 12)));
  if (!explanation.reason().empty()) {
    text += Wrapped(fmt::format("“{}”", Printable(explanation.reason())), 2, WidthOf(look));
  }
  text += fmt::format("  Decided {}, position {} of the history\n",
                      FullTimeText(look, ToTime(explanation.time())), explanation.sequence());
  return text;
}

std::string AlertPart(const v1::Explanation& explanation, const Look& look) {
  return Heading(look, "The alert") +
         Wrapped(Printable(LabelsText(explanation.alert().labels())), 2, WidthOf(look));
}

std::string EntityLines(const v1::EntityFacts& entity, const Look& look) {
  // The last two parts of the name: `site/plant-7`.
  const std::string id = LastPartOf(entity.name());
  const std::string kind = LastPartOf(
      std::string_view(entity.name())
          .substr(0, entity.name().size() - std::min(entity.name().size(), id.size() + 1)));
  std::string text =
      fmt::format("  {}/{}  {}\n", Printable(kind), Printable(id),
                  Painted(look, Tint::kDim, fmt::format("by {}", Printable(entity.bound_by()))));
  const std::map<std::string, std::string> sorted(entity.attributes().begin(),
                                                  entity.attributes().end());
  std::string attributes;
  for (const auto& [name, value] : sorted) {
    attributes += fmt::format("{}{}={}", attributes.empty() ? "" : "  ", name, value);
  }
  if (!attributes.empty()) text += Wrapped(Printable(attributes), 4, WidthOf(look));
  return text;
}

std::string ContextLine(const v1::Explanation& explanation, const Look& look) {
  if (explanation.has_context_unheard_since()) {
    // Without a version there was nothing to hear of: a tenant that has no context yet.
    if (explanation.context_version() == 0) return "  no context is known for this tenant\n";
    return Wrapped(
        fmt::format("! context never heard since start at {}, last known version {} from the "
                    "journal",
                    FullTimeText(look, ToTime(explanation.context_unheard_since())),
                    explanation.context_version()),
        2, WidthOf(look));
  }
  const absl::Duration age = ToDuration(explanation.context_age());
  const std::string heard = age < absl::Seconds(1)
                                ? std::string("heard from at that moment")
                                : fmt::format("last heard from {} before", SpanText(age));
  return fmt::format("  context version {}, {}\n", explanation.context_version(),
                     Painted(look, age >= kContextOld ? Tint::kYellow : Tint::kPlain,
                             age >= kContextOld ? "! old: " + heard : heard));
}

std::string ContextPart(const v1::Explanation& explanation, const Look& look) {
  std::string text = Heading(look, "What was known of the environment");
  text += ContextLine(explanation, look);
  if (explanation.entities().empty()) text += "  nothing is bound to this alert\n";
  for (const v1::EntityFacts& entity : explanation.entities()) text += EntityLines(entity, look);
  for (const std::string& gap : explanation.context_gaps()) {
    text += Painted(look, Tint::kYellow,
                    fmt::format("  ! {} is missing: a rule asked for it", Printable(gap))) +
            "\n";
  }
  if (explanation.incident().context_gap()) {
    text +=
        Painted(look, Tint::kYellow,
                "  ! with facts missing the owner asks first, or leaves the decision as declared") +
        "\n";
  }
  return text;
}

std::string CalendarPart(const v1::Explanation& explanation, const Look& look) {
  if (explanation.calendars().empty()) return "";
  std::size_t width = 0;
  for (const auto& state : explanation.calendars()) {
    width = std::max(width, CodePoints(Printable(state.calendar())));
  }
  std::string text = Heading(look, "Calendars");
  for (const v1::CalendarState& state : explanation.calendars()) {
    const std::string name = Printable(state.calendar());
    text += fmt::format(
        "  {}{}  {}  {}\n", name, std::string(width - CodePoints(name), ' '),
        state.on() ? Painted(look, Tint::kGreen, "on ") : Painted(look, Tint::kDim, "off"),
        Printable(state.local_time()));
  }
  return text;
}

std::string RulePart(const v1::Explanation& explanation, const Look& look) {
  std::string text = Heading(look, "Rules, in the order of the playbook");
  for (const v1::RuleVerdict& verdict : explanation.rules()) {
    const std::string mark =
        verdict.matched() ? Painted(look, Tint::kGreen, "✓") : Painted(look, Tint::kDim, "✗");
    text += fmt::format("  {} {}", mark, Printable(verdict.rule()));
    if (verdict.line() > 0) {
      text += Painted(look, Tint::kDim, fmt::format("  line {}", verdict.line()));
    }
    text += verdict.matched() ? "  ← matched\n" : "\n";
    if (!verdict.matched()) {
      text += Wrapped(Printable(verdict.failed_condition()), 6, WidthOf(look));
    }
  }
  return text;
}

std::string VerifiedPart(const v1::Explanation& explanation, const Look& look) {
  if (explanation.verified()) {
    return "\n" + Painted(look, Tint::kGreen, "✓") +
           " Derived again from the history: it gives the recorded outcome.\n";
  }
  return "\n" +
         Painted(look, Tint::kRed,
                 "✗ Derived again from the history it gives ANOTHER outcome than was recorded.") +
         "\n  That is a defect: report it with the name of the incident and the position above.\n";
}

}  // namespace

std::string ExplanationText(const v1::Explanation& explanation, const Look& look) {
  const std::string text = Answer(explanation, look) + AlertPart(explanation, look) +
                           ContextPart(explanation, look) + CalendarPart(explanation, look) +
                           RulePart(explanation, look) + VerifiedPart(explanation, look);
  return Fitted(look, text, 2);
}

}  // namespace tandem::cli
