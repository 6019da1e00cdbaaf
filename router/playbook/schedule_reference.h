// What a schedule should answer, worked out plainly, minute by minute: for tests only.
//
// It shares nothing with the schedule but the question what time a zone's clock shows. Values in,
// values out.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "router/playbook/schedule.h"

namespace tandem::playbook::testing {

inline constexpr int kMinutesADay = 24 * 60;
inline constexpr int kDays = 365;

// Minutes since the beginning of 2026: of the wall clock, or of time itself (UTC).
using Local = int;
using Minute = int;

inline absl::Time At(Minute minute) {
  return absl::FromCivil(absl::CivilYear(2026), absl::UTCTimeZone()) + absl::Minutes(minute);
}

// What the wall clock of a zone shows in each minute of 2026, and the other way round. Of the zone
// it asks nothing but what time it is.
class WallClock {
 public:
  explicit WallClock(const char* zone) : name(zone) {
    EXPECT_TRUE(absl::LoadTimeZone(zone, &zone_)) << zone;
    for (Minute m = 0; m < kDays * kMinutesADay; ++m) {
      shown.push_back(static_cast<Local>((zone_.At(At(m)).cs - absl::CivilSecond(2026)) / 60));
      Minute& first = first_[Place(shown.back())];
      if (first < 0) first = m;
      if (m > 0 && shown.back() != shown[shown.size() - 2] + 1) leaps.push_back(m);
    }
  }

  // When the clock shows `local` for the first time; where it is skipped, as much later as was
  // skipped.
  Minute When(Local local) const {
    if (First(local) >= 0) return First(local);
    Local after = local;
    while (First(after) < 0) ++after;
    return When(local + after - shown[static_cast<std::size_t>(First(after)) - 1] - 1);
  }

  const std::string name;
  std::vector<Local> shown;   // by minute
  std::vector<Minute> leaps;  // when the clock does not go on by a minute

 private:
  static std::size_t Place(Local local) {
    return static_cast<std::size_t>(local) + static_cast<std::size_t>(kMinutesADay);
  }
  Minute First(Local local) const { return first_[Place(local)]; }

  absl::TimeZone zone_;
  // By local minute, from a day before 2026; -1: never shown.
  std::vector<Minute> first_ = std::vector<Minute>((kDays + 2) * kMinutesADay, -1);
};

struct Layer {
  int start_day = 0, time = 0;  // of the first hand-over, local
  int count = 1;
  char unit = 'd';
  std::vector<std::uint32_t> people;
  const Calendar* only = nullptr;
};
struct Override {
  Local from = 0, to = 0;
  std::uint32_t person = 0;
};
struct Case {
  const WallClock* clock = nullptr;
  std::vector<Layer> layers;
  std::vector<Override> overrides;
  Minute from = 0, to = 0;
};

inline std::string LocalText(Local local) {
  const absl::CivilMinute civil = absl::CivilMinute(2026) + local;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", civil.year(), civil.month(), civil.day(),
                     civil.hour(), civil.minute());
}

inline ScheduleSpec SpecOf(const Case& c) {
  constexpr const char* kWeekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
  ScheduleSpec spec{.name = "rota", .team = 0, .time_zone = c.clock->name};
  for (const Layer& layer : c.layers) {
    const absl::CivilDay day = absl::CivilDay(2026) + layer.start_day;
    const std::string start = LocalText(layer.start_day * kMinutesADay + layer.time);
    spec.layers.push_back({.name = fmt::format("layer-{}", spec.layers.size()),
                           .start = start.substr(0, 10),
                           .rotate = fmt::format("{}{}", layer.count, layer.unit),
                           .hand_over = start.substr(11),
                           .people = layer.people,
                           .only = layer.only});
    if (layer.unit != 'w') continue;
    spec.layers.back().hand_over.insert(
        0, fmt::format("{} ", kWeekdays[static_cast<int>(absl::GetWeekday(day))]));
  }
  for (const Override& o : c.overrides) {
    spec.overrides.push_back({LocalText(o.from), LocalText(o.to), o.person, "swap"});
  }
  return spec;
}

// The plain meaning.
class Reference {
 public:
  explicit Reference(const Case& c) : case_(c) {
    for (Minute m = c.from; m < c.to; ++m) answers.push_back(Answer(m));
  }

  std::vector<std::optional<OnDuty>> answers;  // by minute from `from`

 private:
  std::optional<OnDuty> Answer(Minute now) const {
    for (std::uint32_t i = 0; i < case_.overrides.size(); ++i) {
      const Override& o = case_.overrides[i];
      if (case_.clock->When(o.from) <= now && now < case_.clock->When(o.to)) {
        return OnDuty{o.person, OnDuty::By::kOverride, i};
      }
    }
    std::optional<OnDuty> answer;
    for (std::uint32_t i = 0; i < case_.layers.size(); ++i) {
      const Layer& layer = case_.layers[i];
      const int turn = TurnOf(layer, now);
      if (turn < 0 || (layer.only != nullptr && !layer.only->IsOn(At(now)))) continue;
      answer = OnDuty{layer.people[static_cast<std::size_t>(turn) % layer.people.size()],
                      OnDuty::By::kLayer, i};
    }
    return answer;
  }

  // -1 before the first.
  int TurnOf(const Layer& layer, Minute now) const {
    const Local start = layer.start_day * kMinutesADay + layer.time;
    const Minute first = case_.clock->When(start);
    if (now < first) return -1;
    if (layer.unit == 'h') return (now - first) / (60 * layer.count);
    const int length = layer.count * kMinutesADay * (layer.unit == 'w' ? 7 : 1);
    int turn = 0;
    while (case_.clock->When(start + (turn + 1) * length) <= now) ++turn;
    return turn;
  }

  const Case& case_;
};

}  // namespace tandem::playbook::testing
