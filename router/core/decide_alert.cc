#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "router/core/decide_parts.h"
#include "router/core/escalation.h"

namespace tandem::core {
namespace {

using playbook::LabelsView;
using playbook::LabelView;

struct Span {
  Micros starts = 0;
  Micros ends = 0;
  bool ends_by_timeout = false;
};

// Defaults as in Alertmanager: no start is now (or the end, when only that is given); no end is now
// plus the resolve timeout.
Span SpanOf(const AlertBatch& batch, const AlertItem& alert, Micros now) {
  Span span;
  span.ends_by_timeout = !alert.ends_at.has_value();
  span.ends = alert.ends_at ? absl::ToUnixMicros(*alert.ends_at)
                            : now + absl::ToInt64Microseconds(batch.resolve_timeout);
  if (alert.starts_at) {
    span.starts = absl::ToUnixMicros(*alert.starts_at);
  } else {
    span.starts = alert.ends_at ? std::min(now, span.ends) : now;
  }
  return span;
}

// A report about an alert that fires already (Alertmanager's merge): the earliest start wins, and
// an end that a source has given beats an earlier one that we have assumed.
void DecideKnown(const AlertItem& alert, const AlertSlot& known, const Span& span, Micros now,
                 const TenantState& state, Facts& facts) {
  if (!span.ends_by_timeout && span.ends <= now) {
    // A report with both ends of a span that was over before this episode began speaks of an
    // earlier episode. One without a start says that it is over now; clocks and whole seconds of a
    // source may put that a little before our own start.
    if (alert.starts_at && span.ends < known.starts) return;
    facts.push_back(AlertCleared{known.number, known.incident, std::max(span.ends, known.starts),
                                 false, known.source, known.source_index});
    const Incident& incident = *state.FindIncident(known.incident);
    // The count falls with the fact above; it was the last when one is left now.
    if (incident.firing == 1 && incident.state != IncidentState::kResolved) {
      facts.push_back(ResolveScheduled{
          incident.number, now + absl::ToInt64Microseconds(incident.Rule().resolve_wait)});
    }
    return;
  }
  AlertRefreshed refreshed{.alert = known.number,
                           .incident = known.incident,
                           .starts = std::min(known.starts, span.starts),
                           .ends = span.ends,
                           .ends_by_timeout = span.ends_by_timeout};
  if (span.ends_by_timeout && !known.ends_by_timeout && known.ends > span.ends) {
    refreshed.ends = known.ends;
    refreshed.ends_by_timeout = false;
  }
  if (alert.details != known.details) refreshed.changed_index = alert.index;
  facts.push_back(refreshed);
}

// The labels that name the incident's group, sorted by name.
std::vector<LabelView> GroupLabels(const playbook::Rule& rule, LabelsView labels) {
  std::vector<LabelView> group;
  if (rule.group_by.size() == 1 && rule.group_by.front() == "...") {
    group.assign(labels.begin(), labels.end());
    return group;
  }
  for (const std::string& name : rule.group_by) {
    const std::string_view value = playbook::FindLabel(labels, name);
    if (!value.empty()) group.push_back({name, value});
  }
  return group;
}

std::string TitleOf(const AlertItem& alert, const std::vector<LabelView>& group) {
  constexpr std::size_t kTitleMax = 200;  // bytes: one line on a board
  std::string title(playbook::FindLabel(alert.labels, "alertname"));
  for (const LabelView& annotation : alert.annotations) {
    if (annotation.name == "summary" && !annotation.value.empty()) title = annotation.value;
  }
  if (title.empty()) {
    for (const LabelView& label :
         group.empty() ? std::vector<LabelView>(alert.labels.begin(), alert.labels.end()) : group) {
      title += fmt::format("{}{}={}", title.empty() ? "" : " ", label.name, label.value);
    }
  }
  if (title.size() > kTitleMax) {
    std::size_t cut = kTitleMax;
    while (cut > 0 && (static_cast<unsigned char>(title[cut]) & 0xC0) == 0x80) --cut;
    title.resize(cut);
    title += "…";
  }
  std::replace_if(
      title.begin(), title.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return title;
}

Evidence EvidenceOf(const TenantState& state, const AlertBatch& batch,
                    const playbook::Binding& binding, const playbook::Match& match) {
  Evidence evidence{.playbook_digest = state.playbook->digest(),
                    .rule = match.rule,
                    .context_version = state.context_version,
                    .context_age = batch.context_age};
  for (const auto& bound : binding.bound) {
    if (bound.entity == nullptr) continue;
    std::string how(bound.how);
    if (bound.via != nullptr) {
      how = fmt::format("{} of {}/{}", bound.how, bound.via->spec.kind, bound.via->spec.id);
    }
    evidence.entities.push_back({.kind = bound.entity->spec.kind,
                                 .id = bound.entity->spec.id,
                                 .how = std::move(how),
                                 .attributes = bound.entity->spec.attributes});
  }
  for (const playbook::CalendarAsked& asked : match.asked) {
    evidence.calendars.push_back({std::string(asked.calendar), asked.on, asked.local_time});
  }
  for (const std::string_view gap : match.gaps) evidence.gaps.emplace_back(gap);
  return evidence;
}

// When the other side is asked: once the siblings of the first alert had time to come.
Micros AskAt(const playbook::Rule& rule, Handling handling, Micros now) {
  if (handling == Handling::kAutonomous || !rule.consult) return 0;
  return now + absl::ToInt64Microseconds(rule.group_wait);
}

Micros FirstStep(const playbook::Playbook& playbook, const playbook::Rule& rule, Micros now) {
  const absl::Duration after = playbook.escalations()[rule.escalation].steps.front().after;
  return now + absl::ToInt64Microseconds(std::max(rule.group_wait, after));
}

// The group's incident that an alert joins or reopens; nullptr when it opens a new one.
const Incident* FindOfGroup(const TenantState& state, const playbook::Rule& rule,
                            const std::vector<LabelView>& group, Micros now) {
  const auto known = state.groups.find(GroupIdentityOf(state.key, rule.name, group));
  const Incident* incident =
      known == state.groups.end() ? nullptr : state.FindIncident(known->second);
  if (incident == nullptr || incident->state != IncidentState::kResolved) return incident;
  const Micros since = now - incident->resolved;
  return since > absl::ToInt64Microseconds(incident->Rule().reopen_within) ? nullptr : incident;
}

// An alert that was not known: finds its rule, then its incident.
void DecideNew(const TenantState& state, const AlertBatch& batch, const AlertItem& alert,
               const Span& span, Micros now, Facts& facts) {
  const playbook::Playbook& playbook = *state.playbook;
  const playbook::Binding binding = state.environment.Bind(alert.labels);
  const playbook::Match match =
      playbook.MatchRule(alert.labels, binding, absl::FromUnixMicros(now));
  const playbook::Rule& rule = playbook.rules()[match.rule];
  std::vector<LabelView> group = GroupLabels(rule, alert.labels);
  const Incident* incident = FindOfGroup(state, rule, group, now);
  if (incident == nullptr && state.incidents.size() >= state.incidents_max) {
    group.clear();  // see Limits
    incident = FindOfGroup(state, rule, group, now);
  }
  const Severity severity =
      rule.severity.value_or(SeverityOfLabel(playbook::FindLabel(alert.labels, "severity")));

  AlertFired fired{.index = alert.index,
                   .alert = state.last_alert.Next(),
                   .starts = span.starts,
                   .ends = span.ends,
                   .ends_by_timeout = span.ends_by_timeout,
                   .severity = severity};
  if (incident == nullptr) {
    fired.incident = state.last_incident.Next();
    IncidentOpened opened{.incident = fired.incident,
                          .index = alert.index,
                          .title = TitleOf(alert, group),
                          .handling = match.handling,
                          .severity = severity,
                          .context_gap = match.context_gap,
                          .next_step = FirstStep(playbook, rule, now),
                          .evidence = EvidenceOf(state, batch, binding, match),
                          .ask_at = AskAt(rule, match.handling, now)};
    for (const LabelView& label : group) opened.group_labels.emplace_back(label.name, label.value);
    facts.push_back(std::move(opened));
    facts.push_back(fired);
    return;
  }
  fired.incident = incident->number;
  if (incident->state == IncidentState::kResolved) {
    facts.push_back(IncidentReopened{
        .incident = incident->number,
        .actor = {"tandem", Side::kUnspecified},
        .next_step = FirstStep(*incident->playbook, incident->Rule(), now),
        .ask_at = AsksOtherSide(*incident) ? AskAt(incident->Rule(), incident->handling, now) : 0});
  }
  facts.push_back(fired);
  if (severity > incident->severity) {
    facts.push_back(SeverityRaised{incident->number, severity});
    TellAgain(state, *incident, "incident.severity_raised", {}, facts);
  }
}

}  // namespace

void DecideAlert(const TenantState& state, const AlertBatch& batch, const AlertItem& alert,
                 Micros now, Facts& facts) {
  const Span span = SpanOf(batch, alert, now);
  if (const AlertSlot* known = state.alerts.Find(alert.identity)) {
    DecideKnown(alert, *known, span, now, state, facts);
    return;
  }
  // A resolve of something that does not fire says nothing.
  if (!span.ends_by_timeout && span.ends <= now) return;
  DecideNew(state, batch, alert, span, now, facts);
}

void DecideQuiet(const Incident& incident, Micros now, Facts& facts) {
  if (incident.firing > 0 || incident.state == IncidentState::kResolved) return;
  if (incident.resolve_due != 0) return;
  facts.push_back(ResolveScheduled{incident.number,
                                   now + absl::ToInt64Microseconds(incident.Rule().resolve_wait)});
}

}  // namespace tandem::core
