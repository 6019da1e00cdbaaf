// What holds after every step of any history.
//
// TANDEM_SEED asks for another history.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/support/random_history.h"

namespace tandem::core {
namespace {

constexpr int kSteps = 6'000;

void CheckIncidents(const TenantState& state) {
  std::map<IncidentNumber, std::uint32_t> firing;
  state.alerts.ForEach([&](const AlertSlot& alert) { ++firing[alert.incident]; });
  for (const auto& [number, incident] : state.incidents) {
    ASSERT_EQ(incident->firing, firing[number]) << "incident " << number.value;
    firing.erase(number);
    if (incident->state == IncidentState::kOpen) {
      ASSERT_NE(incident->next_step, 0) << "nobody will be told of incident " << number.value;
    }
    if (incident->state != IncidentState::kResolved) {
      ASSERT_NE(incident->deadline, 0) << "incident " << number.value;
    }
    ASSERT_EQ(incident->deadline != 0, state.deadlines.contains({incident->deadline, number}));
    for (const DeliveryNumber open : incident->open_deliveries) {
      ASSERT_TRUE(state.deliveries.contains(open));
      if (incident->state != IncidentState::kOpen) {
        ASSERT_EQ(state.deliveries.at(open).step, 0U)
            << "incident " << number.value << " is " << ToText(incident->state)
            << " and still escalates";
      }
    }
  }
  ASSERT_TRUE(firing.empty()) << "an alert belongs to no incident";
}

// Every label set that fires does so once, and so in one incident.
void CheckAlerts(const TenantState& state) {
  std::set<std::string> seen;
  state.alerts.ForEach([&](const AlertSlot& alert) {
    std::string labels;
    for (std::size_t i = 0; i < alert.label_count; ++i) {
      labels += fmt::format("{}={},", state.alerts.Text(alert.labels[i].name),
                            state.alerts.Text(alert.labels[i].value));
    }
    ASSERT_TRUE(seen.insert(labels).second) << labels << " fires twice";
  });
}

// An incident keeps the version that it began under, and so its rule and its owner.
class Versions {
 public:
  void Check(const TenantState& state) {
    for (const auto& [number, incident] : state.incidents) {
      const auto [known, is_new] = began_.try_emplace(
          number, std::pair(incident->playbook->digest(), incident->Rule().name));
      if (is_new) {
        ASSERT_EQ(incident->playbook->digest(), state.playbook->digest())
            << "incident " << number.value << " began under a version that was not live";
      }
      ASSERT_EQ(known->second, std::pair(incident->playbook->digest(), incident->Rule().name))
          << "incident " << number.value << " has changed its version";
      if (incident->state != IncidentState::kResolved &&
          incident->playbook->digest() != state.playbook->digest()) {
        ++outlived_;
      }
    }
  }
  // How often an incident was seen open under a version that was live no more.
  int outlived() const { return outlived_; }

 private:
  std::map<IncidentNumber, std::pair<std::string, std::string>> began_;
  int outlived_ = 0;
};

TEST(Invariants, HoldAfterEveryStepOfARandomHistory) {
  testing::RandomHistory history(testing::Seed());
  testing::World world;
  Versions versions;
  for (int step = 0; step < kSteps; ++step) {
    SCOPED_TRACE(step);
    const testing::Happening next = history.Next(world.state, world.now);
    if (step % 2 == 0) {
      world.now += next.later;  // the router was busy, or down: deadlines have passed
    } else {
      world.Advance(next.later);
    }
    if (next.input) {
      world.Do(*next.input);
    } else {
      world.Push(next.alerts);
    }
    ASSERT_NO_FATAL_FAILURE(CheckIncidents(world.state));
    ASSERT_NO_FATAL_FAILURE(versions.Check(world.state));
    world.Advance(absl::ZeroDuration());
    const auto due = NextDeadline(world.state);
    ASSERT_TRUE(!due || *due > world.now);
    ASSERT_NO_FATAL_FAILURE(CheckIncidents(world.state));
    ASSERT_NO_FATAL_FAILURE(CheckAlerts(world.state));
    ASSERT_NO_FATAL_FAILURE(versions.Check(world.state));
  }
  EXPECT_GT(world.state.last_incident.value, 20U);
  EXPECT_GT(world.state.activations.size(), 50U);
  EXPECT_GT(world.state.context_version, 50U);
  EXPECT_GT(versions.outlived(), 100);
}

}  // namespace
}  // namespace tandem::core
