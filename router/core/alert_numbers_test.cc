#include "router/core/alert_numbers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace tandem::core {
namespace {

TEST(AlertNumbers, FindsWhatIsThereAndNothingElse) {
  AlertNumbers numbers;
  EXPECT_EQ(numbers.Find(AlertNumber(1)), std::nullopt);
  numbers.Insert(AlertNumber(1), 7);
  numbers.Insert(AlertNumber(1'000'000'007), 0);
  EXPECT_EQ(numbers.Find(AlertNumber(1)), 7U);
  EXPECT_EQ(numbers.Find(AlertNumber(2)), std::nullopt);
  EXPECT_EQ(numbers.Find(AlertNumber(1'000'000'007)), 0U);
  numbers.Erase(AlertNumber(1));
  EXPECT_EQ(numbers.Find(AlertNumber(1)), std::nullopt);
  EXPECT_EQ(numbers.Find(AlertNumber(1'000'000'007)), 0U);
}

TEST(AlertNumbers, AgreesWithAMapOverAnyHistory) {
  std::mt19937_64 random(20'261'123);
  AlertNumbers numbers;
  std::map<std::uint64_t, std::uint32_t> model;
  std::uint64_t last = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (model.empty() || random() % 5 < 3) {
      last += 1 + (random() % 50 == 0 ? random() % 1'000 : 0);
      const auto slot = static_cast<std::uint32_t>(random() % 100'000);
      numbers.Insert(AlertNumber(last), slot);
      model[last] = slot;
    } else {
      auto gone = model.lower_bound(random() % (last + 1));
      if (gone == model.end()) gone = model.begin();
      numbers.Erase(AlertNumber(gone->first));
      model.erase(gone);
    }
    const std::uint64_t asked = random() % (last + 2);
    const auto known = model.find(asked);
    ASSERT_EQ(numbers.Find(AlertNumber(asked)),
              known == model.end() ? std::nullopt : std::optional(known->second));
  }
  for (const auto& [number, slot] : model) {
    ASSERT_EQ(numbers.Find(AlertNumber(number)), slot);
  }
}

}  // namespace
}  // namespace tandem::core
