#include "router/core/escalation.h"

#include <algorithm>
#include <set>
#include <variant>

namespace tandem::core {
namespace {

constexpr Micros kMinute = 60'000'000;

Micros ToMicros(absl::Duration duration) { return absl::ToInt64Microseconds(duration); }

// Between two rounds of a ladder: as long as between its last two rungs, at least a minute, and
// five minutes for a ladder of one rung.
Micros RoundPause(const playbook::Escalation& ladder) {
  if (ladder.steps.size() < 2) return 5 * kMinute;
  const auto& last = ladder.steps[ladder.steps.size() - 1];
  const auto& before = ladder.steps[ladder.steps.size() - 2];
  return std::max(kMinute, ToMicros(last.after - before.after));
}

struct Rung {
  std::uint32_t step = 0;   // from 1
  std::uint32_t round = 0;  // from 1
  bool last_resort = false;
};

Rung NextRung(const Incident& incident, const playbook::Escalation& ladder) {
  const auto steps = static_cast<std::uint32_t>(ladder.steps.size());
  if (incident.exhausted) return {steps, incident.round, true};
  if (incident.step < steps) return {incident.step + 1, incident.round, false};
  if (incident.round <= ladder.repeat) return {1, incident.round + 1, false};
  return {steps, incident.round, true};
}

// When the rung after `rung` is due.
Micros DueAfter(const Incident& incident, const playbook::Escalation& ladder, const Rung& rung,
                Micros now) {
  if (rung.last_resort) return now + kLastResortEvery;
  // The ladder starts with its first rung, which may itself come after a while.
  const Micros start = rung.round == incident.round ? incident.ladder_start : now;
  if (rung.step < ladder.steps.size()) {
    const Micros planned =
        start + ToMicros(ladder.steps[rung.step].after - ladder.steps.front().after);
    // A rung that would be overdue at once (the router was down) keeps its distance from this one.
    const Micros gap = ToMicros(ladder.steps[rung.step].after - ladder.steps[rung.step - 1].after);
    return planned > now ? planned : now + gap;
  }
  return now + RoundPause(ladder);
}

class Planner {
 public:
  Planner(const TenantState& state, const Incident& incident, Facts& facts)
      : state_(state), incident_(incident), facts_(facts), next_(state.last_delivery) {
    // Deliveries that the same part of the input has planned already are not applied yet.
    for (const Fact& fact : facts) {
      if (const auto* planned = std::get_if<DeliveryPlanned>(&fact)) {
        next_ = std::max(next_, planned->delivery);
      }
    }
  }

  void Plan(const char* event_type, std::uint32_t step, Told whom) {
    // A contact in two teams of a rung is told once.
    if (!contacts_.insert(whom.contact).second) return;
    next_ = next_.Next();
    facts_.push_back(DeliveryPlanned{.delivery = next_,
                                     .incident = incident_.number,
                                     .event_type = event_type,
                                     .step = step,
                                     .team = std::move(whom.team),
                                     .contact = std::move(whom.contact),
                                     .person = std::move(whom.person),
                                     .schedule = std::move(whom.schedule)});
  }

 private:
  const TenantState& state_;
  const Incident& incident_;
  Facts& facts_;
  DeliveryNumber next_;
  std::set<std::string> contacts_;
};

const char* EventTypeOf(const Incident& incident, const Rung& rung) {
  if (rung.step > 1 || rung.round > 1 || rung.last_resort) return "incident.escalated";
  return incident.reopened > 0 ? "incident.reopened" : "incident.opened";
}

// Whom a rung tells now: teams, then who is on call, then people; within a team its contacts, then
// its members. A person is told by the first of her contacts.
class Roll {
 public:
  Roll(const playbook::Playbook& playbook, absl::Time now) : playbook_(playbook), now_(now) {}

  void Call(const playbook::Step& step) {
    for (const std::uint32_t team : step.teams) CallTeam(team);
    for (const std::uint32_t schedule : step.schedules) CallOnDuty(playbook_.schedules()[schedule]);
    for (const std::uint32_t person : step.people) Add("", person, "");
  }
  void CallTeam(std::uint32_t index) {
    const playbook::Team& team = playbook_.teams()[index];
    for (const std::uint32_t contact : team.contacts) {
      told_.push_back({.team = team.name, .contact = playbook_.contacts()[contact].name});
    }
    for (const std::uint32_t person : team.members) Add(team.name, person, "");
  }
  // Who is on call for the team.
  void CallOnDutyFor(std::uint32_t team) {
    for (const playbook::Schedule& schedule : playbook_.schedules()) {
      if (schedule.spec().team == team) CallOnDuty(schedule);
    }
  }

  std::vector<Told>& told() { return told_; }
  std::vector<std::string>& unstaffed() { return unstaffed_; }

 private:
  void CallOnDuty(const playbook::Schedule& schedule) {
    const auto duty = schedule.OnCall(now_);
    if (duty) {
      Add(playbook_.teams()[schedule.spec().team].name, duty->person, schedule.name());
    } else {
      unstaffed_.push_back(schedule.name());
    }
  }
  void Add(const std::string& team, std::uint32_t index, const std::string& schedule) {
    const playbook::Person& person = playbook_.people()[index];
    told_.push_back({.team = team,
                     .contact = playbook_.contacts()[person.contacts.front()].name,
                     .person = person.name,
                     .schedule = schedule});
  }

  const playbook::Playbook& playbook_;
  absl::Time now_;
  std::vector<Told> told_;
  std::vector<std::string> unstaffed_;
};

bool Concerns(Withdraw what, std::string_view type) {
  switch (what) {
    case Withdraw::kEverything:
      return true;
    case Withdraw::kEscalation:
      return type.starts_with("incident.");
    case Withdraw::kQuestion:
      return type.starts_with("request.");
    case Withdraw::kOffer:
      return type.starts_with("handover.");
  }
  return true;
}

}  // namespace

void TakeStep(const TenantState& state, const Incident& incident, Micros now, Facts& facts) {
  const playbook::Playbook& playbook = *incident.playbook;
  const playbook::Escalation& ladder = playbook.escalations()[incident.Rule().escalation];
  const Rung rung = NextRung(incident, ladder);
  const std::size_t taken_at = facts.size();
  facts.push_back(StepTaken{.incident = incident.number,
                            .step = rung.step,
                            .round = rung.round,
                            .last_resort = rung.last_resort,
                            .next_step = DueAfter(incident, ladder, rung, now)});
  Planner planner(state, incident, facts);
  const char* type = EventTypeOf(incident, rung);
  if (rung.last_resort && playbook.last_resort()) {
    planner.Plan(type, rung.step, {.contact = playbook.contacts()[*playbook.last_resort()].name});
  } else {
    Roll roll(playbook, absl::FromUnixMicros(now));
    roll.Call(ladder.steps[rung.step - 1]);
    if (incident.owner != incident.Rule().owner) roll.CallTeam(incident.owner);
    std::get<StepTaken>(facts[taken_at]).unstaffed = std::move(roll.unstaffed());
    for (Told& whom : roll.told()) planner.Plan(type, rung.step, std::move(whom));
  }
  if (facts.size() > taken_at + 1) return;
  auto& taken = std::get<StepTaken>(facts[taken_at]);
  taken.nobody = true;
  // Nobody to tell: no reason to wait, unless this was the end of the ladder.
  if (!rung.last_resort) taken.next_step = now;
}

void TellAgain(const TenantState& state, const Incident& incident, const char* event_type,
               TellOptions options, Facts& facts) {
  Planner planner(state, incident, facts);
  for (const Told& told : incident.told) {
    if (options.only_reached && !told.reached) continue;
    planner.Plan(event_type, 0, told);
  }
}

bool TellTeam(const TenantState& state, const Incident& incident, const char* event_type,
              std::uint32_t team, Micros now, Facts& facts) {
  Roll roll(*incident.playbook, absl::FromUnixMicros(now));
  roll.CallTeam(team);
  if (roll.told().empty()) roll.CallOnDutyFor(team);
  Planner planner(state, incident, facts);
  for (Told& whom : roll.told()) planner.Plan(event_type, 0, std::move(whom));
  return !roll.told().empty();
}

bool TellNextContact(const TenantState& state, const Incident& incident, const Delivery& failed,
                     Facts& facts) {
  if (failed.person.empty() || incident.state == IncidentState::kResolved) return false;
  // A step that has been overtaken is told no more.
  if (failed.step > 0 && (incident.state != IncidentState::kOpen || failed.step != incident.step)) {
    return false;
  }
  const playbook::Playbook& playbook = *incident.playbook;
  for (const playbook::Person& person : playbook.people()) {
    if (person.name != failed.person) continue;
    for (std::size_t i = 0; i + 1 < person.contacts.size(); ++i) {
      if (playbook.contacts()[person.contacts[i]].name != failed.contact) continue;
      Planner planner(state, incident, facts);
      planner.Plan(failed.event_type.c_str(), failed.step,
                   {.team = failed.team,
                    .contact = playbook.contacts()[person.contacts[i + 1]].name,
                    .person = failed.person,
                    .schedule = failed.schedule});
      return true;
    }
  }
  return false;
}

void CancelDeliveries(const TenantState& state, const Incident& incident, Withdraw what,
                      const char* reason, Facts& facts) {
  for (const DeliveryNumber delivery : incident.open_deliveries) {
    if (!Concerns(what, state.deliveries.at(delivery).event_type)) continue;
    facts.push_back(DeliveryCancelled{.delivery = delivery,
                                      .incident = incident.number,
                                      .contact = state.deliveries.at(delivery).contact,
                                      .reason = reason});
  }
}

}  // namespace tandem::core
