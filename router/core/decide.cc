#include "router/core/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/core/apply.h"
#include "router/core/decide_parts.h"

namespace tandem::core {
namespace {

// Deadlines of incidents that one TimePassed works off; more are left for the next.
constexpr std::size_t kIncidentsPerTimePassed = 256;

// Decides an input part by part, applying what each part decided before the next is looked at.
class Stepper {
 public:
  Stepper(TenantState& state, const Input& input, absl::Time now)
      : state_(state),
        now_(absl::ToUnixMicros(now)),
        position_{&input, state.last_sequence.Next(), now_} {
    TANDEM_CHECK(now_ >= state.last_time, "time does not go back");
  }

  Outcome Run(const Input& input) {
    std::visit(*this, input);
    if (!outcome_.facts.empty()) EndRecord(state_, position_);
    return std::move(outcome_);
  }

  void operator()(const AlertBatch& batch) {
    if (!batch.client_id.empty()) {
      const auto client = state_.clients.find(std::string(batch.client_id));
      if (client != state_.clients.end() && batch.number <= client->second.number) {
        outcome_.repeated = true;
        return;
      }
    }
    outcome_.facts.reserve(batch.alerts.size() + 2);
    for (const AlertItem& alert : batch.alerts) {
      DecideAlert(state_, batch, alert, now_, part_);
      ApplyPart();
    }
    if (!batch.client_id.empty()) {
      part_.push_back(ClientAdvanced{std::string(batch.client_id), batch.number});
      ApplyPart();
    }
  }

  void operator()(const Acknowledgement& input) {
    Act(input, {"acknowledge", input.comment}, DecideAcknowledgement);
  }
  void operator()(const Note& input) { Act(input, {"note", input.text}, DecideNote); }
  void operator()(const Resolution& input) {
    Act(input, {"resolve", input.comment}, DecideResolution);
  }
  void operator()(const Reopening& input) {
    Act(input, {"reopen", input.comment}, DecideReopening);
  }
  void operator()(const RequestAnswer& input) {
    Act(input, {"answer", AnswerContent(input.request, input.answer, input.comment)}, DecideAnswer);
  }
  void operator()(const HandoverOffer& input) {
    Act(input, {"offer", OfferContent(input.team, input.comment)}, DecideHandoverOffer);
  }
  void operator()(const HandoverReply& input) {
    Act(input, {input.accept ? "accept" : "decline", input.comment}, DecideHandoverReply);
  }

  void operator()(const DeliveryReport& report) {
    DecideDeliveryReport(state_, report, now_, part_);
    ApplyPart();
  }

  void operator()(const ContextChange& change) {
    if (!change.snapshot && change.version <= state_.context_version) {
      outcome_.repeated = true;
      return;
    }
    part_.push_back(ContextChanged{change.version});
    ApplyPart();
  }

  void operator()(const PlaybookActivation& activation) {
    const std::string content = activation.playbook->digest() + activation.comment;
    if (TakenBefore(activation.actor, activation.request_id,
                    RequestContent("activate", IncidentNumber(), content))) {
      return;
    }
    part_.push_back(PlaybookActivated{
        activation.playbook->digest(), activation.actor, activation.comment, activation.request_id,
        static_cast<std::uint32_t>(activation.playbook->rules().size())});
    ApplyPart();
  }

  void operator()(const Resumption& resumption) {
    const Micros until = now_ + absl::ToInt64Microseconds(resumption.grace);
    if (state_.alerts.size() == 0 || until <= state_.ends_deferred) return;
    part_.push_back(EndsDeferred{until});
    ApplyPart();
  }

  void operator()(const TimePassed&) {
    if (now_ >= state_.ends_deferred) {
      for (const AlertSlot* alert : state_.alerts.Due(now_, kAlertsPerTimePassed)) {
        part_.push_back(AlertCleared{alert->number, alert->incident, alert->ends, true,
                                     alert->source, alert->source_index});
      }
    }
    // The pointers of Due end with the first Apply, so all clear as one part; each incident is then
    // looked at once.
    std::vector<IncidentNumber> touched;
    for (const Fact& fact : part_) touched.push_back(std::get<AlertCleared>(fact).incident);
    ApplyPart();
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (const IncidentNumber number : touched) {
      DecideQuiet(*state_.FindIncident(number), now_, part_);
      ApplyPart();
    }
    for (std::size_t i = 0; i < kIncidentsPerTimePassed && !state_.deadlines.empty(); ++i) {
      const auto [due, number] = *state_.deadlines.begin();
      if (due > now_) break;
      DecideDeadline(state_, *state_.FindIncident(number), now_, part_);
      ApplyPart();
    }
    looked_ = true;
  }

  // A look that decided nothing still moves the wakes of the alerts it met. That is no part of the
  // state's meaning, so it needs no record.
  bool looked() const { return looked_; }

 private:
  // True when nothing is left to decide: the request was taken before, or its id was used for
  // something else.
  bool TakenBefore(const Actor& actor, const std::string& request_id, std::uint64_t content) {
    const std::string key = RequestKey(actor, request_id);
    const auto taken = key.empty() ? state_.requests.end() : state_.requests.find(key);
    if (taken == state_.requests.end() || taken->second.time < now_ - kRequestsKept) return false;
    if (taken->second.content == content || taken->second.content == 0) {
      outcome_.repeated = true;
    } else {
      outcome_.refused = RequestIdReused();
    }
    return true;
  }

  // What is compared with the request's first coming.
  struct Said {
    std::string_view verb;
    std::string text;
  };

  template <typename Action, typename Decide>
  void Act(const Action& action, const Said& said, Decide decide) {
    if (TakenBefore(action.actor, action.request_id,
                    RequestContent(said.verb, action.incident, said.text))) {
      return;
    }
    outcome_.refused = decide(state_, action, now_, part_);
    if (outcome_.refused.ok()) ApplyPart();
    part_.clear();
  }

  void ApplyPart() {
    for (Fact& fact : part_) {
      Apply(state_, position_, fact);
      outcome_.facts.push_back(std::move(fact));
    }
    part_.clear();
  }

  TenantState& state_;
  Micros now_;
  Position position_;
  Facts part_;
  Outcome outcome_;
  bool looked_ = false;
};

}  // namespace

Outcome Step(TenantState& state, const Input& input, absl::Time now) {
  Stepper stepper(state, input, now);
  Outcome outcome = stepper.Run(input);
  if (stepper.looked() && outcome.facts.empty()) SettleAlerts(state, absl::ToUnixMicros(now));
  return outcome;
}

void Replay(TenantState& state, const Input& input, const Facts& facts, Sequence sequence,
            absl::Time time) {
  const Position position{&input, sequence, absl::ToUnixMicros(time)};
  for (const Fact& fact : facts) Apply(state, position, fact);
  EndRecord(state, position);
}

}  // namespace tandem::core
