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

namespace tandem::playbook {
namespace {

constexpr std::uint64_t kCases = 5'000;
constexpr int kMinutesADay = 24 * 60;
constexpr int kDays = 365;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Minutes since the beginning of 2026: of the wall clock, or of time itself (UTC).
using Local = int;
using Minute = int;

absl::Time At(Minute minute) {
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
      Minute& first = first_[static_cast<std::size_t>(shown.back() + kMinutesADay)];
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
  Minute First(Local local) const { return first_[static_cast<std::size_t>(local + kMinutesADay)]; }

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

std::string LocalText(Local local) {
  const absl::CivilMinute civil = absl::CivilMinute(2026) + local;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", civil.year(), civil.month(), civil.day(),
                     civil.hour(), civil.minute());
}

ScheduleSpec SpecOf(const Case& c) {
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
