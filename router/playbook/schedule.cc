#include "router/playbook/schedule.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::playbook {
namespace {

constexpr absl::Duration kHorizon = absl::Hours(24 * 5 * 366);

bool IsFinite(absl::Time time) {
  return time != absl::InfiniteFuture() && time != absl::InfinitePast();
}

}  // namespace

absl::Time Schedule::HandOver(const Layer& layer, std::int64_t turn) const {
  if (layer.by_hours) return layer.first + absl::Hours(turn * layer.every);
  constexpr std::int64_t kSecondsADay = 24 * 60 * 60;
  return zone_.At(layer.start + turn * layer.every * kSecondsADay).pre;
}

std::int64_t Schedule::TurnAt(const Layer& layer, absl::Time now) const {
  if (layer.by_hours) {
    absl::Duration rest;
    return absl::IDivDuration(now - layer.first, absl::Hours(layer.every), &rest);
  }
  // By the calendar within a turn of the truth: the hand-over of the day may be still to come.
  const absl::CivilDay today(zone_.At(now).cs);
  std::int64_t turn =
      std::max<std::int64_t>(0, (today - absl::CivilDay(layer.start)) / layer.every);
  while (HandOver(layer, turn + 1) <= now) ++turn;
  while (turn > 0 && HandOver(layer, turn) > now) --turn;
  return turn;
}

std::uint32_t Schedule::PersonOf(std::size_t layer, std::int64_t turn) const {
  const auto& people = spec_.layers[layer].people;
  return people[static_cast<std::size_t>(turn) % people.size()];
}

absl::Time Schedule::NextHandOver(std::size_t layer, absl::Time now) const {
  const Layer& rotation = layers_[layer];
  if (!rotation.changes) return absl::InfiniteFuture();
  const std::int64_t turn = TurnAt(rotation, now);
  std::int64_t next = turn + 1;
  while (PersonOf(layer, next) == PersonOf(layer, turn)) ++next;
  return HandOver(rotation, next);
}

absl::Time Schedule::TurnsBegan(std::size_t layer, absl::Time now) const {
  const Layer& rotation = layers_[layer];
  if (!rotation.changes) return rotation.first;
  std::int64_t turn = TurnAt(rotation, now);
  const std::uint32_t person = PersonOf(layer, turn);
  // Where a zone skips a whole day a turn may have no length; it parts nothing.
  const auto empty = [&](std::int64_t t) {
    return HandOver(rotation, t) == HandOver(rotation, t + 1);
  };
  while (turn > 0 && (PersonOf(layer, turn - 1) == person || empty(turn - 1))) --turn;
  return HandOver(rotation, turn);
}

std::vector<Schedule::Override>::const_iterator Schedule::OverrideAfter(absl::Time now) const {
  return std::partition_point(overrides_.begin(), overrides_.end(),
                              [now](const Override& o) { return o.to <= now; });
}

template <typename IsOn>
std::optional<OnDuty> Schedule::Ask(absl::Time now, IsOn is_on) const {
  const auto override = OverrideAfter(now);
  if (override != overrides_.end() && override->from <= now) {
    return OnDuty{spec_.overrides[override->index].person, OnDuty::By::kOverride, override->index};
  }
  for (std::size_t i = layers_.size(); i-- > 0;) {
    if (now < layers_[i].first || !is_on(i)) continue;
    return OnDuty{PersonOf(i, TurnAt(layers_[i], now)), OnDuty::By::kLayer,
                  static_cast<std::uint32_t>(i)};
  }
  return std::nullopt;
}

std::optional<OnDuty> Schedule::OnCall(absl::Time now) const {
  if (!IsFinite(now)) return std::nullopt;
  return Ask(now, [&](std::size_t layer) {
    return spec_.layers[layer].only == nullptr || spec_.layers[layer].only->IsOn(now);
  });
}

// Goes from change to change. What a calendar says is kept until it changes: to look for the next
// change of one that is never on again takes a while.
class Schedule::Walk {
 public:
  // REQUIRES: `at` is finite.
  Walk(const Schedule& schedule, absl::Time at)
      : schedule_(schedule), at_(at), calendars_(schedule.layers_.size()), duty_(Ask()) {}

  absl::Time at() const { return at_; }
  const std::optional<OnDuty>& duty() const { return duty_; }

  // To the next change at or before `last`; false when there is none.
  bool Next(absl::Time last) {
    for (;;) {
      const absl::Time next = Candidate();
      if (next > last || !IsFinite(next)) return false;
      at_ = next;
      if (const auto duty = Ask(); duty != duty_) {
        duty_ = duty;
        return true;
      }
    }
  }

 private:
  struct Known {
    bool on = false;
    absl::Time until = absl::InfinitePast();
  };

  const Known& CalendarOf(std::size_t layer) {
    Known& known = calendars_[layer];
    const Calendar* calendar = schedule_.spec_.layers[layer].only;
    if (calendar == nullptr) {
      known = {true, absl::InfiniteFuture()};
    } else if (at_ >= known.until) {
      // A calendar sees five years ahead; it is asked again before they are over.
      known = {calendar->IsOn(at_), calendar->NextChange(at_).value_or(at_ + kHorizon / 2)};
    }
    return known;
  }

  std::optional<OnDuty> Ask() {
    return schedule_.Ask(at_, [&](std::size_t layer) { return CalendarOf(layer).on; });
  }

  // No change comes before it. What lies below the layer that counts is covered, whatever it says.
  absl::Time Candidate() {
    const auto override = schedule_.OverrideAfter(at_);
    const bool none = override == schedule_.overrides_.end();
    if (!none && override->from <= at_) return override->to;
    absl::Time next = none ? absl::InfiniteFuture() : override->from;
    for (std::size_t i = schedule_.layers_.size(); i-- > 0;) {
      if (at_ < schedule_.layers_[i].first) {
        next = std::min(next, schedule_.layers_[i].first);
        continue;
      }
      const Known& calendar = CalendarOf(i);
      next = std::min(next, calendar.until);
      if (calendar.on) return std::min(next, schedule_.NextHandOver(i, at_));
    }
    return next;
  }

  const Schedule& schedule_;
  absl::Time at_;
  std::vector<Known> calendars_;
  std::optional<OnDuty> duty_;
};

std::optional<absl::Time> Schedule::NextChange(absl::Time now) const {
  if (!IsFinite(now)) return std::nullopt;
  Walk walk(*this, now);
  return walk.Next(now + kHorizon) ? std::optional(walk.at()) : std::nullopt;
}

template <typename Visit>
void Schedule::ForEachSpan(TimeRange range, Visit visit) const {
  if (!IsFinite(range.from) || !IsFinite(range.to)) return;
  Walk walk(*this, range.from);
  for (absl::Time start = range.from; start < range.to;) {
    const std::optional<OnDuty> duty = walk.duty();
    const absl::Time end = walk.Next(range.to) ? walk.at() : range.to;
    visit(start, end, duty);
    start = end;
  }
}

std::vector<Shift> Schedule::Shifts(TimeRange range) const {
  std::vector<Shift> shifts;
  ForEachSpan(range, [&](absl::Time start, absl::Time end, const std::optional<OnDuty>& duty) {
    if (duty) shifts.push_back({start, end, *duty});
  });
  return shifts;
}

std::vector<TimeRange> Schedule::Gaps(TimeRange range) const {
  std::vector<TimeRange> gaps;
  ForEachSpan(range, [&](absl::Time start, absl::Time end, const std::optional<OnDuty>& duty) {
    if (!duty) gaps.push_back({start, end});
  });
  return gaps;
}

std::optional<Shift> Schedule::ShiftAt(absl::Time now) const {
  const std::optional<OnDuty> duty = OnCall(now);
  if (!duty) return std::nullopt;
  if (duty->by == OnDuty::By::kOverride) {
    const Override& override = *OverrideAfter(now);
    return Shift{override.from, override.to, *duty};
  }
  Shift shift{TurnsBegan(duty->index, now), NextChange(now).value_or(absl::InfiniteFuture()),
              *duty};
  Walk walk(*this, shift.start);
  while (walk.Next(now)) shift.start = walk.at();
  return shift;
}

std::string Schedule::SourceText(const OnDuty& duty) const {
  if (duty.by == OnDuty::By::kLayer) {
    return fmt::format("layer {}", spec_.layers[duty.index].name);
  }
  const std::string& reason = spec_.overrides[duty.index].reason;
  return reason.empty() ? fmt::format("override {}", duty.index + 1)
                        : fmt::format("override {} ({})", duty.index + 1, reason);
}

}  // namespace tandem::playbook
