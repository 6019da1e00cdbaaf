// Questions to the other side, and the hand-over of the lead.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <variant>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/core/decide_parts.h"
#include "router/core/escalation.h"

namespace tandem::core {
namespace {

// How long an offer of the lead stands.
constexpr Micros kOfferStands = 15LL * 60 * 1'000'000;

using State = TeamRequest::State;

bool IsUnanswered(const TeamRequest& request) {
  return request.state == State::kOpen || request.state == State::kLapsed;
}

std::string Named(const playbook::Team& team) {
  return fmt::format("{} ({})", team.name, ToText(team.side));
}

absl::Status NotWhile(const Incident& incident, std::string_view what) {
  return Error(
      absl::StatusCode::kFailedPrecondition, "INCIDENT_STATE",
      fmt::format("incident {} is {}: {}", incident.number.value, ToText(incident.state), what));
}

void Ask(const TenantState& state, const Incident& incident, Micros now, Facts& facts) {
  const playbook::Consult& consult = *incident.Rule().consult;
  facts.push_back(
      RequestOpened{.incident = incident.number,
                    .request = incident.requests.empty() ? 1 : incident.requests.back().number + 1,
                    .kind = incident.handling,
                    .team = incident.playbook->teams()[consult.team].name,
                    .question = consult.question,
                    .options = consult.options,
                    .due = now + absl::ToInt64Microseconds(consult.due),
                    .unanswered = consult.unanswered});
  const std::size_t opened = facts.size() - 1;
  if (TellTeam(state, incident, "request.opened", consult.team, now, facts)) return;
  // Nobody to ask: no reason to wait for an answer.
  auto& request = std::get<RequestOpened>(facts[opened]);
  request.unreached = true;
  request.due = now;
}

void Lapse(const TenantState& state, const Incident& incident, const TeamRequest& request,
           Micros now, Facts& facts) {
  facts.push_back(RequestLapsed{incident.number, request.number, request.unanswered});
  TellTeam(state, incident, "request.lapsed", incident.owner, now, facts);
  // While somebody works on it the escalation rests; the owner has just been told.
  if (request.unanswered == playbook::Unanswered::kEscalate &&
      incident.state == IncidentState::kOpen) {
    TakeStep(state, incident, now, facts);
  }
}

// The request that an answer is for.
absl::StatusOr<const TeamRequest*> FindRequest(const Incident& incident, std::uint32_t number) {
  const auto& all = incident.requests;
  const auto found = std::find_if(all.rbegin(), all.rend(), [number](const TeamRequest& request) {
    return number == 0 ? IsUnanswered(request) : request.number == number;
  });
  if (found != all.rend()) return &*found;
  if (number == 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "REQUEST_NONE",
                 fmt::format("incident {} waits for no answer", incident.number.value));
  }
  return Error(absl::StatusCode::kNotFound, "REQUEST_NOT_FOUND",
               fmt::format("incident {} has no request {}", incident.number.value, number));
}

absl::Status CheckAnswer(const Incident& incident, const TeamRequest& request,
                         const RequestAnswer& input) {
  if (request.state == State::kAnswered) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "REQUEST_ANSWERED",
        fmt::format("request {} of incident {} was answered by {}: {}", request.number,
                    incident.number.value, request.answered_by.principal, Shown(request.answer)));
  }
  if (request.state == State::kClosed) {
    return Error(absl::StatusCode::kFailedPrecondition, "REQUEST_CLOSED",
                 fmt::format("request {} of incident {} is closed: the incident was resolved, or "
                             "the side that was asked leads it now",
                             request.number, incident.number.value));
  }
  const playbook::Team& asked =
      incident.playbook->teams()[incident.playbook->FindTeam(request.team).value_or(0)];
  if (input.actor.side != asked.side) {
    return Error(absl::StatusCode::kFailedPrecondition, "REQUEST_OTHER_SIDE",
                 fmt::format("{} was asked, and you act for the {}; an answer comes from a "
                             "person of the {}",
                             Named(asked),
                             input.actor.side == Side::kUnspecified ? "installation"
                                                                    : ToText(input.actor.side),
                             ToText(asked.side)));
  }
  const auto& options = request.options;
  if (options.empty() || std::find(options.begin(), options.end(), input.answer) != options.end()) {
    return absl::OkStatus();
  }
  std::string known;
  for (const std::string& option : options) {
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", Shown(option));
  }
  return InvalidField(
      "REQUEST_OPTION", "answer",
      fmt::format("\"{}\" is none of the options; expected one of {}", Shown(input.answer), known));
}

}  // namespace

absl::Status DecideAnswer(const TenantState& state, const RequestAnswer& input, Micros now,
                          Facts& facts) {
  TANDEM_ASSIGN_OR_RETURN(const Incident* incident, FindForAction(state, input.incident));
  if (incident->state == IncidentState::kResolved) {
    return NotWhile(*incident, "its questions are closed; add a note instead");
  }
  TANDEM_ASSIGN_OR_RETURN(const TeamRequest* request, FindRequest(*incident, input.request));
  TANDEM_RETURN_IF_ERROR(CheckAnswer(*incident, *request, input));
  facts.push_back(RequestAnswered{.incident = incident->number,
                                  .request = request->number,
                                  .actor = input.actor,
                                  .answer = input.answer,
                                  .comment = input.comment,
                                  .request_id = input.request_id,
                                  .named = input.request});
  CancelDeliveries(state, *incident, Withdraw::kQuestion, "answered", facts);
  TellTeam(state, *incident, "request.answered", incident->owner, now, facts);
  return absl::OkStatus();
}

absl::Status DecideHandoverOffer(const TenantState& state, const HandoverOffer& input, Micros now,
                                 Facts& facts) {
  TANDEM_ASSIGN_OR_RETURN(const Incident* incident, FindForAction(state, input.incident));
  if (incident->state == IncidentState::kResolved) {
    return NotWhile(*incident, "nobody leads it any more");
  }
  const auto team = incident->playbook->FindTeam(input.team);
  if (!team) {
    return InvalidField("TEAM_NOT_FOUND", "team",
                        fmt::format("there is no team \"{}\" in the playbook under which incident "
                                    "{} began",
                                    Shown(input.team), incident->number.value));
  }
  if (*team == incident->owner) {
    return InvalidField("TEAM_LEADS", "team", fmt::format("{} leads it already", input.team));
  }
  if (input.actor.side != incident->Owner().side) {
    return Error(absl::StatusCode::kFailedPrecondition, "HANDOVER_OTHER_SIDE",
                 fmt::format("{} leads incident {}; only its side can offer the lead",
                             Named(incident->Owner()), incident->number.value));
  }
  if (incident->handover) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "HANDOVER_OPEN",
        fmt::format("the lead of incident {} is offered to {} already", incident->number.value,
                    incident->playbook->teams()[incident->handover->team].name));
  }
  facts.push_back(HandoverOffered{.incident = incident->number,
                                  .actor = input.actor,
                                  .team = input.team,
                                  .comment = input.comment,
                                  .request_id = input.request_id,
                                  .expires = now + kOfferStands});
  if (TellTeam(state, *incident, "handover.offered", *team, now, facts)) return absl::OkStatus();
  facts.clear();
  return Error(absl::StatusCode::kFailedPrecondition, "TEAM_UNREACHABLE",
               fmt::format("nobody of {} can be told now: the team has no contact and nobody of it "
                           "is on call; offer the lead to another team",
                           input.team));
}

absl::Status DecideHandoverReply(const TenantState& state, const HandoverReply& input, Micros now,
                                 Facts& facts) {
  TANDEM_ASSIGN_OR_RETURN(const Incident* incident, FindForAction(state, input.incident));
  if (!incident->handover) {
    return Error(absl::StatusCode::kFailedPrecondition, "HANDOVER_NONE",
                 fmt::format("the lead of incident {} is not on offer", incident->number.value));
  }
  const playbook::Team& offered = incident->playbook->teams()[incident->handover->team];
  // Whoever has offered it may take it back.
  const bool withdraws = !input.accept && input.actor.side == incident->Owner().side;
  if (input.actor.side != offered.side && !withdraws) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "HANDOVER_OTHER_SIDE",
        fmt::format("the lead is offered to {}; a person of that side replies", Named(offered)));
  }
  if (!input.team.empty() && input.team != offered.name) {
    return Error(absl::StatusCode::kFailedPrecondition, "HANDOVER_OTHER_TEAM",
                 fmt::format("the lead of incident {} is offered to {} now, not to \"{}\"",
                             incident->number.value, Named(offered), Shown(input.team)));
  }
  const std::uint32_t before = incident->owner;
  if (!input.accept) {
    facts.push_back(HandoverDeclined{incident->number, input.actor, offered.name, input.comment,
                                     input.request_id});
    CancelDeliveries(state, *incident, Withdraw::kOffer, "no longer on offer", facts);
    TellTeam(state, *incident, "handover.declined", withdraws ? incident->handover->team : before,
             now, facts);
    return absl::OkStatus();
  }
  facts.push_back(HandoverAccepted{incident->number, input.actor, offered.name, input.comment,
                                   input.request_id});
  // Who takes the lead works on it.
  facts.push_back(IncidentAcknowledged{
      .incident = incident->number,
      .actor = input.actor,
      .expires = now + absl::ToInt64Microseconds(incident->Rule().ack_expires)});
  CancelDeliveries(state, *incident, Withdraw::kEscalation, "acknowledged", facts);
  CancelDeliveries(state, *incident, Withdraw::kOffer, "accepted", facts);
  TellTeam(state, *incident, "handover.accepted", before, now, facts);
  return absl::OkStatus();
}

bool DecideRequests(const TenantState& state, const Incident& incident, Micros now, Facts& facts) {
  if (incident.handover && incident.handover->expires <= now) {
    facts.push_back(
        HandoverLapsed{incident.number, incident.playbook->teams()[incident.handover->team].name});
    TellTeam(state, incident, "handover.lapsed", incident.owner, now, facts);
    return true;
  }
  if (incident.ask_at != 0 && incident.ask_at <= now) {
    Ask(state, incident, now, facts);
    return true;
  }
  for (const TeamRequest& request : incident.requests) {
    if (request.state != State::kOpen || request.due > now) continue;
    Lapse(state, incident, request, now, facts);
    return true;
  }
  return false;
}

}  // namespace tandem::core
