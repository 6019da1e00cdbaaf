#include "router/replay/scripted_notifier.h"

#include <algorithm>
#include <variant>

#include "router/base/check.h"

namespace tandem::replay {

void ScriptedNotifier::SetOut(const std::string& contact, absl::Time until) {
  absl::Time& known = out_.try_emplace(contact, until).first->second;
  known = std::max(known, until);
}

void ScriptedNotifier::Take(const core::Facts& facts, absl::Time now) {
  for (const core::Fact& fact : facts) {
    if (const auto* planned = std::get_if<core::DeliveryPlanned>(&fact)) {
      open_[planned->delivery] = {.contact = planned->contact, .first_seen = now, .next = now};
      agenda_.emplace(now, planned->delivery);
    } else if (const auto* cancelled = std::get_if<core::DeliveryCancelled>(&fact)) {
      const auto found = open_.find(cancelled->delivery);
      if (found == open_.end()) continue;
      agenda_.erase({found->second.next, cancelled->delivery});
      open_.erase(found);
    }
  }
}

std::optional<absl::Time> ScriptedNotifier::Next() const {
  if (agenda_.empty()) return std::nullopt;
  return agenda_.begin()->first;
}

std::array<core::DeliveryReport, 2> ScriptedNotifier::Attempt(absl::Time now) {
  TANDEM_CHECK(!agenda_.empty() && agenda_.begin()->first <= now, "an attempt is due");
  const DeliveryNumber number = agenda_.begin()->second;
  agenda_.erase(agenda_.begin());
  const auto found = open_.find(number);
  Open& open = found->second;
  ++open.attempts;
  using Outcome = core::DeliveryReport::Outcome;
  core::DeliveryReport attempting{
      .delivery = number, .outcome = Outcome::kAttempting, .attempt = open.attempts};
  core::DeliveryReport ended = attempting;
  ended.outcome = Outcome::kSucceeded;
  const auto out = out_.find(open.contact);
  if (out != out_.end() && now < out->second) {
    ended.detail = "it does not answer";
    open.next = now + std::max(RetryCeiling(policy_, open.attempts) / 2, policy_.shortest);
    const bool again =
        open.attempts < policy_.attempts_max && open.next <= open.first_seen + policy_.window;
    ended.outcome = again ? Outcome::kFailed : Outcome::kGivenUp;
    if (again) {
      ended.not_before = open.next;
      agenda_.emplace(open.next, number);
      return {std::move(attempting), std::move(ended)};
    }
  }
  open_.erase(found);
  return {std::move(attempting), std::move(ended)};
}

}  // namespace tandem::replay
