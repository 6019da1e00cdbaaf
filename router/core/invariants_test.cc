// What holds after every step of any history.
//
// TANDEM_SEED asks for another history.
#include <gtest/gtest.h>

#include <map>

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

TEST(Invariants, HoldAfterEveryStepOfARandomHistory) {
  testing::RandomHistory history(testing::Seed());
  testing::World world;
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
    world.Advance(absl::ZeroDuration());
    const auto due = NextDeadline(world.state);
    ASSERT_TRUE(!due || *due > world.now);
    ASSERT_NO_FATAL_FAILURE(CheckIncidents(world.state));
  }
  EXPECT_GT(world.state.last_incident.value, 20U);
}

}  // namespace
}  // namespace tandem::core
