// A schedule answers what a plain reference answers that goes through its time minute by minute.
//
// TANDEM_SCHEDULE_CASES and TANDEM_SCHEDULE_SEED ask for a longer or for a given run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "router/playbook/schedule.h"
#include "router/playbook/schedule_reference.h"

namespace tandem::playbook {
namespace {

using testing::At;
using testing::Case;
using testing::kMinutesADay;
using testing::Layer;
using testing::Local;
using testing::Minute;
using testing::Reference;
using testing::SpecOf;
using testing::WallClock;

constexpr std::uint64_t kCases = 5'000;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {
    for (const char* zone :
         {"Europe/Vienna", "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"}) {
      clocks_.push_back(std::make_unique<WallClock>(zone));
    }
    Add({.location = "Europe/Vienna", .intervals = {{.times = {"22:00-06:00"}}}});
    Add({.location = "America/Chicago", .intervals = {{.weekdays = {"saturday", "sunday"}}}});
    Add({.location = "Australia/Lord_Howe", .intervals = {{.times = {"01:30-02:15"}}}});
    Add({.location = "", .intervals = {{.years = {"2020"}}}});
  }

  Case Next() {
    Case c{.clock =
               clocks_[static_cast<std::size_t>(Below(static_cast<int>(clocks_.size())))].get()};
    // Mostly around a leap of the clock.
    const auto& leaps = c.clock->leaps;
    const Minute near =
        leaps.empty() || Below(10) == 0
            ? (40 + Below(280)) * kMinutesADay
            : leaps[static_cast<std::size_t>(Below(static_cast<int>(leaps.size())))];
    c.from = near - Below(2 * kMinutesADay);
    c.to = c.from + 1 + Below(2 * kMinutesADay);
    for (int i = 1 + Below(3); i > 0; --i) c.layers.push_back(MakeLayer(c));
    if (Below(2) == 0) AddOverrides(c);
    return c;
  }

  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

 private:
  void Add(const CalendarSpec& spec) {
    auto calendar = Calendar::Compile(spec);
    EXPECT_TRUE(calendar.ok()) << calendar.status();
    calendars_.push_back(*std::move(calendar));
  }

  Layer MakeLayer(const Case& c) {
    Layer layer;
    layer.start_day = c.from / kMinutesADay - Below(35) + 2;
    // Times that clocks skip or repeat, more often than others.
    layer.time = Below(3) == 0 ? Below(kMinutesADay) : 60 + 15 * Below(12);
    constexpr std::pair<int, char> kRotations[] = {{1, 'h'},  {3, 'h'}, {7, 'h'}, {12, 'h'},
                                                   {36, 'h'}, {1, 'd'}, {2, 'd'}, {3, 'd'},
                                                   {1, 'w'},  {2, 'w'}};
    std::tie(layer.count, layer.unit) = kRotations[Below(10)];
    for (int i = 1 + Below(4); i > 0; --i) layer.people.push_back(static_cast<unsigned>(Below(4)));
    if (Below(2) == 0) layer.only = &calendars_[static_cast<std::size_t>(Below(4))];
    return layer;
  }

  // Disjoint, sometimes abutting.
  void AddOverrides(Case& c) {
    Local at = c.clock->shown[static_cast<std::size_t>(c.from)] - 60;
    for (int i = Below(4); i > 0; --i) {
      at += Below(2) * 15 * Below(40);
      const Local end = at + 15 * (1 + Below(40));
      // An end that the clock's leap puts before the start is refused, and so no case.
      const bool bad =
          c.clock->When(end) <= c.clock->When(at) ||
          (!c.overrides.empty() && c.clock->When(at) < c.clock->When(c.overrides.back().to));
      if (!bad) c.overrides.push_back({at, end, static_cast<unsigned>(Below(4))});
      at = end;
    }
  }

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<WallClock>> clocks_;
  std::vector<Calendar> calendars_;
};

class Comparison {
 public:
  Comparison(const Case& c, const Schedule& schedule)
      : case_(c), schedule_(schedule), answers_(Reference(c).answers) {}

  void OnCall() const {
    for (Minute m = case_.from; m < case_.to; ++m) {
      ASSERT_EQ(schedule_.OnCall(At(m)), Of(m)) << At(m);
      ASSERT_EQ(schedule_.OnCall(At(m + 1) - absl::Microseconds(1)), Of(m)) << At(m);
    }
  }

  void NextChange(Minute now) const {
    Minute change = now + 1;
    while (change < case_.to && Of(change) == Of(now)) ++change;
    const auto found = schedule_.NextChange(At(now));
    if (change < case_.to) {
      ASSERT_EQ(found, At(change)) << "after " << At(now);
    } else {
      ASSERT_TRUE(!found || *found >= At(case_.to)) << *found << " after " << At(now);
    }
  }

  void ShiftAt(Minute now) const {
    const auto shift = schedule_.ShiftAt(At(now));
    ASSERT_EQ(shift.has_value(), Of(now).has_value());
    if (!shift) return;
    Minute start = now, end = now + 1;
    while (start > case_.from && Of(start - 1) == Of(now)) --start;
    while (end < case_.to && Of(end) == Of(now)) ++end;
    if (start > case_.from) {
      ASSERT_EQ(shift->start, At(start)) << "at " << At(now);
    }
    if (end < case_.to) {
      ASSERT_EQ(shift->end, At(end)) << "at " << At(now);
    }
    ASSERT_LE(shift->start, At(start));
    ASSERT_GE(shift->end, At(end));
    ASSERT_EQ(shift->duty, *Of(now));
  }

  void ShiftsAndGaps() const {
    std::vector<Shift> shifts;
    std::vector<TimeRange> gaps;
    for (Minute start = case_.from; start < case_.to;) {
      Minute end = start + 1;
      while (end < case_.to && Of(end) == Of(start)) ++end;
      if (Of(start)) {
        shifts.push_back({At(start), At(end), *Of(start)});
      } else {
        gaps.push_back({At(start), At(end)});
      }
      start = end;
    }
    const TimeRange range{At(case_.from), At(case_.to)};
    ASSERT_EQ(schedule_.Shifts(range), shifts);
    ASSERT_EQ(schedule_.Gaps(range), gaps);
  }

 private:
  const std::optional<OnDuty>& Of(Minute minute) const {
    return answers_[static_cast<std::size_t>(minute - case_.from)];
  }

  const Case& case_;
  const Schedule& schedule_;
  const std::vector<std::optional<OnDuty>> answers_;
};

std::string Describe(const Case& c) {
  std::string text = fmt::format("{}", c.clock->name);
  const ScheduleSpec spec = SpecOf(c);
  for (const LayerSpec& layer : spec.layers) {
    text += fmt::format("\n  {} every {} at {} by {} people{}", layer.start, layer.rotate,
                        layer.hand_over, layer.people.size(),
                        layer.only == nullptr ? "" : ", by a calendar");
  }
  for (const OverrideSpec& o : spec.overrides) text += fmt::format("\n  {} to {}", o.from, o.to);
  return text;
}

TEST(ScheduleProperty, AnswersWhatAMinuteByMinuteReferenceAnswers) {
  const std::uint64_t seed = FromEnvironment("TANDEM_SCHEDULE_SEED", std::random_device()());
  const std::uint64_t cases = FromEnvironment("TANDEM_SCHEDULE_CASES", kCases);
  std::cout << "seed " << seed << ", " << cases << " cases\n";
  Generator generator(seed);
  for (std::uint64_t i = 0; i < cases; ++i) {
    const Case c = generator.Next();
    SCOPED_TRACE(fmt::format("seed {}, case {}: {}", seed, i, Describe(c)));
    const auto schedule = Schedule::Compile(SpecOf(c));
    ASSERT_TRUE(schedule.ok()) << schedule.status();
    const Comparison comparison(c, *schedule);
    comparison.OnCall();
    comparison.ShiftsAndGaps();
    for (int j = 0; j < 5; ++j) {
      comparison.NextChange(c.from + generator.Below(c.to - c.from));
      comparison.ShiftAt(c.from + generator.Below(c.to - c.from));
    }
    ASSERT_FALSE(::testing::Test::HasFatalFailure());
  }
}

}  // namespace
}  // namespace tandem::playbook
