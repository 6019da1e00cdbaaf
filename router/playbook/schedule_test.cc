#include "router/playbook/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kTom = 0, kAnn = 1, kJoe = 2;

absl::Time Utc(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M:%S", text, &time, &error)) << text << ": " << error;
  return time;
}

// Weeks from Monday nine o'clock in Vienna.
ScheduleSpec Weeks() {
  return {.name = "rota",
          .team = 0,
          .time_zone = "Europe/Vienna",
          .layers = {{.name = "week",
                      .start = "2026-01-05",
                      .rotate = "1w",
                      .hand_over = "monday 09:00",
                      .people = {kTom, kAnn, kJoe}}},
          .overrides = {}};
}

ScheduleSpec Days(const std::string& rotate, const std::string& start,
                  const std::string& hand_over) {
  ScheduleSpec spec = Weeks();
  spec.layers[0].rotate = rotate;
  spec.layers[0].start = start;
  spec.layers[0].hand_over = hand_over;
  return spec;
}

Schedule Compiled(const ScheduleSpec& spec) {
  auto schedule = Schedule::Compile(spec);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  return *std::move(schedule);
}

std::vector<std::string> Mistakes(const ScheduleSpec& spec) {
  std::vector<std::string> texts;
  for (const FieldError& field : FieldsOf(Schedule::Compile(spec).status())) {
    texts.push_back(field.field + ": " + field.description);
  }
  return texts;
}

std::vector<std::string> HandOvers(const Schedule& schedule, absl::Time from, absl::Time to) {
  std::vector<std::string> texts;
  for (const Shift& shift : schedule.Shifts({from, to})) texts.push_back(TimeText(shift.start));
  return texts;
}

OnDuty ByLayer(std::uint32_t person, std::uint32_t layer = 0) {
  return {person, OnDuty::By::kLayer, layer};
}

TEST(Schedule, HandsOverAtTheInstantAndNotBefore) {
  const Schedule schedule = Compiled(Weeks());
  const absl::Time monday = Utc("2026-01-12 08:00:00");  // 09:00 in Vienna
  EXPECT_EQ(schedule.OnCall(monday - absl::Nanoseconds(1)), ByLayer(kTom));
  EXPECT_EQ(schedule.OnCall(monday), ByLayer(kAnn));
  EXPECT_EQ(schedule.NextChange(monday - absl::Nanoseconds(1)), monday);
  EXPECT_EQ(schedule.NextChange(monday), monday + absl::Hours(7 * 24));
}

TEST(Schedule, IsEmptyBeforeTheFirstHandOver) {
  const Schedule schedule = Compiled(Weeks());
  const absl::Time first = Utc("2026-01-05 08:00:00");
  EXPECT_EQ(schedule.OnCall(first - absl::Microseconds(1)), std::nullopt);
  EXPECT_EQ(schedule.NextChange(Utc("2025-12-01 00:00:00")), first);
  EXPECT_EQ(schedule.ShiftAt(first - absl::Seconds(1)), std::nullopt);
  const TimeRange range{first - absl::Hours(1), first + absl::Hours(1)};
  EXPECT_THAT(schedule.Gaps(range), ElementsAre(TimeRange{range.from, first}));
}

TEST(Schedule, KeepsTheWallClockAcrossSummerTime) {
  const Schedule schedule = Compiled(Weeks());
  EXPECT_THAT(HandOvers(schedule, Utc("2026-03-23 08:00:00"), Utc("2026-04-10 00:00:00")),
              ElementsAre("2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z", "2026-04-06T07:00:00Z"));
}

TEST(Schedule, HandsOverAnHourLaterWhereTheClockSkipsTheHour) {
  const Schedule schedule = Compiled(Days("1d", "2026-03-28", "02:30"));
  // On the 29th 02:30 does not occur: it reads 03:30, an hour later than 02:30 by the old time.
  EXPECT_THAT(HandOvers(schedule, Utc("2026-03-28 01:30:00"), Utc("2026-03-30 12:00:00")),
              ElementsAre("2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"));
}

TEST(Schedule, HandsOverTheFirstTimeWhereTheClockShowsTheHourTwice) {
  const Schedule schedule = Compiled(Days("1d", "2026-10-24", "02:30"));
  EXPECT_THAT(HandOvers(schedule, Utc("2026-10-24 00:30:00"), Utc("2026-10-26 12:00:00")),
              ElementsAre("2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"));
}

TEST(Schedule, CountsHoursAsRealHours) {
  const Schedule schedule = Compiled(Days("12h", "2026-10-24", "08:00"));
  for (const Shift& shift :
       schedule.Shifts({Utc("2026-10-24 06:00:00"), Utc("2026-10-28 06:00:00")})) {
    EXPECT_EQ(shift.end - shift.start, absl::Hours(12));
  }
}

TEST(Schedule, LetsTheLaterLayerCoverTheEarlierWhereItIsOn) {
  const auto nights =
      Calendar::Compile({.location = "Europe/Vienna", .intervals = {{.times = {"20:00-06:00"}}}});
  ASSERT_TRUE(nights.ok());
  ScheduleSpec spec = Weeks();
  spec.layers.push_back({.name = "nights",
                         .start = "2026-01-06",
                         .rotate = "1d",
                         .hand_over = "20:00",
                         .people = {kJoe, kAnn},
                         .only = &*nights});
  const Schedule schedule = Compiled(spec);
  EXPECT_THAT(
      schedule.Shifts({Utc("2026-01-06 12:00:00"), Utc("2026-01-08 00:00:00")}),
      ElementsAre(Shift{Utc("2026-01-06 12:00:00"), Utc("2026-01-06 19:00:00"), ByLayer(kTom)},
                  Shift{Utc("2026-01-06 19:00:00"), Utc("2026-01-07 05:00:00"), ByLayer(kJoe, 1)},
                  Shift{Utc("2026-01-07 05:00:00"), Utc("2026-01-07 19:00:00"), ByLayer(kTom)},
                  Shift{Utc("2026-01-07 19:00:00"), Utc("2026-01-08 00:00:00"), ByLayer(kAnn, 1)}));
  EXPECT_EQ(schedule.SourceText(ByLayer(kJoe, 1)), "layer nights");
}

TEST(Schedule, LetsAnOverrideBeatEveryLayer) {
  ScheduleSpec spec = Weeks();
  spec.overrides = {{"2026-01-08 09:00", "2026-01-09 09:00", kJoe, "swap"},
                    {"2026-01-07 09:00", "2026-01-08 09:00", kAnn, ""}};
  const Schedule schedule = Compiled(spec);
  const OnDuty joe{kJoe, OnDuty::By::kOverride, 0}, ann{kAnn, OnDuty::By::kOverride, 1};
  EXPECT_EQ(schedule.OnCall(Utc("2026-01-07 07:59:59")), ByLayer(kTom));
  EXPECT_EQ(schedule.OnCall(Utc("2026-01-07 08:00:00")), ann);
  EXPECT_EQ(schedule.OnCall(Utc("2026-01-08 08:00:00")), joe);
  EXPECT_EQ(schedule.ShiftAt(Utc("2026-01-08 12:00:00")),
            (Shift{Utc("2026-01-08 08:00:00"), Utc("2026-01-09 08:00:00"), joe}));
  EXPECT_EQ(schedule.OnCall(Utc("2026-01-09 08:00:00")), ByLayer(kTom));
  EXPECT_EQ(schedule.SourceText(joe), "override 1 (swap)");
  EXPECT_EQ(schedule.SourceText(ann), "override 2");
}

TEST(Schedule, MergesTurnsThatOnePersonHasInARow) {
  ScheduleSpec spec = Weeks();
  spec.layers[0].people = {kTom, kTom, kAnn};
  const Schedule schedule = Compiled(spec);
  EXPECT_EQ(schedule.ShiftAt(Utc("2026-01-14 00:00:00")),
            (Shift{Utc("2026-01-05 08:00:00"), Utc("2026-01-19 08:00:00"), ByLayer(kTom)}));
}

TEST(Schedule, OfOnePersonNeverChanges) {
  ScheduleSpec spec = Weeks();
  spec.layers[0].people = {kTom};
  const Schedule schedule = Compiled(spec);
  const absl::Time first = Utc("2026-01-05 08:00:00");
  EXPECT_EQ(schedule.NextChange(first), std::nullopt);
  EXPECT_EQ(schedule.ShiftAt(first + absl::Hours(24 * 1'000)),
            (Shift{first, absl::InfiniteFuture(), ByLayer(kTom)}));
}

TEST(Schedule, AnswersNobodyAtTheEndsOfTime) {
  const Schedule schedule = Compiled(Weeks());
  for (const absl::Time time : {absl::InfiniteFuture(), absl::InfinitePast()}) {
    EXPECT_EQ(schedule.OnCall(time), std::nullopt);
    EXPECT_EQ(schedule.NextChange(time), std::nullopt);
  }
  EXPECT_THAT(schedule.Shifts({absl::UnixEpoch(), absl::InfiniteFuture()}), IsEmpty());
}

TEST(Schedule, BearsAZoneThatSkipsAWholeDay) {
  // Samoa left out the 30th of December 2011: its turn would have no length.
  ScheduleSpec spec = Days("1d", "2011-12-28", "09:00");
  spec.time_zone = "Pacific/Apia";
  const Schedule schedule = Compiled(spec);
  const TimeRange range{Utc("2011-12-28 19:00:00"), Utc("2012-01-01 00:00:00")};
  EXPECT_THAT(
      schedule.Shifts(range),
      ElementsAre(Shift{range.from, Utc("2011-12-29 19:00:00"), ByLayer(kTom)},
                  Shift{Utc("2011-12-29 19:00:00"), Utc("2011-12-30 19:00:00"), ByLayer(kAnn)},
                  Shift{Utc("2011-12-30 19:00:00"), Utc("2011-12-31 19:00:00"), ByLayer(kTom)},
                  Shift{Utc("2011-12-31 19:00:00"), range.to, ByLayer(kAnn)}));
}

TEST(Schedule, AYearOfHourlyTurnsIsTheirSum) {
  const Schedule schedule = Compiled(Days("1h", "2026-01-01", "00:00"));
  const TimeRange year{Utc("2026-01-01 00:00:00"), Utc("2027-01-01 00:00:00")};
  EXPECT_THAT(schedule.Shifts(year), SizeIs(8'760));
  EXPECT_THAT(schedule.Gaps(year), IsEmpty());
}

TEST(CompileSchedule, SaysWhatIsWrongWithARotation) {
  EXPECT_THAT(Mistakes(Days("0w", "2026-01-05", "monday 09:00")),
              ElementsAre("layers[0].rotate: \"0w\" would never hand over; expected 1w to 26w"));
  EXPECT_THAT(Mistakes(Days("27w", "2026-01-05", "monday 09:00")),
              ElementsAre("layers[0].rotate: \"27w\" is out of bounds; expected 1w to 26w"));
  EXPECT_THAT(Mistakes(Days("183d", "2026-01-05", "09:00")),
              ElementsAre("layers[0].rotate: \"183d\" is out of bounds; expected 1d to 182d"));
  for (const std::string text : {"1d12h", "90m", "w", "-1d", "99999999999d"}) {
    EXPECT_THAT(Mistakes(Days(text, "2026-01-05", "09:00")),
                ElementsAre("layers[0].rotate: \"" + text +
                            "\" is not a rotation; expected whole hours, days or weeks, such as "
                            "8h, 1d or 1w"));
  }
}

TEST(CompileSchedule, SaysWhatIsWrongWithAHandOver) {
  EXPECT_THAT(Mistakes(Days("1w", "2026-01-05", "09:00")),
              ElementsAre("layers[0].hand_over: \"09:00\" names no weekday, and this layer hands "
                          "over by the week; expected a form such as \"monday 09:00\""));
  EXPECT_THAT(Mistakes(Days("1d", "2026-01-05", "monday 09:00")),
              ElementsAre("layers[0].hand_over: \"monday 09:00\" names a weekday, and this layer "
                          "hands over by the day; expected \"09:00\""));
  for (const std::string text : {"9:00", "24:00", "09:60", "mon 09:00", "monday"}) {
    EXPECT_THAT(Mistakes(Days("1w", "2026-01-05", text)),
                ElementsAre("layers[0].hand_over: \"" + text +
                            "\" is not a time to hand over; expected a form such as \"monday "
                            "09:00\""));
  }
  EXPECT_THAT(Mistakes(Days("1w", "2026-01-06", "monday 09:00")),
              ElementsAre("layers[0].start: \"2026-01-06\" is a tuesday, and the hand-over is on "
                          "monday; the next one is 2026-01-12"));
  for (const std::string text : {"2026-02-30", "1969-12-31", "05.01.2026", "2026-1-5"}) {
    EXPECT_THAT(Mistakes(Days("1d", text, "09:00")),
                ElementsAre("layers[0].start: \"" + text +
                            "\" is not a day; expected a form such as 2026-01-05"));
  }
}

TEST(CompileSchedule, RefusesAnOverrideThatTheClockTurnsRound) {
  ScheduleSpec spec = Weeks();
  spec.overrides = {{"2026-03-29 02:45", "2026-03-29 03:15", kAnn, ""}};
  EXPECT_THAT(Mistakes(spec),
              ElementsAre("overrides[0].to: the end \"2026-03-29 03:15\" is not after the start "
                          "\"2026-03-29 02:45\": the clock of Europe/Vienna skips the start"));
}

TEST(CompileSchedule, HasLimits) {
  ScheduleSpec spec = Weeks();
  spec.layers[0].people.assign(201, kTom);
  EXPECT_THAT(Mistakes(spec), ElementsAre("layers[0].people: 201 people; at most 200 are taken"));
  spec = Weeks();
  spec.overrides.assign(1'001, {"2026-01-08 09:00", "2026-01-09 09:00", kJoe, ""});
  EXPECT_THAT(Mistakes(spec), ElementsAre("overrides: 1001 overrides; at most 1000 are taken"));
  spec = Weeks();
  spec.layers.resize(33);
  EXPECT_THAT(Mistakes(spec), ElementsAre("layers: 33 layers; at most 32 are taken"));
}

}  // namespace
}  // namespace tandem::playbook
