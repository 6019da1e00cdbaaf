#include "router/core/alerts.h"

#include <gtest/gtest.h>

#include <array>

namespace tandem::core {
namespace {

using playbook::LabelView;

constexpr std::array<LabelView, 1> kLabels = {{{"alertname", "Down"}}};

void Add(AlertTable& table, std::uint64_t number, Micros ends) {
  AlertSlot slot;
  slot.identity = {number, number};
  slot.number = AlertNumber(number);
  slot.ends = ends;
  table.Insert(std::move(slot), kLabels);
}

TEST(AlertTable, FindsByIdentityAndByNumber) {
  AlertTable table;
  Add(table, 1, 500'000);
  ASSERT_NE(table.Find(AlertNumber(1)), nullptr);
  EXPECT_EQ(table.Find(Identity{1, 1}), table.Find(AlertNumber(1)));
  EXPECT_EQ(table.Text(table.Find(AlertNumber(1))->labels[0].value), "Down");
  table.Erase(AlertNumber(1));
  EXPECT_EQ(table.Find(AlertNumber(1)), nullptr);
  EXPECT_EQ(table.Find(Identity{1, 1}), nullptr);
}

TEST(AlertTable, WakesAtTheNextTenthOfASecond) {
  AlertTable table;
  EXPECT_EQ(table.NextWake(), std::nullopt);
  Add(table, 1, 500'001);
  EXPECT_EQ(table.NextWake(), 600'000);
  EXPECT_TRUE(table.Due(599'999, 10).empty());
  EXPECT_EQ(table.Due(600'000, 10).size(), 1U);
}

TEST(AlertTable, AnAlertThatWasReportedAgainSleepsOn) {
  AlertTable table;
  Add(table, 1, 500'000);
  table.Refresh(AlertNumber(1), 0, 900'000, true);
  EXPECT_EQ(table.NextWake(), 500'000);
  EXPECT_TRUE(table.Due(500'000, 10).empty());
  table.Settle(500'000, 10);
  EXPECT_EQ(table.NextWake(), 900'000);
}

TEST(AlertTable, AnAlertIsDueOnceThoughItsEndCameNearerAndWentBack) {
  AlertTable table;
  Add(table, 1, 900'000);
  table.Refresh(AlertNumber(1), 0, 500'000, false);
  table.Refresh(AlertNumber(1), 0, 900'000, false);
  table.Settle(500'000, 10);
  EXPECT_EQ(table.Due(900'000, 10).size(), 1U);
}

TEST(AlertTable, LooksAtNoMoreThanItIsAskedFor) {
  AlertTable table;
  for (std::uint64_t number = 1; number <= 5; ++number) Add(table, number, 500'000);
  std::size_t cleared = 0;
  for (int look = 0; look < 3; ++look) {
    const auto due = table.Due(500'000, 2);
    EXPECT_LE(due.size(), 2U);
    std::vector<AlertNumber> numbers;
    numbers.reserve(due.size());
    for (const AlertSlot* alert : due) numbers.push_back(alert->number);
    for (const AlertNumber number : numbers) table.Erase(number);
    cleared += numbers.size();
    table.Settle(500'000, 2);
  }
  EXPECT_EQ(cleared, 5U);
  EXPECT_EQ(table.NextWake(), std::nullopt);
}

}  // namespace
}  // namespace tandem::core
