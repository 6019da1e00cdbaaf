#include "router/codec/timeline.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include "router/base/text.h"
#include "router/codec/convert.h"
#include "router/codec/projection.h"

namespace tandem::codec {
namespace {

std::string At(core::Micros micros) { return SecondsText(absl::FromUnixMicros(micros)); }

std::string Who(const core::Actor& actor) {
  if (actor.side == Side::kUnspecified) return "Tandem";
  return fmt::format("{} ({})", actor.principal, ToText(actor.side));
}

std::string_view Follows(playbook::Unanswered unanswered) {
  switch (unanswered) {
    case playbook::Unanswered::kEscalate:
      return "the escalation goes on";
    case playbook::Unanswered::kProceed:
      return "the owner acts alone";
    case playbook::Unanswered::kHold:
      return "nothing is done until somebody answers";
  }
  return "";
}

// "; nobody is on call by noc-rota, plant-rota"; "" when every schedule of the step had somebody.
std::string Unstaffed(const core::StepTaken& fact, const char* before) {
  if (fact.unstaffed.empty()) return "";
  return fmt::format("{}nobody is on call by {}", before, fmt::join(fact.unstaffed, ", "));
}

// Whom the contact stands for.
std::string ToldAs(const core::DeliveryPlanned& fact) {
  const std::string team = fact.team.empty() ? "" : fmt::format("for team {}", fact.team);
  if (fact.person.empty()) return team.empty() ? "as the last resort" : team;
  const std::string person = fact.schedule.empty()
                                 ? fact.person
                                 : fmt::format("{} (on call by {})", fact.person, fact.schedule);
  return team.empty() ? "for " + person : fmt::format("for {}, {}", person, team.substr(4));
}

class Teller {
 public:
  Teller(const core::TenantState& state, const core::Incident& incident, v1::TimelineEntry* entry)
      : state_(state), incident_(incident), entry_(entry) {
    entry_->mutable_actor()->set_principal("tandem");
  }

  bool operator()(const core::IncidentOpened& fact) {
    const playbook::Rule& rule = incident_.Rule();
    return Say("OPENED",
               fmt::format("Opened for {} by rule {}: {}{}",
                           incident_.playbook->teams()[rule.owner].name, rule.name,
                           ToText(fact.handling), fact.context_gap ? ", with a context gap" : ""));
  }
  bool operator()(const core::IncidentReopened& fact) {
    By(fact.actor, fact.comment);
    return Say("REOPENED", fact.actor.side == Side::kUnspecified
                               ? "Reopened: its group fired again"
                               : fmt::format("Reopened by {}", Who(fact.actor)));
  }
  bool operator()(const core::SeverityRaised& fact) {
    return Say("SEVERITY_RAISED", fmt::format("Now {}", ToText(fact.severity)));
  }
  bool operator()(const core::IncidentAcknowledged& fact) {
    By(fact.actor, fact.comment);
    return Say("ACKNOWLEDGED", fmt::format("{} works on it, until {} unless renewed",
                                           Who(fact.actor), At(fact.expires)));
  }
  bool operator()(const core::AcknowledgementExpired&) {
    return Say("ACKNOWLEDGEMENT_EXPIRED",
               "The acknowledgement has expired; the escalation goes on");
  }
  bool operator()(const core::IncidentNoted& fact) {
    By(fact.actor, fact.text);
    return Say("NOTED", fmt::format("Note by {}", Who(fact.actor)));
  }
  bool operator()(const core::IncidentResolved& fact) {
    By(fact.actor, fact.comment);
    return Say("RESOLVED", fact.actor.side == Side::kUnspecified
                               ? "Resolved: nothing of it fires any more"
                               : fmt::format("Resolved by {}", Who(fact.actor)));
  }
  bool operator()(const core::RequestOpened& fact) {
    std::string options;
    for (const std::string& option : fact.options) {
      options += (options.empty() ? " (" : " | ") + option;
    }
    if (!options.empty()) options += ")";
    return Say("REQUEST_OPENED",
               fmt::format("{} is asked {}: {}{}; {}", fact.team,
                           fact.kind == Handling::kNeedsDecision ? "to decide" : "for input",
                           fact.question, options,
                           fact.unreached ? "nobody of it can be told now"
                                          : fmt::format("due at {}, and then {}", At(fact.due),
                                                        Follows(fact.unanswered))));
  }
  bool operator()(const core::RequestAnswered& fact) {
    By(fact.actor, fact.comment);
    return Say("REQUEST_ANSWERED", fmt::format("{} answers request {}: {}", Who(fact.actor),
                                               fact.request, fact.answer));
  }
  bool operator()(const core::RequestLapsed& fact) {
    const bool rests = fact.unanswered == playbook::Unanswered::kEscalate &&
                       incident_.state == IncidentState::kAcknowledged;
    return Say("REQUEST_LAPSED",
               fmt::format("Nobody has answered request {} in time: {}", fact.request,
                           rests ? "the owner is told, as somebody works on it"
                                 : Follows(fact.unanswered)));
  }
  bool operator()(const core::HandoverOffered& fact) {
    By(fact.actor, fact.comment);
    return Say("HANDOVER_OFFERED", fmt::format("{} offers the lead to {}, until {}",
                                               Who(fact.actor), fact.team, At(fact.expires)));
  }
  bool operator()(const core::HandoverAccepted& fact) {
    By(fact.actor, fact.comment);
    return Say("HANDOVER_ACCEPTED",
               fmt::format("{} accepts: {} leads", Who(fact.actor), fact.team));
  }
  bool operator()(const core::HandoverDeclined& fact) {
    By(fact.actor, fact.comment);
    return Say(
        "HANDOVER_DECLINED",
        fact.actor.side == incident_.Owner().side
            ? fmt::format("{} takes the offer to {} back", Who(fact.actor), fact.team)
            : fmt::format("{} declines: {} does not take the lead", Who(fact.actor), fact.team));
  }
  bool operator()(const core::HandoverLapsed& fact) {
    return Say("HANDOVER_LAPSED",
               fmt::format("{} has not replied to the offer of the lead; it stays with {}",
                           fact.team, incident_.Owner().name));
  }
  bool operator()(const core::StepTaken& fact) {
    const std::string because = Unstaffed(fact, ": "), but = Unstaffed(fact, "; ");
    if (fact.last_resort) {
      return Say("ESCALATION_EXHAUSTED",
                 fact.nobody
                     ? "The escalation is finished and there is nobody left to tell" + because
                     : "The escalation is finished; the last resort is told" + but);
    }
    const std::string round = fact.round > 1 ? fmt::format(" (round {})", fact.round) : "";
    return Say("STEP_TAKEN",
               fact.nobody ? fmt::format("Step {}{} has nobody to tell{}; the next follows at once",
                                         fact.step, round, because)
                           : fmt::format("Step {}{} of the escalation{}", fact.step, round, but));
  }
  bool operator()(const core::StepHastened&) {
    return Say("STEP_TAKEN", "Every delivery of the step has failed; the next follows at once");
  }
  bool operator()(const core::DeliveryPlanned& fact) {
    return SayDelivery(fact, "DELIVERY_PLANNED",
                       fmt::format("{} to be told {}", fact.contact, ToldAs(fact)));
  }
  bool operator()(const core::DeliveryAttempted& fact) {
    return SayDelivery(fact, "DELIVERY_ATTEMPTED",
                       fmt::format("Telling {} (attempt {})", fact.contact, fact.attempt));
  }
  bool operator()(const core::DeliverySucceeded& fact) {
    return SayDelivery(fact, "DELIVERY_SUCCEEDED",
                       fmt::format("{} was told (attempt {}, {})", fact.contact, fact.attempt,
                                   DurationText(fact.latency)));
  }
  bool operator()(const core::DeliveryFailed& fact) {
    entry_->set_reason(fact.detail);
    if (fact.not_before == 0) {
      return SayDelivery(fact, "DELIVERY_FAILED",
                         fmt::format("{} cannot be told yet: {}", fact.contact, fact.detail));
    }
    PutTime(fact.not_before, entry_->mutable_next_attempt_time());
    return SayDelivery(fact, "DELIVERY_FAILED",
                       fmt::format("Telling {} failed: {}; next attempt not before {}",
                                   fact.contact, fact.detail, At(fact.not_before)));
  }
  bool operator()(const core::DeliveryGivenUp& fact) {
    entry_->set_reason(fact.detail);
    return SayDelivery(
        fact, "DELIVERY_GIVEN_UP",
        fmt::format("Telling {} failed for good after {} {}: {}", fact.contact, fact.attempt,
                    fact.attempt == 1 ? "attempt" : "attempts", fact.detail));
  }
  bool operator()(const core::DeliveryCancelled& fact) {
    return SayDelivery(fact, "DELIVERY_CANCELLED",
                       fmt::format("{} need not be told any more: {}", fact.contact, fact.reason));
  }
  // What only plans ahead, or is no incident's.
  template <typename Other>
  bool operator()(const Other&) {
    return false;
  }

 private:
  bool Say(const char* kind, std::string text) {
    entry_->set_kind(kind);
    entry_->set_text(std::move(text));
    return true;
  }
  void By(const core::Actor& actor, const std::string& comment) {
    Put(actor, entry_->mutable_actor());
    entry_->set_comment(comment);
  }
  template <typename Fact>
  bool SayDelivery(const Fact& fact, const char* kind, std::string text) {
    entry_->set_delivery_id(DeliveryId(state_.tenant, fact.incident, fact.delivery));
    entry_->set_contact(fact.contact);
    return Say(kind, std::move(text));
  }

  const core::TenantState& state_;
  const core::Incident& incident_;
  v1::TimelineEntry* entry_;
};

}  // namespace

std::optional<IncidentNumber> IncidentOf(const core::Fact& fact) {
  return std::visit(
      [](const auto& f) -> std::optional<IncidentNumber> {
        using F = std::decay_t<decltype(f)>;
        if constexpr (std::is_same_v<F, core::ClientAdvanced> ||
                      std::is_same_v<F, core::ContextChanged> ||
                      std::is_same_v<F, core::EndsDeferred> ||
                      std::is_same_v<F, core::PlaybookActivated> ||
                      std::is_same_v<F, core::AlertFired> ||
                      std::is_same_v<F, core::AlertRefreshed> ||
                      std::is_same_v<F, core::AlertCleared>) {
          return std::nullopt;
        } else {
          return f.incident;
        }
      },
      fact);
}

bool Tell(const core::TenantState& state, const core::Incident& incident, const core::Fact& fact,
          v1::TimelineEntry* entry) {
  return std::visit(Teller(state, incident, entry), fact);
}

}  // namespace tandem::codec
