#include "router/replay/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/core/decide.h"
#include "router/replay/scripted_notifier.h"
#include "router/replay/teller.h"

namespace tandem::replay {
namespace {

constexpr absl::Duration kAfterLastStep = absl::Hours(24);
// Inputs of one walk: a year of pages to a hundred contacts. Beyond it the story is cut.
constexpr std::uint64_t kInputsMax = 5'000'000;

// Views into `pairs`, which outlive them.
std::vector<playbook::LabelView> Views(const Pairs& pairs) {
  std::vector<playbook::LabelView> views;
  views.reserve(pairs.size());
  for (const auto& [name, value] : pairs) views.push_back({name, value});
  return views;
}

// How a story calls an alert.
std::string NameOf(const Pairs& labels) {
  const auto name = std::find_if(labels.begin(), labels.end(),
                                 [](const auto& label) { return label.first == "alertname"; });
  if (name != labels.end()) return Printable(name->second);
  return Printable(fmt::format("{}={}", labels.front().first, labels.front().second));
}

class Walker {
 public:
  Walker(const World& world, const Scenario& scenario)
      : scenario_(scenario),
        now_(scenario.start),
        end_(scenario.start +
             scenario.until.value_or(
                 (scenario.steps.empty() ? absl::ZeroDuration() : scenario.steps.back().at) +
                 kAfterLastStep)),
        teller_(state_, story_) {
    state_.tenant = TenantId(world.playbook->tenant());
    // Any key will do, as long as it is the same in each walk.
    for (std::size_t i = 0; i < state_.key.size(); ++i) {
      state_.key[i] = static_cast<std::uint8_t>(i * 7 + 3);
    }
    state_.playbook = world.playbook;
    state_.environment = world.environment;
    state_.context_version = 1;
    for (const playbook::EntitySpec& entity : scenario.context) {
      state_.environment.Put(entity).IgnoreError();  // Checked when it was read.
    }
  }

  Story Run() {
    std::size_t next_step = 0;
    while (!teller_.full()) {
      const std::optional<absl::Time> deadline = core::NextDeadline(state_);
      const std::optional<absl::Time> attempt = notifier_.Next();
      const absl::Time step = next_step < scenario_.steps.size()
                                  ? scenario_.start + scenario_.steps[next_step].at
                                  : absl::InfiniteFuture();
      const absl::Time next = std::min({deadline.value_or(absl::InfiniteFuture()),
                                        attempt.value_or(absl::InfiniteFuture()), step});
      if (next > end_) break;
      now_ = std::max(now_, next);
      if (deadline && *deadline <= now_) {
        Feed(core::TimePassed{});
      } else if (attempt && *attempt <= now_) {
        for (core::DeliveryReport& report : notifier_.Attempt(now_)) Feed(std::move(report));
      } else {
        std::visit(*this, scenario_.steps[next_step++].action);
      }
    }
    const bool ends = scenario_.until.has_value() && !story_.cut;
    story_.end = (ends ? end_ : now_) - scenario_.start;
    return std::move(story_);
  }

  void operator()(const Nothing&) {}

  void operator()(const RaiseAlert& alert) { Report(alert.labels, alert.annotations, false); }

  void operator()(const ClearAlert& alert) {
    if (!Report(alert.labels, {}, true).empty()) return;
    Say(IncidentNumber(), fmt::format("{} cleared, and had not fired", NameOf(alert.labels)));
  }

  void operator()(const Acknowledge& action) {
    Act("acknowledgement", action, Newest(), [&](IncidentNumber incident) {
      return core::Acknowledgement{.actor = action.actor,
                                   .incident = incident,
                                   .comment = action.text,
                                   .expires_in = action.holds};
    });
  }
  void operator()(const AddNote& action) {
    Act("note", action, Newest(), [&](IncidentNumber incident) {
      return core::Note{.actor = action.actor, .incident = incident, .text = action.text};
    });
  }
  void operator()(const Resolve& action) {
    Act("resolution", action, Newest(), [&](IncidentNumber incident) {
      return core::Resolution{.actor = action.actor, .incident = incident, .comment = action.text};
    });
  }
  void operator()(const Reopen& action) {
    Act("reopening", action, state_.last_incident, [&](IncidentNumber incident) {
      return core::Reopening{.actor = action.actor, .incident = incident, .comment = action.text};
    });
  }

  void operator()(const Answer& action) {
    Act("answer", action, Newest(), [&](IncidentNumber incident) {
      return core::RequestAnswer{.actor = action.actor,
                                 .incident = incident,
                                 .answer = action.answer,
                                 .comment = action.text};
    });
  }
  void operator()(const OfferLead& action) {
    Act("offer", action, Newest(), [&](IncidentNumber incident) {
      return core::HandoverOffer{
          .actor = action.actor, .incident = incident, .team = action.team, .comment = action.text};
    });
  }
  void operator()(const AcceptLead& action) { Reply(action, true); }
  void operator()(const DeclineLead& action) { Reply(action, false); }

  void operator()(const Outage& outage) {
    Say(IncidentNumber(),
        fmt::format("{} does not answer for {}", outage.contact, DurationText(outage.lasts)));
    notifier_.SetOut(outage.contact, now_ + outage.lasts);
  }

  void operator()(const PutContext& put) {
    teller_.About(fmt::format("{}/{}", put.entity.kind, put.entity.id));
    Feed(core::ContextChange{.version = state_.context_version + 1, .put = {put.entity}});
  }
  void operator()(const RemoveContext& remove) {
    teller_.About(fmt::format("{}/{} is gone", remove.kind, remove.id));
    Feed(core::ContextChange{.version = state_.context_version + 1,
                             .removed = {{remove.kind, remove.id}}});
  }

 private:
  core::Outcome Feed(const core::Input& input) {
    core::Outcome outcome = core::Step(state_, input, now_);
    if (!outcome.facts.empty()) {
      teller_.Tell(outcome.facts, now_ - scenario_.start);
      notifier_.Take(outcome.facts, now_);
    }
    if (++inputs_ == kInputsMax) {
      Say(IncidentNumber(),
          fmt::format("the story ends here: {} inputs are the limit", kInputsMax));
      story_.cut = true;
    }
    return outcome;
  }

  // An alert that fires keeps firing until it is cleared: its end by the passing of time lies
  // behind the end of the story.
  core::Facts Report(const Pairs& labels, const Pairs& annotations, bool ended) {
    const std::vector<playbook::LabelView> label_views = Views(labels);
    const std::vector<playbook::LabelView> annotation_views = Views(annotations);
    core::AlertItem item{.identity = core::IdentityOf(state_.key, label_views),
                         .details = core::DetailsHash(annotation_views, ""),
                         .labels = label_views,
                         .annotations = annotation_views};
    if (ended) item.ends_at = now_;
    teller_.About(NameOf(labels));
    return Feed(core::AlertBatch{.alerts = {&item, 1},
                                 .resolve_timeout = end_ - now_ + absl::Hours(1)})
        .facts;
  }

  void Reply(const OnIncident& action, bool accept) {
    Act(accept ? "acceptance" : "refusal", action, Newest(), [&](IncidentNumber incident) {
      return core::HandoverReply{
          .actor = action.actor, .incident = incident, .accept = accept, .comment = action.text};
    });
  }

  // The newest incident that is not resolved; 0 when there is none.
  IncidentNumber Newest() const {
    for (auto it = state_.incidents.rbegin(); it != state_.incidents.rend(); ++it) {
      if (it->second->state != IncidentState::kResolved) return it->first;
    }
    return IncidentNumber();
  }

  template <typename MakeInput>
  void Act(std::string_view what, const OnIncident& action, IncidentNumber otherwise,
           MakeInput make) {
    const IncidentNumber incident = action.incident ? IncidentNumber(*action.incident) : otherwise;
    std::string refused = "there is no such incident";
    if (!action.incident && !incident) {
      refused = "no incident is there for it";
    } else if (state_.last_incident >= incident) {
      const absl::Status status = Feed(make(incident)).refused;
      if (status.ok()) return;
      refused = MessageOf(status);
    }
    Say(incident, fmt::format("the {} by {} ({}) was refused: {}", what, action.actor.principal,
                              ToText(action.actor.side), refused));
  }

  void Say(IncidentNumber incident, std::string text) {
    teller_.Say(incident, std::move(text), now_ - scenario_.start);
  }

  const Scenario& scenario_;
  absl::Time now_;
  const absl::Time end_;
  core::TenantState state_;
  Story story_;
  ScriptedNotifier notifier_;
  Teller teller_;
  std::uint64_t inputs_ = 0;
};

}  // namespace

Story Walk(const World& world, const Scenario& scenario) { return Walker(world, scenario).Run(); }

}  // namespace tandem::replay
