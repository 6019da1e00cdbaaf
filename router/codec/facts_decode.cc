#include <fmt/format.h>

#include "router/base/status.h"
#include "router/codec/convert.h"
#include "router/codec/facts.h"

namespace tandem::codec {
namespace {

using F = stored::Fact;

absl::Status Uneven(const char* run) {
  return Error(absl::StatusCode::kDataLoss, "RECORD_MALFORMED",
               fmt::format("the columns of {} differ in length", run));
}

absl::Status GetFired(const stored::AlertsFired& from, core::Facts& facts) {
  const int count = from.index_size();
  if (from.alert_size() != count || from.incident_size() != count || from.starts_size() != count ||
      from.ends_size() != count || from.flags_size() != count) {
    return Uneven("AlertsFired");
  }
  DeltaReader index(from.index()), alert(from.alert()), incident(from.incident()),
      starts(from.starts()), ends(from.ends());
  for (int i = 0; i < count; ++i) {
    const std::uint32_t flags = from.flags(i);
    facts.push_back(
        core::AlertFired{.index = static_cast<std::uint32_t>(index.Next()),
                         .alert = AlertNumber(static_cast<std::uint64_t>(alert.Next())),
                         .incident = IncidentNumber(static_cast<std::uint64_t>(incident.Next())),
                         .starts = starts.Next(),
                         .ends = ends.Next(),
                         .ends_by_timeout = (flags & 8U) != 0,
                         .severity = static_cast<Severity>(flags & 7U)});
  }
  return absl::OkStatus();
}

absl::Status GetRefreshed(const stored::AlertsRefreshed& from, core::Facts& facts) {
  const int count = from.alert_size();
  if (from.starts_size() != count || from.ends_size() != count || from.flags_size() != count ||
      from.incident_size() != count || (from.changed_size() != 0 && from.changed_size() != count)) {
    return Uneven("AlertsRefreshed");
  }
  DeltaReader alert(from.alert()), incident(from.incident()), starts(from.starts()),
      ends(from.ends());
  for (int i = 0; i < count; ++i) {
    core::AlertRefreshed fact{
        .alert = AlertNumber(static_cast<std::uint64_t>(alert.Next())),
        .incident = IncidentNumber(static_cast<std::uint64_t>(incident.Next())),
        .starts = starts.Next(),
        .ends = ends.Next(),
        .ends_by_timeout = from.flags(i) != 0};
    if (from.changed_size() > 0 && from.changed(i) > 0) fact.changed_index = from.changed(i) - 1;
    facts.push_back(fact);
  }
  return absl::OkStatus();
}

absl::Status GetCleared(const stored::AlertsCleared& from, core::Facts& facts) {
  const int count = from.alert_size();
  if (from.incident_size() != count || from.ended_size() != count || from.flags_size() != count ||
      from.source_size() != count || from.source_index_size() != count) {
    return Uneven("AlertsCleared");
  }
  DeltaReader alert(from.alert()), incident(from.incident()), ended(from.ended()),
      source(from.source()), source_index(from.source_index());
  for (int i = 0; i < count; ++i) {
    facts.push_back(
        core::AlertCleared{.alert = AlertNumber(static_cast<std::uint64_t>(alert.Next())),
                           .incident = IncidentNumber(static_cast<std::uint64_t>(incident.Next())),
                           .ended = ended.Next(),
                           .by_timeout = from.flags(i) != 0,
                           .source = Sequence(static_cast<std::uint64_t>(source.Next())),
                           .source_index = static_cast<std::uint32_t>(source_index.Next())});
  }
  return absl::OkStatus();
}

core::IncidentOpened GetOpened(const stored::IncidentOpened& from) {
  const stored::Evidence& evidence = from.evidence();
  core::IncidentOpened to{
      .incident = IncidentNumber(from.incident()),
      .index = from.index(),
      .title = from.title(),
      .group_labels = Get(from.group_labels()),
      .handling = static_cast<Handling>(from.handling()),
      .severity = static_cast<Severity>(from.severity()),
      .context_gap = from.context_gap(),
      .next_step = from.next_step(),
      .evidence = {.playbook_digest = evidence.playbook_digest(),
                   .rule = evidence.rule(),
                   .context_version = evidence.context_version(),
                   .context_age = {absl::Microseconds(evidence.context_age_us()),
                                   !evidence.context_unheard()},
                   .gaps = {evidence.gaps().begin(), evidence.gaps().end()}},
      .ask_at = from.ask_at()};
  for (const stored::EntityFact& entity : evidence.entities()) {
    to.evidence.entities.push_back(
        {entity.kind(), entity.id(), entity.how(), Get(entity.attributes())});
  }
  for (const stored::CalendarFact& calendar : evidence.calendars()) {
    to.evidence.calendars.push_back({calendar.calendar(), calendar.on(), calendar.local_time()});
  }
  return to;
}

// Facts about incidents; false when `from` is none of them.
bool GetIncidentFact(const F& from, core::Facts& facts) {
  switch (from.fact_case()) {
    case F::kIncidentOpened:
      facts.push_back(GetOpened(from.incident_opened()));
      return true;
    case F::kIncidentReopened: {
      const auto& f = from.incident_reopened();
      facts.push_back(core::IncidentReopened{IncidentNumber(f.incident()), Get(f.actor()),
                                             f.comment(), f.request_id(), f.next_step(),
                                             f.ask_at()});
      return true;
    }
    case F::kSeverityRaised:
      facts.push_back(
          core::SeverityRaised{IncidentNumber(from.severity_raised().incident()),
                               static_cast<Severity>(from.severity_raised().severity())});
      return true;
    case F::kIncidentAcknowledged: {
      const auto& f = from.incident_acknowledged();
      facts.push_back(core::IncidentAcknowledged{IncidentNumber(f.incident()), Get(f.actor()),
                                                 f.comment(), f.request_id(), f.expires()});
      return true;
    }
    case F::kAcknowledgementExpired:
      facts.push_back(
          core::AcknowledgementExpired{IncidentNumber(from.acknowledgement_expired().incident()),
                                       from.acknowledgement_expired().next_step()});
      return true;
    case F::kIncidentNoted: {
      const auto& f = from.incident_noted();
      facts.push_back(core::IncidentNoted{IncidentNumber(f.incident()), Get(f.actor()), f.text(),
                                          f.request_id()});
      return true;
    }
    case F::kResolveScheduled:
      facts.push_back(core::ResolveScheduled{IncidentNumber(from.resolve_scheduled().incident()),
                                             from.resolve_scheduled().due()});
      return true;
    case F::kIncidentResolved: {
      const auto& f = from.incident_resolved();
      facts.push_back(core::IncidentResolved{IncidentNumber(f.incident()), Get(f.actor()),
                                             f.comment(), f.request_id(), f.forget()});
      return true;
    }
    case F::kIncidentForgotten:
      facts.push_back(
          core::IncidentForgotten{IncidentNumber(from.incident_forgotten().incident())});
      return true;
    case F::kStepTaken: {
      const auto& f = from.step_taken();
      facts.push_back(core::StepTaken{IncidentNumber(f.incident()),
                                      f.step(),
                                      f.round(),
                                      f.last_resort(),
                                      f.nobody(),
                                      f.next_step(),
                                      {f.unstaffed().begin(), f.unstaffed().end()}});
      return true;
    }
    case F::kStepHastened:
      facts.push_back(core::StepHastened{IncidentNumber(from.step_hastened().incident()),
                                         from.step_hastened().next_step()});
      return true;
    default:
      return false;
  }
}

// Facts about questions and the lead; false when `from` is none of them.
bool GetRequestFact(const F& from, core::Facts& facts) {
  switch (from.fact_case()) {
    case F::kRequestOpened: {
      const auto& f = from.request_opened();
      facts.push_back(core::RequestOpened{IncidentNumber(f.incident()),
                                          f.request(),
                                          static_cast<Handling>(f.kind()),
                                          f.team(),
                                          f.question(),
                                          {f.options().begin(), f.options().end()},
                                          f.due(),
                                          static_cast<playbook::Unanswered>(f.unanswered()),
                                          f.unreached()});
      return true;
    }
    case F::kRequestAnswered: {
      const auto& f = from.request_answered();
      facts.push_back(core::RequestAnswered{IncidentNumber(f.incident()), f.request(),
                                            Get(f.actor()), f.answer(), f.comment(), f.request_id(),
                                            f.named()});
      return true;
    }
    case F::kRequestLapsed: {
      const auto& f = from.request_lapsed();
      facts.push_back(core::RequestLapsed{IncidentNumber(f.incident()), f.request(),
                                          static_cast<playbook::Unanswered>(f.unanswered())});
      return true;
    }
    case F::kHandoverOffered: {
      const auto& f = from.handover_offered();
      facts.push_back(core::HandoverOffered{IncidentNumber(f.incident()), Get(f.actor()), f.team(),
                                            f.comment(), f.request_id(), f.expires()});
      return true;
    }
    case F::kHandoverAccepted: {
      const auto& f = from.handover_accepted();
      facts.push_back(core::HandoverAccepted{IncidentNumber(f.incident()), Get(f.actor()), f.team(),
                                             f.comment(), f.request_id()});
      return true;
    }
    case F::kHandoverDeclined: {
      const auto& f = from.handover_declined();
      facts.push_back(core::HandoverDeclined{IncidentNumber(f.incident()), Get(f.actor()), f.team(),
                                             f.comment(), f.request_id()});
      return true;
    }
    case F::kHandoverLapsed:
      facts.push_back(core::HandoverLapsed{IncidentNumber(from.handover_lapsed().incident()),
                                           from.handover_lapsed().team()});
      return true;
    default:
      return false;
  }
}

// Facts about deliveries; false when `from` is none of them.
bool GetDeliveryFact(const F& from, core::Facts& facts) {
  switch (from.fact_case()) {
    case F::kDeliveryPlanned: {
      const auto& f = from.delivery_planned();
      facts.push_back(core::DeliveryPlanned{DeliveryNumber(f.delivery()),
                                            IncidentNumber(f.incident()), f.event_type(), f.step(),
                                            f.team(), f.contact(), f.person(), f.schedule()});
      return true;
    }
    case F::kDeliveryAttempted: {
      const auto& f = from.delivery_attempted();
      facts.push_back(core::DeliveryAttempted{
          DeliveryNumber(f.delivery()), IncidentNumber(f.incident()), f.contact(), f.attempt()});
      return true;
    }
    case F::kDeliverySucceeded: {
      const auto& f = from.delivery_succeeded();
      facts.push_back(core::DeliverySucceeded{DeliveryNumber(f.delivery()),
                                              IncidentNumber(f.incident()), f.contact(),
                                              f.attempt(), absl::Microseconds(f.latency_us())});
      return true;
    }
    case F::kDeliveryFailed: {
      const auto& f = from.delivery_failed();
      facts.push_back(core::DeliveryFailed{DeliveryNumber(f.delivery()),
                                           IncidentNumber(f.incident()), f.contact(), f.attempt(),
                                           f.detail(), f.not_before()});
      return true;
    }
    case F::kDeliveryGivenUp: {
      const auto& f = from.delivery_given_up();
      facts.push_back(core::DeliveryGivenUp{DeliveryNumber(f.delivery()),
                                            IncidentNumber(f.incident()), f.contact(), f.attempt(),
                                            f.detail()});
      return true;
    }
    case F::kDeliveryCancelled: {
      const auto& f = from.delivery_cancelled();
      facts.push_back(core::DeliveryCancelled{
          DeliveryNumber(f.delivery()), IncidentNumber(f.incident()), f.contact(), f.reason()});
      return true;
    }
    default:
      return false;
  }
}

absl::Status GetFact(const F& from, core::Facts& facts) {
  switch (from.fact_case()) {
    case F::kAlertsFired:
      return GetFired(from.alerts_fired(), facts);
    case F::kAlertsRefreshed:
      return GetRefreshed(from.alerts_refreshed(), facts);
    case F::kAlertsCleared:
      return GetCleared(from.alerts_cleared(), facts);
    case F::kClientAdvanced:
      facts.push_back(core::ClientAdvanced{from.client_advanced().client_id(),
                                           from.client_advanced().number()});
      return absl::OkStatus();
    case F::kEndsDeferred:
      facts.push_back(core::EndsDeferred{from.ends_deferred().until()});
      return absl::OkStatus();
    case F::kContextChanged:
      facts.push_back(core::ContextChanged{from.context_changed().version()});
      return absl::OkStatus();
    case F::kPlaybookActivated: {
      const auto& f = from.playbook_activated();
      facts.push_back(core::PlaybookActivated{f.digest(), Get(f.actor()), f.comment(),
                                              f.request_id(), f.rule_count()});
      return absl::OkStatus();
    }
    default:
      break;
  }
  if (GetIncidentFact(from, facts) || GetRequestFact(from, facts) || GetDeliveryFact(from, facts)) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kUnimplemented, "FACT_UNKNOWN",
               "the journal holds a fact that this release does not know: a newer release has "
               "written it; start that one");
}

}  // namespace

absl::Status DecodeFacts(const journal::v1::Record& record, core::Facts& facts) {
  for (const F& fact : record.facts()) TANDEM_RETURN_IF_ERROR(GetFact(fact, facts));
  return absl::OkStatus();
}

}  // namespace tandem::codec
