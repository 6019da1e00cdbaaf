#include "services/notifier/reminder.h"

#include <gtest/gtest.h>

namespace tandem::notifier {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1767268800);

TEST(Reminder, SaysEachTextOnceInAWhileAndHowOftenItWasHeldBack) {
  Reminder reminder(absl::Minutes(1));

  EXPECT_EQ(reminder.Due("a", kNoon), 0u);
  EXPECT_EQ(reminder.Due("b", kNoon), 0u);
  EXPECT_EQ(reminder.Due("a", kNoon + absl::Seconds(1)), std::nullopt);
  EXPECT_EQ(reminder.Due("a", kNoon + absl::Seconds(59)), std::nullopt);
  EXPECT_EQ(reminder.Due("a", kNoon + absl::Seconds(60)), 2u);
  EXPECT_EQ(reminder.Due("a", kNoon + absl::Seconds(61)), std::nullopt);
}

TEST(Reminder, ForgetsTheOldestWhenThereAreTooMany) {
  Reminder reminder(absl::Hours(1));
  for (std::size_t i = 0; i < Reminder::kTextsMax; ++i) {
    EXPECT_EQ(reminder.Due(std::to_string(i), kNoon + absl::Seconds(static_cast<int>(i))), 0u);
  }
  const absl::Time later = kNoon + absl::Minutes(10);

  EXPECT_EQ(reminder.Due("one more", later), 0u);
  EXPECT_EQ(reminder.Due("1", later), std::nullopt);
  EXPECT_EQ(reminder.Due("0", later), 0u);
}

}  // namespace
}  // namespace tandem::notifier
