// Calendar::Compile: the whole of a calendar, with a reason for each refusal.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/status.h"
#include "router/playbook/calendar_compiler.h"
#include "router/playbook/zone.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kEntryMaxBytes = 64;
constexpr int kDepthMax = 8;
constexpr int kAskedMax = 1'000;  // So that a few lines cannot ask 64^8 calendars.

}  // namespace

void CalendarCompiler::Refuse(std::string_view field, std::string_view description) {
  if (status_.ok()) {
    status_ = InvalidField("CALENDAR_INVALID", field, description);
  } else {
    status_ = AddField(std::move(status_), {std::string(field), std::string(description)});
  }
}

bool CalendarCompiler::IsTooMany(std::string_view field, Bound bound) {
  if (bound.entries <= bound.most) return false;
  Refuse(field, fmt::format("{} entries; at most {} are taken", bound.entries, bound.most));
  return true;
}

void CalendarCompiler::ForEach(const std::vector<std::string>& entries, std::string_view field,
                               std::size_t most, const AddEntry& add) {
  if (IsTooMany(field, {entries.size(), most})) return;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string why = entries[i].size() > kEntryMaxBytes
                                ? fmt::format("longer than {} bytes", kEntryMaxBytes)
                                : add(entries[i]);
    if (!why.empty()) Refuse(fmt::format("{}[{}]", field, i), why);
  }
}

void CalendarCompiler::CompileOthers(Calendar& calendar) {
  const auto take = [&](const std::vector<std::string>& names,
                        const std::vector<std::shared_ptr<const Calendar>>& others,
                        std::string_view field) {
    if (names.empty()) return;
    if (others.size() != names.size()) {
      Refuse(field,
             "this calendar stands alone; only the calendars of a playbook can name each other");
      return;
    }
    for (std::size_t i = 0; i < others.size(); ++i) {
      calendar.depth_ = std::max(calendar.depth_, others[i]->depth_ + 1);
      calendar.asked_ = std::min(calendar.asked_ + others[i]->asked_, kAskedMax + 1);
      if (others[i]->depth_ >= kDepthMax) {
        Refuse(fmt::format("{}[{}]", field, i),
               fmt::format("calendars within calendars are {} deep here; at most {} are taken",
                           others[i]->depth_ + 1, kDepthMax));
      }
    }
  };
  take(spec_.any_of, others_.any_of, "any_of");
  take(spec_.except, others_.except, "except");
  if (calendar.asked_ > kAskedMax) {
    Refuse(spec_.any_of.empty() ? "except" : "any_of",
           fmt::format("more than {} calendars would be asked in all, those that others name "
                       "counted each time; name fewer",
                       kAskedMax));
  }
  calendar.others_ = others_;
  if (spec_.location.empty() && spec_.intervals.empty() && spec_.dates.empty() &&
      spec_.recurring.empty() && !others_.any_of.empty()) {
    calendar.zone_ = others_.any_of.front()->zone_;
    calendar.zone_name_ = others_.any_of.front()->zone_name_;
  }
}

absl::StatusOr<Calendar> CalendarCompiler::Compile() {
  Calendar calendar;
  calendar.spec_ = spec_;
  calendar.zone_name_ = spec_.location.empty() ? "UTC" : spec_.location;
  if (const std::string why = LoadZone(spec_.location, calendar.zone_); !why.empty()) {
    Refuse("location", why);
  }
  if (spec_.intervals.empty() && spec_.dates.empty() && spec_.recurring.empty() &&
      spec_.any_of.empty()) {
    Refuse("intervals",
           "nothing says when this calendar is on; give intervals, dates or recurring. One that is "
           "always on has the interval times: [\"00:00-24:00\"]");
  }
  CompileIntervals(calendar);
  CompileDates(calendar);
  CompileRecurring(calendar);
  CompileOthers(calendar);
  if (!status_.ok()) return status_;
  calendar.wall_clock_only_ =
      calendar.spans_ == nullptr && others_.any_of.empty() && others_.except.empty();
  calendar.warnings_ = std::move(warnings_);
  return calendar;
}

absl::StatusOr<Calendar> Calendar::Compile(const CalendarSpec& spec) { return Compile(spec, {}); }

absl::StatusOr<Calendar> Calendar::Compile(const CalendarSpec& spec, const Others& others) {
  return CalendarCompiler(spec, others).Compile();
}

}  // namespace tandem::playbook
