#include "router/replay/teller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "router/base/check.h"
#include "router/base/text.h"

namespace tandem::replay {
namespace {

using core::Actor;
using core::Micros;

std::string Who(const Actor& actor) {
  return actor.side == Side::kUnspecified
             ? actor.principal
             : fmt::format("{} ({})", actor.principal, ToText(actor.side));
}

// ": on my way", or nothing.
std::string Behind(std::string_view text) {
  return text.empty() ? std::string() : fmt::format(": {}", Printable(text));
}

// What the rule hung on: " (site.production is on, shutdown is off)".
std::string CalendarsText(const core::Evidence& evidence) {
  std::string text;
  for (const core::CalendarFact& asked : evidence.calendars) {
    text += fmt::format("{}{} is {}", text.empty() ? " (" : ", ", asked.calendar,
                        asked.on ? "on" : "off");
  }
  return text.empty() ? text : text + ")";
}

// What a message says, where it is not a step of the escalation.
std::string_view WhatOf(std::string_view event_type) {
  constexpr std::pair<std::string_view, std::string_view> kWhat[] = {
      {"incident.resolved", " that it is resolved"},
      {"incident.severity_raised", " that its severity rose"},
      {"request.opened", " what it is asked"},
      {"request.answered", " the answer"},
      {"request.lapsed", " that nobody has answered"},
      {"handover.offered", " that the lead is offered"},
      {"handover.accepted", " that the lead is taken"},
      {"handover.declined", " that the lead is declined"},
      {"handover.lapsed", " that nobody took the lead"},
  };
  for (const auto& [type, what] : kWhat) {
    if (type == event_type) return what;
  }
  return "";
}

std::string_view WhatFollows(playbook::Unanswered unanswered) {
  switch (unanswered) {
    case playbook::Unanswered::kEscalate:
      return "the next step follows at once";
    case playbook::Unanswered::kProceed:
      return "the owner goes on alone";
    case playbook::Unanswered::kHold:
      return "nothing is done until somebody answers";
  }
  return "";
}

bool ByTandem(const Actor& actor) { return actor.side == Side::kUnspecified; }

}  // namespace

// Without a catch-all: std::visit refuses to compile when a type of fact is not named here.
struct Teller::Visitor {
  Teller& teller;
  absl::Duration at;
  Micros now = 0;
  IncidentNumber just_opened = {};  // in this record: its first alert is told with it

  void Say(IncidentNumber incident, std::string text) const {
    teller.Say(incident, std::move(text), at);
  }
  Known& Of(IncidentNumber incident) const { return teller.known_[incident]; }

  void operator()(const core::ClientAdvanced&) const {}
  void operator()(const core::AlertRefreshed&) const {}
  void operator()(const core::ResolveScheduled&) const {}
  void operator()(const core::IncidentForgotten&) const {}
  void operator()(const core::DeliveryAttempted&) const {}
  void operator()(const core::EndsDeferred&) const {}

  void operator()(const core::IncidentOpened& fact) {
    just_opened = fact.incident;
    const core::Incident& incident = teller.Get(fact.incident);
    const playbook::Rule& rule = incident.Rule();
    Touched& touched = teller.story_.touched;
    touched.rules.insert(incident.rule);
    touched.handlings.insert(fact.handling);
    for (const core::CalendarFact& asked : fact.evidence.calendars) {
      touched.calendars.emplace(asked.calendar, asked.on);
    }
    Say(fact.incident,
        fmt::format("opened #{} by rule {}{}: {} leads, {}, {}", fact.incident.value, rule.name,
                    CalendarsText(fact.evidence), incident.playbook->teams()[rule.owner].name,
                    ToText(fact.handling), ToText(fact.severity)));
    // A fact that only a rule with `if_missing: skip` asked for changes nothing for people.
    if (!fact.context_gap) return;
    std::string gaps;
    for (const std::string& gap : fact.evidence.gaps) {
      gaps += (gaps.empty() ? "" : ", ") + gap;
    }
    Say(fact.incident, fmt::format("context gap: {}", gaps));
  }

  void operator()(const core::AlertFired& fact) const {
    teller.alerts_[fact.alert] = teller.subject_;
    if (fact.incident == just_opened) return;
    Say(fact.incident,
        fmt::format("{} joined ({} fire)", teller.subject_, teller.Get(fact.incident).firing));
  }

  void operator()(const core::AlertCleared& fact) const {
    const auto found = teller.alerts_.find(fact.alert);
    const std::string name = found == teller.alerts_.end() ? "an alert" : found->second;
    if (found != teller.alerts_.end()) teller.alerts_.erase(found);
    const std::uint32_t left = teller.Get(fact.incident).firing;
    Say(fact.incident,
        fmt::format("{} {}{}", name, fact.by_timeout ? "was not reported any more" : "cleared",
                    left == 0 ? std::string() : fmt::format(" ({} still fire)", left)));
  }

  void operator()(const core::IncidentReopened& fact) const {
    Of(fact.incident) = {};
    if (ByTandem(fact.actor)) {
      Say(fact.incident, "reopened: it fires again");
    } else {
      Say(fact.incident, fmt::format("reopened by {}{}", Who(fact.actor), Behind(fact.comment)));
    }
  }

  void operator()(const core::SeverityRaised& fact) const {
    Say(fact.incident, fmt::format("severity rises to {}", ToText(fact.severity)));
  }

  void operator()(const core::IncidentAcknowledged& fact) const {
    Of(fact.incident).acknowledged_by = Who(fact.actor);
    Say(fact.incident,
        fmt::format("acknowledged by {} for {}{}", Who(fact.actor),
                    DurationText(absl::Microseconds(fact.expires - now)), Behind(fact.comment)));
  }

  void operator()(const core::AcknowledgementExpired& fact) const {
    Say(fact.incident,
        fmt::format("the acknowledgement of {} expired", Of(fact.incident).acknowledged_by));
  }

  void operator()(const core::IncidentNoted& fact) const {
    Say(fact.incident, fmt::format("noted by {}{}", Who(fact.actor), Behind(fact.text)));
  }

  void operator()(const core::IncidentResolved& fact) const {
    if (ByTandem(fact.actor)) {
      Say(fact.incident, "resolved: nothing fires any more");
    } else {
      Say(fact.incident, fmt::format("resolved by {}{}", Who(fact.actor), Behind(fact.comment)));
    }
  }

  void operator()(const core::StepTaken& fact) const {
    Known& known = Of(fact.incident);
    known.round = fact.round;
    known.last_resort = fact.last_resort;
    if (fact.last_resort) {
      if (!std::exchange(known.exhausted_told, true)) {
        Say(fact.incident, "nobody has taken over and the escalation is at its end");
      }
    } else {
      teller.story_.touched.steps.emplace(teller.Get(fact.incident).rule, fact.step);
    }
    for (const std::string& schedule : fact.unstaffed) {
      Say(fact.incident, fmt::format("nobody is on call by {}: step {}", schedule, fact.step));
    }
    if (!fact.nobody) return;
    Say(fact.incident, fact.last_resort
                           ? std::string("nobody could be told: there is no last resort")
                           : fmt::format("nobody could be told: step {} has no contacts; the next "
                                         "follows at once",
                                         fact.step));
  }

  void operator()(const core::DeliveryPlanned& fact) const {
    const Known& known = Of(fact.incident);
    teller.planned_[fact.delivery] = {
        .event_type = fact.event_type,
        .team = fact.team,
        .contact = fact.contact,
        .person = fact.person,
        .schedule = fact.schedule,
        .step = fact.step,
        .round = known.round,
        .last_resort = known.last_resort && fact.team.empty() && fact.person.empty()};
  }

  void operator()(const core::DeliverySucceeded& fact) const {
    const auto planned = teller.planned_.extract(fact.delivery);
    if (planned.empty()) return;
    std::string text = "told " + teller.Addressee(planned.mapped());
    text += WhatOf(planned.mapped().event_type);
    if (fact.attempt > 1) text += fmt::format(" at attempt {}", fact.attempt);
    Say(fact.incident, std::move(text));
  }

  void operator()(const core::DeliveryFailed& fact) const {
    const auto planned = teller.planned_.find(fact.delivery);
    if (planned == teller.planned_.end() || std::exchange(planned->second.failed, true)) return;
    Say(fact.incident, fmt::format("could not tell {}: {}; tries again",
                                   teller.Addressee(planned->second), fact.detail));
  }

  void operator()(const core::DeliveryGivenUp& fact) const {
    const auto planned = teller.planned_.extract(fact.delivery);
    if (planned.empty()) return;
    Say(fact.incident,
        fmt::format("gave up telling {} after {} {}: {}", teller.Addressee(planned.mapped()),
                    fact.attempt, fact.attempt == 1 ? "attempt" : "attempts", fact.detail));
  }

  void operator()(const core::DeliveryCancelled& fact) const {
    const auto planned = teller.planned_.extract(fact.delivery);
    if (planned.empty()) return;
    Say(fact.incident, fmt::format("{} need not be told any more: {}",
                                   teller.Addressee(planned.mapped()), fact.reason));
  }

  void operator()(const core::StepHastened& fact) const {
    Say(fact.incident, fmt::format("nobody of step {} was reached; the next follows at once",
                                   teller.Get(fact.incident).step));
  }

  void operator()(const core::RequestOpened& fact) const {
    std::string options;
    for (const std::string& option : fact.options)
      options += (options.empty() ? "" : ", ") + option;
    Say(fact.incident,
        fmt::format("asked {}{}: {}{}", fact.team,
                    fact.unreached
                        ? std::string(" (nobody of it can be told now)")
                        : " (due in " + DurationText(absl::Microseconds(fact.due - now)) + ")",
                    Printable(fact.question), options.empty() ? options : " [" + options + "]"));
  }

  void operator()(const core::RequestAnswered& fact) const {
    Say(fact.incident, fmt::format("answered by {}: {}{}", Who(fact.actor), Printable(fact.answer),
                                   Behind(fact.comment)));
  }

  void operator()(const core::RequestLapsed& fact) const {
    // While a person works on it no step follows.
    const bool open = teller.Get(fact.incident).state == IncidentState::kOpen;
    const bool escalates = fact.unanswered == playbook::Unanswered::kEscalate;
    Say(fact.incident, escalates && !open ? std::string("nobody answered in time")
                                          : fmt::format("nobody answered in time: {}",
                                                        WhatFollows(fact.unanswered)));
  }

  void operator()(const core::HandoverOffered& fact) const {
    Say(fact.incident, fmt::format("the lead is offered to {} by {}{}", fact.team, Who(fact.actor),
                                   Behind(fact.comment)));
  }

  void operator()(const core::HandoverAccepted& fact) const {
    Say(fact.incident, fmt::format("{} leads: accepted by {}{}", fact.team, Who(fact.actor),
                                   Behind(fact.comment)));
  }

  void operator()(const core::HandoverDeclined& fact) const {
    Say(fact.incident, fmt::format("{} does not take the lead: declined by {}{}", fact.team,
                                   Who(fact.actor), Behind(fact.comment)));
  }

  void operator()(const core::HandoverLapsed& fact) const {
    Say(fact.incident, fmt::format("{} did not take the lead in time", fact.team));
  }

  void operator()(const core::ContextChanged&) const {
    Say(IncidentNumber(), fmt::format("context changed: {}", teller.subject_));
  }

  void operator()(const core::PlaybookActivated& fact) const {
    Say(IncidentNumber(),
        fmt::format("playbook {} is active", std::string_view(fact.digest).substr(0, 12)));
  }
};

void Teller::Tell(const core::Facts& facts, absl::Duration at) {
  Visitor visitor{.teller = *this, .at = at, .now = state_.last_time};
  for (const core::Fact& fact : facts) std::visit(visitor, fact);
}

void Teller::Say(IncidentNumber incident, std::string text, absl::Duration at) {
  if (story_.cut) return;
  if (story_.lines.size() + 1 >= kStoryLinesMax) {
    story_.cut = true;
    incident = IncidentNumber();
    text = fmt::format("the story ends here: {} lines are the limit", kStoryLinesMax);
  }
  story_.lines.push_back({at, incident, std::move(text)});
}

// By hand: of a long story most lines are these.
std::string Teller::Addressee(const Planned& planned) const {
  std::string text = planned.contact;
  if (planned.last_resort) return text += " (last resort)";
  if (planned.step == 0) return text;
  text += " (";
  text += planned.person;
  if (!planned.person.empty() && !planned.team.empty()) text += ", ";
  text += planned.team;
  if (!planned.schedule.empty()) {
    text += ", on call by ";
    text += planned.schedule;
  }
  text += ", step ";
  text += std::to_string(planned.step);
  if (planned.round > 1) {
    text += ", round ";
    text += std::to_string(planned.round);
  }
  return text += ')';
}

const core::Incident& Teller::Get(IncidentNumber number) const {
  const core::Incident* incident = state_.FindIncident(number);
  TANDEM_CHECK(incident != nullptr, "a fact that is told names an incident that is known");
  return *incident;
}

}  // namespace tandem::replay
