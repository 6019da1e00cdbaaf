// Random but repeatable histories: batches, people, deliveries, context, playbooks that go live,
// and the passing of time.
//
// For tests only. Equal seeds and equal states give equal histories.
#pragma once

#include <fmt/format.h>

#include <random>
#include <variant>

#include "router/base/check.h"
#include "router/core/testing.h"

namespace tandem::core::testing {

// What happens next: a batch of alerts, or any other input, `later` after what was before.
struct Happening {
  absl::Duration later;
  std::vector<AlertSpec> alerts;  // used when there is no input
  std::optional<Input> input;
};

class RandomHistory {
 public:
  explicit RandomHistory(std::uint64_t seed) : random_(seed) {
    // Versions that differ in all that an incident keeps of its own: who leads it, how it is
    // handled, who is told when, how it groups and how long it waits.
    std::string other(kPlaybook);
    Replace(other, "handling: needs_decision", "handling: needs_input");
    Replace(other, "{after: 15m, notify: [plant, noc]}", "{after: 3m, notify: [plant]}");
    Replace(other, "group_by: [alertname]", "group_by: [alertname, host]");
    Replace(other, "reopen_within: 15m", "reopen_within: 1m");
    std::string third(kPlaybook);
    Replace(third, "  - name: rest\n    owner: noc", "  - name: remains\n    owner: plant");
    Replace(third, "resolve_wait: 30s", "resolve_wait: 5m");
    Replace(third, "last_resort: boss\n", "");
    for (const std::string& source : {std::string(kPlaybook), other, third}) {
      playbooks_.push_back(Compile(source));
    }
  }

  Happening Next(const TenantState& state, absl::Time now) {
    Happening next{.later = absl::Milliseconds(Below(90'000))};
    if (Below(200) == 0) next.later = absl::Hours(24 * 8);  // long enough to forget
    if (Below(40) == 0) {
      next.input = Activation();
      return next;
    }
    switch (Below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        next.alerts = Alerts(now + next.later);
        break;
      case 4:
        next.input = Person(state);
        break;
      case 5:
      case 6:
        next.input = Report(state);
        break;
      case 7:
        next.input = Context(state);
        break;
      case 8:
        if (Below(4) == 0) {
          next.input = Resumption{absl::Seconds(1 + Below(600))};
          break;
        }
        [[fallthrough]];
      default:
        next.input = TimePassed{};
    }
    return next;
  }

 private:
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }

  std::vector<AlertSpec> Alerts(absl::Time now) {
    static constexpr std::string_view kNames[] = {"Down", "Late", "Gap", "Factory"};
    static constexpr std::string_view kSeverities[] = {"info", "warning", "critical"};
    std::vector<AlertSpec> alerts(1 + Below(5));
    for (AlertSpec& alert : alerts) {
      alert.labels = {{"alertname", std::string(kNames[Below(4)])},
                      {"host", fmt::format("h{}", Below(3))},
                      {"severity", std::string(kSeverities[Below(3)])}};
      if (Below(3) == 0) alert.labels.emplace_back("site", "plant-7");
      if (Below(2) == 0) alert.annotations = {{"summary", fmt::format("text {}", Below(3))}};
      if (Below(3) == 0) alert.starts = now - absl::Seconds(700 + Below(600));
      if (Below(2) == 0) alert.ends = now + absl::Seconds(Below(1200)) - absl::Minutes(10);
    }
    return alerts;
  }

  IncidentNumber AnIncident(const TenantState& state) {
    return IncidentNumber(1 + Below(state.last_incident.value + 1));
  }

  Input Person(const TenantState& state) {
    const std::string request = Below(2) == 0 ? "" : fmt::format("r{}", Below(1000));
    switch (Below(7)) {
      case 4:
        return RequestAnswer{Below(2) == 0 ? kAnn : Actor{"cat@customer.example", Side::kCustomer},
                             AnIncident(state),
                             static_cast<std::uint32_t>(Below(3)),
                             Below(2) == 0 ? "approve" : "decline",
                             "because",
                             request};
      case 5:
        return HandoverOffer{kAnn, AnIncident(state), Below(2) == 0 ? "plant" : "noc", "yours",
                             request};
      case 6:
        return HandoverReply{Actor{"cat@customer.example", Side::kCustomer}, AnIncident(state),
                             Below(2) == 0, "ours", request};
      case 0:
        return Acknowledgement{
            kAnn, AnIncident(state), "mine", request,
            Below(2) == 0 ? std::nullopt : std::optional(absl::Minutes(1 + Below(90)))};
      case 1:
        return Resolution{kAnn, AnIncident(state), "done", request};
      case 2:
        return Reopening{kAnn, AnIncident(state), "not done", request};
      default:
        return Note{kAnn, AnIncident(state), "seen", request};
    }
  }

  Input Report(const TenantState& state) {
    DeliveryReport report{.outcome = static_cast<DeliveryReport::Outcome>(1 + Below(4)),
                          .attempt = static_cast<std::uint32_t>(1 + Below(3)),
                          .detail = "HTTP 503",
                          .latency = absl::Milliseconds(Below(500))};
    if (state.deliveries.empty()) {
      report.delivery = DeliveryNumber(1 + Below(5));
    } else {
      auto at = state.deliveries.begin();
      std::advance(at, Below(state.deliveries.size()));
      report.delivery = at->first;
    }
    return report;
  }

  static void Replace(std::string& text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    TANDEM_CHECK(at != std::string::npos, "the playbook of the tests says so");
    text.replace(at, from.size(), to);
  }

  Input Activation() {
    return PlaybookActivation{kAnn, "another version", playbooks_[Below(playbooks_.size())],
                              Below(2) == 0 ? "" : fmt::format("p{}", Below(20))};
  }

  // Now and then everything goes, an old version comes again, or one is skipped.
  Input Context(const TenantState& state) {
    ContextChange change{.version = state.context_version + Below(4),
                         .snapshot = Below(20) == 0,
                         .actor = kAnn,
                         .comment = "inventory"};
    if (change.snapshot && Below(2) == 0) {
      // An empty environment.
    } else if (Below(4) == 0) {
      change.removed = {{"site", "plant-7"}};
    } else {
      change.put = {{.kind = "site",
                     .id = "plant-7",
                     .display_name = "Plant 7",
                     .attributes = {{"kind", Below(2) == 0 ? "factory" : "office"}}}};
    }
    return change;
  }

  std::mt19937_64 random_;
  std::vector<std::shared_ptr<const playbook::Playbook>> playbooks_;
};

// The seed of a test: TANDEM_SEED, or 1. Printed first.
inline std::uint64_t Seed() {
  const char* text = std::getenv("TANDEM_SEED");
  const std::uint64_t seed = text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  fmt::print("TANDEM_SEED={}\n", seed);
  return seed;
}

}  // namespace tandem::core::testing
