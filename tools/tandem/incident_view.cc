#include "tools/tandem/incident_view.h"

#include <fmt/format.h>

#include <string_view>

#include "router/base/text.h"
#include "tools/tandem/age.h"
#include "tools/tandem/names.h"
#include "tools/tandem/table.h"

namespace tandem::cli {
namespace {

constexpr std::size_t kFactWidth = 11;

std::string Fact(const Look& look, std::string_view label, std::string_view text) {
  return Fitted(
      look,
      fmt::format("  {} {}\n", Painted(look, Tint::kDim, fmt::format("{:<{}}", label, kFactWidth)),
                  text),
      kFactWidth + 1);
}

std::string Heading(const Look& look, std::string_view text) {
  return fmt::format("\n{}\n", Painted(look, Tint::kBold, text));
}

std::string StateFact(const v1::Incident& incident, const Look& look) {
  const IncidentState state = ToState(incident.state());
  std::string text = Painted(look, TintOf(state), StateText(state));
  if (state == IncidentState::kAcknowledged) {
    text += " by " + Printable(ActorText(incident.acknowledged_by()));
    if (incident.has_acknowledge_expire_time()) {
      text += fmt::format(", holds until {}",
                          FullTimeText(look, ToTime(incident.acknowledge_expire_time())));
    }
  }
  if (state == IncidentState::kResolved && incident.has_resolve_time()) {
    text += fmt::format(" by {} at {}", Printable(ActorText(incident.resolved_by())),
                        FullTimeText(look, ToTime(incident.resolve_time())));
  }
  return text;
}

std::string RequestFact(const v1::Request& request, const Look& look) {
  std::string text = fmt::format("{} / {}: {}", SideText(ToSide(request.side())),
                                 Printable(request.team()), Printable(request.question()));
  for (int i = 0; i < request.options_size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? " [" : " | ", Printable(request.options(i)));
  }
  if (request.options_size() > 0) text += "]";
  switch (request.state()) {
    case v1::REQUEST_ANSWERED:
      return text + fmt::format(" — {}: {}", Printable(ActorText(request.answered_by())),
                                Painted(look, Tint::kBold, Printable(request.answer())));
    case v1::REQUEST_CLOSED:
      return text + " — closed without an answer";
    case v1::REQUEST_LAPSED:
      return text + Painted(look, Tint::kRed,
                            fmt::format(" — no answer by {}",
                                        FullTimeText(look, ToTime(request.due_time()))));
    default:
      return text + Painted(look, Tint::kYellow,
                            fmt::format(" — waits until {}",
                                        FullTimeText(look, ToTime(request.due_time()))));
  }
}

std::string EscalationFact(const v1::Incident& incident, const Look& look) {
  std::string text = fmt::format("{} {} taken", incident.steps_taken(),
                                 incident.steps_taken() == 1 ? "step" : "steps");
  if (incident.has_next_step_time()) {
    text += fmt::format(", next {}", FullTimeText(look, ToTime(incident.next_step_time())));
  }
  if (incident.escalation_exhausted()) {
    text += Painted(look, Tint::kRed, " — exhausted: the last step was taken, nobody took over");
  }
  return text;
}

std::string Facts(const v1::Incident& incident, const Look& look) {
  const Severity severity = ToSeverity(incident.severity());
  std::string text;
  text += Fitted(
      look,
      fmt::format("{}  {}\n", Painted(look, Tint::kBold, Printable(ShortName(incident.name()))),
                  Painted(look, Tint::kBold, Printable(incident.title()))),
      2);
  text += Fact(look, "severity", Painted(look, TintOf(severity), SeverityText(severity)));
  text += Fact(look, "state", StateFact(incident, look));
  text += Fact(look, "owner",
               fmt::format("{} / {}", SideText(ToSide(incident.owner_side())),
                           Printable(incident.owner_team())));
  text += Fact(look, "handling", HandlingText(ToHandling(incident.handling())));
  for (const v1::Request& request : incident.requests()) {
    text += Fact(look, "asked", RequestFact(request, look));
  }
  if (incident.has_handover()) {
    const v1::Handover& offer = incident.handover();
    text +=
        Fact(look, "on offer",
             fmt::format("to {} / {} until {}", SideText(ToSide(offer.side())),
                         Printable(offer.team()), FullTimeText(look, ToTime(offer.expire_time()))));
  }
  text += Fact(look, "rule",
               fmt::format("{}, playbook {}", Printable(incident.rule()),
                           Printable(incident.playbook_digest().substr(0, 12))));
  text += Fact(look, "opened", FullTimeText(look, ToTime(incident.open_time())));
  text +=
      Fact(look, "alerts",
           fmt::format("{} firing now, fired {} {} in all", incident.firing_alerts(),
                       incident.total_alerts(), incident.total_alerts() == 1 ? "time" : "times"));
  if (incident.reopen_count() > 0) {
    text += Fact(look, "reopened",
                 fmt::format("{} {}", incident.reopen_count(),
                             incident.reopen_count() == 1 ? "time" : "times"));
  }
  text += Fact(look, "escalation", EscalationFact(incident, look));
  if (incident.group_labels_size() > 0) {
    text += Fact(look, "group", Printable(LabelsText(incident.group_labels())));
  }
  if (incident.context_gap()) {
    text += Fact(look, "context",
                 Painted(look, Tint::kYellow, "! a fact was missing: see `tandem explain`"));
  }
  return text;
}

std::string TimelineText(const std::vector<v1::TimelineEntry>& timeline, const Look& look) {
  std::string text = Heading(look, "Timeline");
  for (const v1::TimelineEntry& entry : timeline) {
    const std::string clock = ClockText(look, ToTime(entry.time()));
    std::string line = fmt::format("  {}  {}", Painted(look, Tint::kDim, clock),
                                   Printable(entry.text().empty() ? entry.kind() : entry.text()));
    if (entry.actor().side() != v1::SIDE_UNSPECIFIED) {
      line += Painted(look, Tint::kDim, fmt::format("  — {}", Printable(ActorText(entry.actor()))));
    }
    text += Fitted(look, line + "\n", clock.size() + 2);
    if (!entry.comment().empty()) {
      text += Fitted(look, fmt::format("            “{}”\n", Printable(entry.comment())), 1);
    }
  }
  return timeline.empty() ? text + "  nothing yet\n" : text;
}

std::string AlertsText(const std::vector<v1::IncidentAlert>& alerts, const Look& look) {
  Table table({{"STATE"}, {"SINCE", true}, {"FINGERPRINT"}, {"LABELS", false, true}});
  for (const v1::IncidentAlert& alert : alerts) {
    const bool firing = alert.state() == v1::FIRING;
    const auto& since = firing ? alert.starts_at() : alert.ends_at();
    table.Row({{firing ? "firing" : "cleared", firing ? Tint::kBold : Tint::kGreen},
               {AgeText(look, ToTime(since))},
               {alert.fingerprint(), Tint::kDim},
               {LabelsText(alert.labels())}});
  }
  return Heading(look, "Alerts") + table.Text(look);
}

std::string DeliveriesText(const std::vector<v1::Delivery>& deliveries, const Look& look) {
  if (deliveries.empty()) return Heading(look, "Open deliveries") + "  none\n";
  Table table({{"DELIVERY"},
               {"STEP", true},
               {"TEAM"},
               {"CONTACT"},
               {"CHANNEL"},
               {"ATTEMPTS", true},
               {"NOT BEFORE"}});
  for (const v1::Delivery& delivery : deliveries) {
    table.Row({{delivery.delivery_id(), Tint::kDim},
               {fmt::format("{}", delivery.step())},
               {delivery.team()},
               {delivery.contact()},
               {delivery.channel()},
               {fmt::format("{}", delivery.attempts())},
               {delivery.has_not_before() ? AgeText(look, ToTime(delivery.not_before())) : ""}});
  }
  return Heading(look, "Open deliveries") + table.Text(look);
}

}  // namespace

Severity ToSeverity(v1::Severity severity) { return static_cast<Severity>(severity); }
IncidentState ToState(v1::IncidentState state) { return static_cast<IncidentState>(state); }
Side ToSide(v1::Side side) { return static_cast<Side>(side); }
Handling ToHandling(v1::Handling handling) { return static_cast<Handling>(handling); }

std::string ShortName(std::string_view name) {
  return fmt::format("{}/{}", TenantOf(name), LastPartOf(name));
}

std::string ActorText(const v1::Actor& actor) {
  const std::string_view side = ToText(ToSide(actor.side()));
  return side.empty() ? actor.principal() : fmt::format("{} ({})", actor.principal(), side);
}

std::string LabelsText(const google::protobuf::RepeatedPtrField<v1::Label>& labels) {
  std::string text;
  for (const v1::Label& label : labels) {
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : " ", label.name(), label.value());
  }
  return text;
}

std::string IncidentTable(std::span<const v1::Incident> incidents, const Look& look) {
  if (incidents.empty()) return "No incidents.\n";
  Table table({{"INCIDENT"},
               {"SEVERITY"},
               {"STATE"},
               {"OWNER"},
               {"AGE", true},
               {"FIRINGS", true},
               {"TITLE", false, true}});
  for (const v1::Incident& incident : incidents) {
    const Severity severity = ToSeverity(incident.severity());
    const IncidentState state = ToState(incident.state());
    table.Row(
        {{ShortName(incident.name())},
         {SeverityText(severity), TintOf(severity)},
         {StateText(state), TintOf(state)},
         {fmt::format("{}/{}", SideText(ToSide(incident.owner_side())), incident.owner_team())},
         {SpanText(look.now - ToTime(incident.open_time()))},
         {fmt::format("{}/{}", incident.firing_alerts(), incident.total_alerts())},
         {incident.title()}});
  }
  return table.Text(look);
}

std::string IncidentPageText(const IncidentPage& page, const Look& look) {
  std::string text = Facts(page.incident, look);
  text += TimelineText(page.timeline, look);
  text += AlertsText(page.alerts, look);
  if (page.deliveries_visible) text += DeliveriesText(page.deliveries, look);
  return text;
}

std::string IncidentLine(const v1::Incident& incident, const Look& look) {
  return Fitted(look,
                fmt::format("{}  {}  {}\n", Printable(ShortName(incident.name())),
                            StateFact(incident, look), Printable(incident.title())),
                2);
}

std::string CutAcknowledgementLine(const v1::Incident& incident, absl::Duration asked) {
  if (!incident.has_acknowledge_limit()) return "";  // of a router that does not say it yet
  const absl::Duration limit = ToDuration(incident.acknowledge_limit());
  if (asked <= limit) return "";
  return fmt::format("  --for {} is longer than it holds: the rule allows at most {}\n",
                     DurationText(asked), DurationText(limit));
}

}  // namespace tandem::cli
