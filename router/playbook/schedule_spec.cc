// From a schedule as people write it to one that can be asked.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string_view>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/schedule.h"

namespace tandem::playbook {
namespace {

constexpr std::string_view kWeekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                          "friday", "saturday", "sunday"};
constexpr std::int64_t kWeeksMax = 26;
constexpr int kYearMin = 1970;

// A number of exactly as many digits; nullopt when it is none.
std::optional<int> Digits(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (error != std::errc() || end != text.data() + text.size() || !digits) return std::nullopt;
  return number;
}

// "09:00" → minutes of the day.
std::optional<int> ReadClock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = Digits(text.substr(0, 2)), minute = Digits(text.substr(3));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return *hour * 60 + *minute;
}

// "2026-01-05".
std::optional<absl::CivilDay> ReadDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = Digits(text.substr(0, 4));
  const auto month = Digits(text.substr(5, 2)), day = Digits(text.substr(8));
  if (!year || !month || !day || *year < kYearMin) return std::nullopt;
  const absl::CivilDay civil(*year, *month, *day);
  // The 30th of February would be a day in March.
  if (civil.month() != *month || civil.day() != *day) return std::nullopt;
  return civil;
}

// "2026-12-24 09:00".
std::optional<absl::CivilSecond> ReadLocal(std::string_view text) {
  if (text.size() != 16 || text[10] != ' ') return std::nullopt;
  const auto day = ReadDay(text.substr(0, 10));
  const auto minute = ReadClock(text.substr(11));
  if (!day || !minute) return std::nullopt;
  return absl::CivilSecond(*day) + *minute * 60;
}

std::string DayText(absl::CivilDay day) {
  return fmt::format("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
}

std::string Named(std::string_view text) { return fmt::format("\"{}\"", Shown(text)); }

struct Rotation {
  std::int64_t count = 0;
  char unit = 'd';  // 'h', 'd' or 'w'
};

}  // namespace

class ScheduleCompiler {
 public:
  explicit ScheduleCompiler(ScheduleSpec spec) { schedule_.spec_ = std::move(spec); }

  absl::StatusOr<Schedule> Compile() {
    const bool zone = CompileZone();
    const std::size_t layers = schedule_.spec_.layers.size();
    if (layers == 0) {
      Refuse("layers", "a schedule needs a layer of people who take turns");
    } else if (layers > Schedule::kLayersMax) {
      Refuse("layers",
             fmt::format("{} layers; at most {} are taken", layers, Schedule::kLayersMax));
    } else {
      for (std::size_t i = 0; i < layers; ++i) CompileLayer(i);
    }
    const std::size_t overrides = schedule_.spec_.overrides.size();
    if (overrides > Schedule::kOverridesMax) {
      Refuse("overrides",
             fmt::format("{} overrides; at most {} are taken", overrides, Schedule::kOverridesMax));
    } else if (zone) {
      for (std::size_t i = 0; i < overrides; ++i) CompileOverride(i);
      CheckOverlaps();
    }
    if (!status_.ok()) return status_;
    return std::move(schedule_);
  }

 private:
  void Refuse(const std::string& field, std::string_view description) {
    if (status_.ok()) {
      status_ = InvalidField("SCHEDULE_INVALID", field, description);
    } else {
      status_ = AddField(status_, {field, std::string(description)});
    }
  }

  // What a calendar takes as its zone, with the same words where it takes none.
  bool CompileZone() {
    const std::string& name = schedule_.spec_.time_zone;
    if (name.empty()) {
      Refuse("time_zone", "expected an IANA name such as Europe/Berlin");
      return false;
    }
    const auto calendar =
        Calendar::Compile({.location = name, .intervals = {{.times = {"00:00-24:00"}}}});
    for (const FieldError& field : FieldsOf(calendar.status()))
      Refuse("time_zone", field.description);
    return calendar.ok() && absl::LoadTimeZone(name, &schedule_.zone_);
  }

  void CompileLayer(std::size_t index) {
    const LayerSpec& spec = schedule_.spec_.layers[index];
    const std::string where = fmt::format("layers[{}].", index);
    const auto& all = schedule_.spec_.layers;
    const bool known = std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(index),
                                   [&](const LayerSpec& l) { return l.name == spec.name; });
    if (known && !spec.name.empty()) {
      Refuse(where + "name", fmt::format("another layer is called {} too", Named(spec.name)));
    }
    if (spec.people.empty()) {
      Refuse(where + "people", "the rotation is empty; name at least one person");
    } else if (spec.people.size() > Schedule::kRotationMax) {
      Refuse(where + "people", fmt::format("{} people; at most {} are taken", spec.people.size(),
                                           Schedule::kRotationMax));
    }
    const auto start = ReadDay(spec.start);
    if (!start) {
      Refuse(where + "start",
             fmt::format("{} is not a day; expected a form such as 2026-01-05", Named(spec.start)));
    }
    const auto rotation = ReadRotation(spec.rotate, where + "rotate");
    if (!rotation) return;
    const auto clock = ReadHandOver(spec, rotation->unit, start, where);
    if (!start || !clock) return;
    const absl::CivilSecond first = absl::CivilSecond(*start) + *clock * 60;
    schedule_.layers_.push_back(
        {.start = first,
         .first = schedule_.zone_.At(first).pre,
         .every = rotation->count * (rotation->unit == 'w' ? 7 : 1),
         .by_hours = rotation->unit == 'h',
         .changes = std::any_of(spec.people.begin(), spec.people.end(),
                                [&](std::uint32_t p) { return p != spec.people.front(); })});
  }

  std::optional<Rotation> ReadRotation(std::string_view text, const std::string& field) {
    const char unit = text.empty() ? ' ' : text.back();
    const auto count =
        text.size() < 2 || text.size() > 6 ? std::nullopt : Digits(text.substr(0, text.size() - 1));
    if (!count || (unit != 'h' && unit != 'd' && unit != 'w')) {
      Refuse(field, fmt::format("{} is not a rotation; expected whole hours, days or weeks, such "
                                "as 8h, 1d or 1w",
                                Named(text)));
      return std::nullopt;
    }
    const std::int64_t most = kWeeksMax * (unit == 'h' ? 7 * 24 : unit == 'd' ? 7 : 1);
    if (*count == 0) {
      Refuse(field, fmt::format("{} would never hand over; expected 1{} to {}{}", Named(text), unit,
                                most, unit));
      return std::nullopt;
    }
    if (*count > most) {
      Refuse(field, fmt::format("{} is out of bounds; expected 1{} to {}{}", Named(text), unit,
                                most, unit));
      return std::nullopt;
    }
    return Rotation{*count, unit};
  }

  // Minutes of the day.
  std::optional<int> ReadHandOver(const LayerSpec& spec, char unit,
                                  std::optional<absl::CivilDay> start, const std::string& where) {
    const std::string_view text = spec.hand_over;
    const std::size_t blank = text.find(' ');
    const auto weekday = std::find(std::begin(kWeekdays), std::end(kWeekdays),
                                   text.substr(0, std::min(blank, text.size())));
    const bool named = weekday != std::end(kWeekdays);
    const auto clock = ReadClock(named && blank != text.npos ? text.substr(blank + 1) : text);
    if (unit == 'w' && clock && !named) {
      Refuse(where + "hand_over",
             fmt::format("{} names no weekday, and this layer hands over by the week; expected a "
                         "form such as \"monday {}\"",
                         Named(text), text));
      return std::nullopt;
    }
    if (unit != 'w' && clock && named) {
      Refuse(where + "hand_over",
             fmt::format("{} names a weekday, and this layer hands over by the {}; expected \"{}\"",
                         Named(text), unit == 'd' ? "day" : "hour", text.substr(blank + 1)));
      return std::nullopt;
    }
    if (!clock) {
      Refuse(where + "hand_over", fmt::format("{} is not a time to hand over; expected a form such "
                                              "as \"{}\"",
                                              Named(text), unit == 'w' ? "monday 09:00" : "09:00"));
      return std::nullopt;
    }
    if (start && named) CheckWeekday(*start, weekday - std::begin(kWeekdays), where + "start");
    return clock;
  }

  void CheckWeekday(absl::CivilDay start, std::ptrdiff_t wanted, const std::string& field) {
    const auto found = static_cast<std::ptrdiff_t>(absl::GetWeekday(start));
    if (found == wanted) return;
    Refuse(field, fmt::format("{} is a {}, and the hand-over is on {}; the next one is {}",
                              Named(DayText(start)), kWeekdays[found], kWeekdays[wanted],
                              DayText(start + (wanted - found + 7) % 7)));
  }

  void CompileOverride(std::size_t index) {
    const OverrideSpec& spec = schedule_.spec_.overrides[index];
    const std::string where = fmt::format("overrides[{}].", index);
    const auto read = [&](const char* field, const std::string& text) {
      const auto local = ReadLocal(text);
      if (!local) {
        Refuse(where + field, fmt::format("{} is not a local time; expected a form such as "
                                          "\"2026-12-24 09:00\"",
                                          Named(text)));
      }
      return local;
    };
    const auto from = read("from", spec.from), to = read("to", spec.to);
    if (!from || !to) return;
    const absl::Time start = schedule_.zone_.At(*from).pre, end = schedule_.zone_.At(*to).pre;
    if (end <= start) {
      Refuse(where + "to",
             fmt::format("the end {} is not after the start {}{}", Named(spec.to), Named(spec.from),
                         *to > *from ? fmt::format(": the clock of {} skips the start",
                                                   schedule_.spec_.time_zone)
                                     : ""));
      return;
    }
    schedule_.overrides_.push_back({start, end, static_cast<std::uint32_t>(index)});
  }

  void CheckOverlaps() {
    auto& all = schedule_.overrides_;
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.from < b.from; });
    const Schedule::Override* longest = nullptr;
    for (const Schedule::Override& override : all) {
      if (longest != nullptr && override.from < longest->to) {
        const auto [first, second] = std::minmax(longest->index, override.index);
        const OverrideSpec& other = schedule_.spec_.overrides[first];
        Refuse(fmt::format("overrides[{}]", second),
               fmt::format("overlaps overrides[{}], {} to {}; at most one person is on call", first,
                           other.from, other.to));
      }
      if (longest == nullptr || override.to > longest->to) longest = &override;
    }
  }

  Schedule schedule_;
  absl::Status status_;
};

absl::StatusOr<Schedule> Schedule::Compile(ScheduleSpec spec) {
  return ScheduleCompiler(std::move(spec)).Compile();
}

}  // namespace tandem::playbook
