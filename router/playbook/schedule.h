// Who is on call: layers of people who hand over to each other in turn, and overrides above them.
//
// Where several layers are on, the later one counts (the "final schedule" that people know from
// PagerDuty); a layer is on from its first hand-over and, when it has a calendar, while that is on.
// An override beats every layer. So at any instant at most one person is on call, and a hand-over
// is an instant: before it the one, from it on the other.
//
// Daylight saving: rotations in days and weeks, and overrides, follow the wall clock of the
// schedule's zone, because people agree on "Monday at nine" and come at nine in summer and in
// winter; a shift across the change is an hour shorter or longer. Where the clock skips the time of
// a hand-over it happens as much later as was skipped (02:30 at 03:30); where the clock shows it
// twice, the first time counts: nobody stays on because a clock was put back. Rotations in hours
// are real hours, because who agrees on "eight hours each" means a length that a change of the
// clock must not stretch; their hand-overs move on the wall clock. A calendar follows its own zone.
//
// Zone and rule are kept, never offsets: new time-zone data moves shifts to come. What has been
// decided by a schedule stands in the facts.
//
// Pure: the only outside fact is the time-zone database of the machine. Safe from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "router/playbook/calendar.h"

namespace tandem::playbook {

// As people write it.
struct LayerSpec {
  std::string name;
  std::string start;                  // the day of the first hand-over: "2026-01-05"
  std::string rotate;                 // "8h", "1d", "2w"
  std::string hand_over;              // "09:00"; of weeks "monday 09:00"
  std::vector<std::uint32_t> people;  // into Playbook::people(), in the order of their turns
  const Calendar* only = nullptr;     // outlives the schedule; nullptr: always on
};

struct OverrideSpec {
  std::string from, to;  // "2026-12-24 09:00"
  std::uint32_t person = 0;
  std::string reason;
};

struct ScheduleSpec {
  std::string name;
  std::uint32_t team = 0;  // into Playbook::teams()
  std::string time_zone;   // IANA zone
  std::vector<LayerSpec> layers;
  std::vector<OverrideSpec> overrides;
};

// Who is on call, and what says so.
struct OnDuty {
  enum class By : std::uint8_t { kLayer, kOverride };
  std::uint32_t person = 0;
  By by = By::kLayer;
  std::uint32_t index = 0;  // into the layers or the overrides of the spec
  friend bool operator==(const OnDuty&, const OnDuty&) = default;
};

// [from, to).
struct TimeRange {
  absl::Time from, to;
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

struct Shift {
  absl::Time start, end;  // [start, end)
  OnDuty duty;
  friend bool operator==(const Shift&, const Shift&) = default;
};

// Immutable once compiled.
class Schedule {
 public:
  static constexpr std::size_t kLayersMax = 32;
  static constexpr std::size_t kOverridesMax = 1'000;
  static constexpr std::size_t kRotationMax = 200;  // people of a layer

  // INVALID_ARGUMENT; each field error's path is `time_zone`, `layers`, `layers[1].hand_over` or
  // `overrides[0].to`, so that a caller with positions can point at it.
  static absl::StatusOr<Schedule> Compile(ScheduleSpec spec);

  // nullopt: nobody is.
  std::optional<OnDuty> OnCall(absl::Time now) const;

  // The first instant after `now` at which OnCall answers otherwise: another person, or the same by
  // another layer or override. nullopt when it does not within 5 years.
  std::optional<absl::Time> NextChange(absl::Time now) const;

  // Who is on call when, cut to the range; in order, each as long as OnCall's answer lasts. As many
  // as there are changes: a year of hourly hand-overs has 8,760.
  std::vector<Shift> Shifts(TimeRange range) const;

  // When nobody is, cut to the range; in order.
  std::vector<TimeRange> Gaps(TimeRange range) const;

  // The whole shift that `now` lies in; nullopt when nobody is on call. Its end is
  // absl::InfiniteFuture() when it has none within 5 years.
  std::optional<Shift> ShiftAt(absl::Time now) const;

  // `layer week`, `override 2 (Christmas swap)`, counted from 1.
  std::string SourceText(const OnDuty& duty) const;

  const ScheduleSpec& spec() const { return spec_; }
  const std::string& name() const { return spec_.name; }
  absl::TimeZone zone() const { return zone_; }

 private:
  friend class ScheduleCompiler;
  Schedule() = default;
  class Walk;

  struct Layer {
    absl::CivilSecond start;  // the first hand-over by the wall clock
    absl::Time first;         // the same as an instant
    std::int64_t every = 1;   // hours or days
    bool by_hours = false;
    bool changes = false;  // there are two different people
  };
  struct Override {
    absl::Time from, to;
    std::uint32_t index = 0;  // into the spec
  };

  // The `turn`th hand-over, from 0.
  absl::Time HandOver(const Layer& layer, std::int64_t turn) const;
  // The newest hand-over at or before `now`. REQUIRES: now >= layer.first.
  std::int64_t TurnAt(const Layer& layer, absl::Time now) const;
  std::uint32_t PersonOf(std::size_t layer, std::int64_t turn) const;
  // The first hand-over after `now` to another person; InfiniteFuture when there is none.
  absl::Time NextHandOver(std::size_t layer, absl::Time now) const;
  // When the turns of the person that layer `layer` names at `now` began.
  absl::Time TurnsBegan(std::size_t layer, absl::Time now) const;
  // The first override that ends after `now`.
  std::vector<Override>::const_iterator OverrideAfter(absl::Time now) const;
  // OnCall, where `is_on(layer)` says whether the layer's calendar is on.
  template <typename IsOn>
  std::optional<OnDuty> Ask(absl::Time now, IsOn is_on) const;
  template <typename Visit>
  void ForEachSpan(TimeRange range, Visit visit) const;

  ScheduleSpec spec_;
  absl::TimeZone zone_;
  std::vector<Layer> layers_;        // as in the spec
  std::vector<Override> overrides_;  // by time; disjoint
};

}  // namespace tandem::playbook
