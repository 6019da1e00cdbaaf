// What tests of the core share: a tenant with a playbook, alerts from short lists, and time that
// moves only when it is told to.
//
// For tests only. One thread at a time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "router/core/decide.h"
#include "router/playbook/parse.h"

namespace tandem::core::testing {

// Two rungs (at once, after 15 min), one repetition, and a last resort.
inline constexpr std::string_view kPlaybook = R"(playbook: 1
tenant: t
defaults: {group_by: [alertname], group_wait: 10s, resolve_wait: 30s, reopen_within: 15m,
           ack_expires: 1h}
contacts:
  ann: {side: provider, webhook: {url: "https://hooks.example/ann"}}
  ben: {side: provider, webhook: {url: "https://hooks.example/ben"}}
  cat: {side: customer, webhook: {url: "https://hooks.example/cat"}}
  boss: {side: customer, webhook: {url: "https://hooks.example/boss"}}
teams:
  noc: {side: provider, contacts: [ann, ben]}
  plant: {side: customer, contacts: [cat]}
  nobody: {side: provider}
escalations:
  usual:
    steps: [{after: 0s, notify: [noc]}, {after: 15m, notify: [plant, noc]}]
    repeat: 1
  late:
    steps: [{after: 5m, notify: [noc]}, {after: 15m, notify: [plant]}]
  gap:
    steps: [{after: 0s, notify: [nobody]}, {after: 15m, notify: [plant]}]
last_resort: boss
rules:
  - name: late
    match: ['alertname="Late"']
    owner: noc
    handling: autonomous
    escalation: late
    reason: A rule of the tests.
  - name: gap
    match: ['alertname="Gap"']
    owner: plant
    handling: autonomous
    escalation: gap
    reason: A rule of the tests.
  - name: factory
    match: ['alertname="Factory"', 'site.kind="factory"']
    owner: plant
    handling: needs_decision
    escalation: usual
    reason: A rule of the tests.
  - name: rest
    owner: noc
    handling: autonomous
    escalation: usual
    reason: A rule of the tests.
)";

// With schedules and people. The rota changes every hour from noon (UTC) of the day on which a
// World begins, at noon.
inline constexpr std::string_view kOnCallPlaybook = R"(playbook: 1
tenant: t
defaults: {group_by: [alertname], group_wait: 10s, resolve_wait: 30s}
contacts:
  desk: {side: provider, webhook: {url: "https://hooks.example/desk"}}
  tom-hook: {side: provider, webhook: {url: "https://hooks.example/tom"}}
  ann-hook: {side: provider, webhook: {url: "https://hooks.example/ann"}}
  ann-mail: {side: provider, webhook: {url: "https://hooks.example/ann-mail"}}
  eva-phone: {side: customer, webhook: {url: "https://hooks.example/eva"}}
people:
  tom: {side: provider, contacts: [tom-hook]}
  ann: {side: provider, contacts: [ann-hook, ann-mail]}
  eva: {side: customer, contacts: [eva-phone]}
teams:
  noc: {side: provider, contacts: [desk], members: [tom, ann]}
  plant: {side: customer, members: [eva]}
calendars:
  never: {intervals: [{years: ["2020"]}]}
schedules:
  rota:
    team: noc
    time_zone: UTC
    layers:
      - {name: day, start: "2026-06-01", rotate: 1h, hand_over: "12:00", people: [tom, ann]}
  empty:
    team: plant
    time_zone: UTC
    layers:
      - {name: day, start: "2020-01-01", rotate: 1d, hand_over: "00:00", people: [eva], only: {calendar: never}}
escalations:
  rota: {steps: [{after: 0s, notify: [rota]}, {after: 1h, notify: [rota, eva]}]}
  team: {steps: [{after: 0s, notify: [ann, rota, noc]}]}
  gap: {steps: [{after: 0s, notify: [empty]}, {after: 15m, notify: [empty, rota]}]}
rules:
  - {name: team, match: ['alertname="Team"'], owner: noc, handling: autonomous, escalation: team, reason: r}
  - {name: gap, match: ['alertname="Gap"'], owner: noc, handling: autonomous, escalation: gap, reason: r}
  - {name: rest, owner: noc, handling: autonomous, escalation: rota, reason: r}
)";

inline const absl::Time kNoon = absl::FromUnixSeconds(1'780'315'200);  // 2026-06-01T12:00:00Z
inline const Actor kAnn{"ann@provider.example", Side::kProvider};

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct AlertSpec {
  Pairs labels;  // sorted by name
  Pairs annotations = {};
  std::optional<absl::Time> starts = {};
  std::optional<absl::Time> ends = {};
};

// A batch that owns what its views point into.
class Batch {
 public:
  Batch(const IdentityKey& key, const std::vector<AlertSpec>& alerts) : specs_(alerts) {
    for (const AlertSpec& spec : specs_) {
      AlertItem item{.index = static_cast<std::uint32_t>(items_.size())};
      item.labels = View(spec.labels);
      item.annotations = View(spec.annotations);
      item.starts_at = spec.starts;
      item.ends_at = spec.ends;
      item.identity = IdentityOf(key, item.labels);
      item.details = DetailsHash(item.annotations, item.generator_url);
      items_.push_back(item);
    }
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  AlertBatch input() const { return {.alerts = items_}; }

 private:
  playbook::LabelsView View(const Pairs& pairs) {
    auto& views = views_.emplace_back();
    for (const auto& [name, value] : pairs) views.push_back({name, value});
    return views;
  }

  std::vector<AlertSpec> specs_;
  std::deque<std::vector<playbook::LabelView>> views_;
  std::vector<AlertItem> items_;
};

// The facts of one kind, in order.
template <typename T>
std::vector<T> Of(const Facts& facts) {
  std::vector<T> found;
  for (const Fact& fact : facts) {
    if (const T* wanted = std::get_if<T>(&fact)) found.push_back(*wanted);
  }
  return found;
}

inline std::shared_ptr<const playbook::Playbook> Compile(std::string_view source) {
  playbook::Compiled compiled = playbook::CompilePlaybook(source);
  for (const playbook::Finding& finding : compiled.findings) {
    EXPECT_NE(finding.level, playbook::Finding::Level::kError) << finding.message;
  }
  return compiled.playbook;
}

// A tenant at noon.
class World {
 public:
  explicit World(std::string_view source = kPlaybook) {
    state.tenant = TenantId("t");
    for (std::size_t i = 0; i < state.key.size(); ++i) {
      state.key[i] = static_cast<std::uint8_t>(i * 7 + 3);
    }
    state.playbook = Compile(source);
  }

  Outcome Do(const Input& input) { return Step(state, input, now); }

  Facts Push(const std::vector<AlertSpec>& alerts, std::string_view client = {},
             std::uint64_t number = 0) {
    const Batch batch(state.key, alerts);
    AlertBatch input = batch.input();
    input.client_id = client;
    input.number = number;
    return Do(input).facts;
  }
  Facts Fire(const std::string& name, const std::string& host = "a") {
    return Push({{.labels = {{"alertname", name}, {"host", host}}}});
  }
  Facts Clear(const std::string& name, const std::string& host = "a") {
    return Push({{.labels = {{"alertname", name}, {"host", host}}, .ends = now}});
  }

  // Works off every deadline up to `now + by`, each at its time, and ends there.
  Facts Advance(absl::Duration by) {
    const absl::Time end = now + by;
    Facts all;
    for (auto due = NextDeadline(state); due && *due <= end; due = NextDeadline(state)) {
      now = std::max(now, *due);
      for (Fact& fact : Do(TimePassed{}).facts) all.push_back(std::move(fact));
    }
    now = end;
    return all;
  }
  // Advances while the alert is reported again every minute, as an agent does.
  Facts AdvanceFiring(const std::string& name, absl::Duration by) {
    Facts all;
    for (const absl::Time end = now + by; now < end;) {
      for (Fact& fact : Advance(std::min(absl::Minutes(1), end - now))) {
        all.push_back(std::move(fact));
      }
      Fire(name);
    }
    return all;
  }

  // REQUIRES: it is known.
  const Incident& Get(std::uint64_t number = 1) const {
    return *std::as_const(state).FindIncident(IncidentNumber(number));
  }
  // Reports about every open delivery.
  Facts ReportAll(DeliveryReport::Outcome outcome) {
    std::vector<DeliveryNumber> open;
    for (const auto& [number, delivery] : state.deliveries) open.push_back(number);
    Facts all;
    for (const DeliveryNumber number : open) {
      for (Fact& fact :
           Do(DeliveryReport{.delivery = number, .outcome = outcome, .attempt = 1}).facts) {
        all.push_back(std::move(fact));
      }
    }
    return all;
  }

  TenantState state;
  absl::Time now = kNoon;
};

}  // namespace tandem::core::testing
