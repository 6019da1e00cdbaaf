#include "router/playbook/icalendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/ical_event.h"
#include "router/playbook/ical_time.h"
#include "router/playbook/recurrence.h"
#include "router/playbook/zone.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kNotesMax = 1'000;
constexpr std::size_t kOccurrencesMax = 20'000;     // Of one rule, as Calendar::Compile has it.
constexpr std::size_t kAllOccurrencesMax = 40'000;  // As there.
constexpr std::size_t kRulesMax = 1'000;            // Each costs up to 20,000 occurrences.
constexpr int kYearFirst = 1970;
constexpr int kPieceDays = 31;  // The longest duration that is taken.

std::string DateText(absl::CivilDay day) {
  return fmt::format("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
}

std::string StartText(absl::CivilSecond at) {
  return fmt::format("{} {:02}:{:02}", DateText(absl::CivilDay(at)), at.hour(), at.minute());
}

absl::Status Invalid(std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "ICALENDAR_INVALID", message);
}

class Importer {
 public:
  Importer(ICalFile file, std::string location) : file_(std::move(file)) {
    import_.spec.location = std::move(location);
    import_.events = static_cast<std::uint32_t>(file_.events.size());
  }

  absl::StatusOr<ICalendarImport> Run() {
    for (const auto& [line, what] : file_.foreign) {
      Note({.line = line}, fmt::format("{} is no event", Shown(what)));
    }
    ChooseZone();
    CollectOverrides();
    for (const ICalEvent& event : file_.events) Take(event);
    SortDates();
    std::stable_sort(import_.notes.begin(), import_.notes.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    const CalendarSpec& spec = import_.spec;
    if (spec.dates.empty() && spec.recurring.empty()) {
      return Invalid(import_.notes.empty()
                         ? std::string("the file has no events")
                         : fmt::format("none of its {} events can be taken; line {}: {}",
                                       import_.events, import_.notes.front().line,
                                       import_.notes.front().text));
    }
    if (const absl::Status compiled = Calendar::Compile(spec).status(); !compiled.ok()) {
      return Invalid(fmt::format("as a calendar it is not valid: {}", MessageOf(compiled)));
    }
    return std::move(import_);
  }

 private:
  // An event's times by the wall clock of the calendar, and how long it is.
  struct Times {
    bool all_day = false;
    absl::CivilSecond start;  // by the event's own wall clock
    const absl::TimeZone* zone = nullptr;
    bool same_zone = false;    // as the calendar's
    std::int64_t days = 0;     // of an all-day event
    std::int64_t seconds = 0;  // of another
  };

  void Note(const ICalEvent& event, std::string text) {
    if (import_.notes.size() > kNotesMax) return;
    if (import_.notes.size() == kNotesMax) {
      text = fmt::format("there is more; these are the first {} notes", kNotesMax);
    }
    import_.notes.push_back({event.line, Shown(event.uid), std::move(text)});
  }

  void ChooseZone() {
    std::string& location = import_.spec.location;
    if (location.empty()) {
      std::vector<std::string_view> named = {file_.zone};
      for (const ICalEvent& event : file_.events) {
        named.push_back(event.start.Parameter("TZID"));
      }
      for (const std::string_view tzid : named) {
        const ICalZones::Zone* zone = tzid.empty() ? nullptr : zones_.Find(tzid);
        if (zone == nullptr) continue;
        location = zone->name;
        break;
      }
    }
    if (location.empty()) {
      location = "UTC";
      if (import_.events == 0) return;
      Note({.line = 1},
           "the file names no time zone; its days are taken as those of UTC. Name the "
           "zone that is meant");
    }
    LoadZone(location, zone_);
  }

  void CollectOverrides() {
    for (const ICalEvent& event : file_.events) {
      if (!event.instance.name.empty()) overrides_[event.uid].push_back(&event.instance);
    }
  }

  // The zone of a value that is none of UTC: the calendar's when it names none; nullptr when it
  // names one that is not known.
  const absl::TimeZone* ZoneOf(const ICalLine& line) {
    const std::string_view tzid = line.Parameter("TZID");
    if (tzid.empty()) return &zone_;
    const ICalZones::Zone* zone = zones_.Find(tzid);
    return zone == nullptr ? nullptr : &zone->zone;
  }

  // nullopt, with a reason in `why`.
  std::optional<Times> TimesOf(const ICalEvent& event, std::string& why) {
    const auto start = ReadICalTime(event.start.value);
    if (event.start.name.empty()) {
      why = "has no DTSTART";
    } else if (!start) {
      why = fmt::format("its DTSTART \"{}\" is no time of 1970 to 2100", Shown(event.start.value));
    }
    if (!why.empty()) return std::nullopt;
    Times times = {.all_day = start->kind == ICalTime::Kind::kDate, .start = start->at};
    times.zone = start->kind == ICalTime::Kind::kUtc ? &utc_ : ZoneOf(event.start);
    if (times.zone == nullptr) {
      why =
          fmt::format("the time-zone database has no \"{}\"", Shown(event.start.Parameter("TZID")));
      return std::nullopt;
    }
    times.same_zone = times.all_day || *times.zone == zone_;
    why = LengthOf(event, times);
    return why.empty() ? std::optional<Times>(times) : std::nullopt;
  }

  // Sets the length; returns why there is none, or "".
  std::string LengthOf(const ICalEvent& event, Times& times) {
    if (!event.end.name.empty()) {
      const auto end = ReadICalTime(event.end.value);
      const absl::TimeZone* zone =
          end && end->kind == ICalTime::Kind::kUtc ? &utc_ : ZoneOf(event.end);
      if (!end || zone == nullptr) {
        return fmt::format("its DTEND \"{}\" is no time of 1970 to 2100", Shown(event.end.value));
      }
      times.days = absl::CivilDay(end->at) - absl::CivilDay(times.start);
      times.seconds = absl::ToInt64Seconds(zone->At(end->at).pre - times.zone->At(times.start).pre);
    } else if (!event.duration.empty()) {
      const auto length = ReadICalLength(event.duration);
      if (!length) return fmt::format("its DURATION \"{}\" is none", Shown(event.duration));
      times.days = length->days;
      const absl::CivilSecond end = times.start + length->days * 24 * 60 * 60;
      times.seconds =
          absl::ToInt64Seconds(times.zone->At(end).pre - times.zone->At(times.start).pre) +
          length->seconds;
    } else {
      times.days = 1;
    }
    if (times.all_day && times.days == 0) times.days = 1;
    if (times.all_day ? times.days < 0 : times.seconds <= 0) return "it has no length";
    return "";
  }

  void Take(const ICalEvent& event) {
    if (event.cancelled) return Note(event, "it is cancelled");
    if (event.instance.Parameter("RANGE") == "THISANDFUTURE") {
      return Note(event, "it changes all later instances of its event, which is not taken");
    }
    std::string why;
    const auto times = TimesOf(event, why);
    if (!times) return Note(event, why);
    if (event.has_exrule) {
      return Note(event, "it has an EXRULE, which RFC 5545 has no more; write EXDATEs");
    }
    if (event.rules.size() > 1) return Note(event, "it has more than one RRULE");
    const bool recurs = !event.rules.empty() && event.instance.name.empty();
    if (recurs) {
      TakeRecurring(event, *times);
    } else if (times->all_day) {
      TakeDates(event, absl::CivilDay(times->start), times->days);
    } else {
      TakeSpan(event, times->zone->At(times->start).pre, times->seconds);
    }
    for (const ICalLine& line : event.more) TakeMore(event, *times, line);
  }

  void TakeDates(const ICalEvent& event, absl::CivilDay first, std::int64_t days) {
    const absl::CivilDay last = first + (days - 1);
    if (import_.spec.dates.size() >= kCalendarDatesMax) {
      return Note(event, fmt::format("a calendar takes at most {} dates", kCalendarDatesMax));
    }
    if (last.year() > kRuleYearLast) return Note(event, "it ends after 2100");
    import_.spec.dates.push_back(days == 1 ? DateText(first)
                                           : DateText(first) + ":" + DateText(last));
    import_.date_titles.push_back(Shown(event.summary));
  }

  bool AddRecurrence(const ICalEvent& event, RecurrenceSpec recurrence, std::size_t occurrences) {
    if (import_.spec.recurring.size() >= kCalendarRecurringMax) {
      Note(event, fmt::format("a calendar takes at most {} timed or recurring events",
                              kCalendarRecurringMax));
      return false;
    }
    if (occurrences_ + occurrences > kAllOccurrencesMax) {
      Note(event,
           fmt::format("a calendar takes at most {} occurrences in all", kAllOccurrencesMax));
      return false;
    }
    occurrences_ += occurrences;
    import_.spec.recurring.push_back(std::move(recurrence));
    import_.recurring_titles.push_back(Shown(event.summary));
    return true;
  }

  // What comes once, in pieces of at most 31 days.
  void TakeSpan(const ICalEvent& event, absl::Time first, std::int64_t seconds) {
    // To whole minutes, outwards: many calendars end at 23:59:59.
    const absl::Time last =
        absl::FromUnixSeconds((absl::ToUnixSeconds(first) + seconds + 59) / 60 * 60);
    absl::CivilSecond at(absl::CivilMinute(zone_.At(first).cs));
    if (absl::CivilDay(at).year() < kYearFirst) return Note(event, "it begins before 1970");
    if (first - zone_.At(at).pre >= absl::Minutes(1)) {
      Note(event,
           "it begins in the second pass of an hour that occurs twice; taken from the first");
    }
    while (zone_.At(at).pre < last) {
      const absl::CivilSecond far = at + kPieceDays * 24 * 60 * 60;
      const bool is_last = zone_.At(far).pre >= last;
      std::int64_t minutes = (absl::ToInt64Seconds(last - zone_.At(at).pre) + 59) / 60;
      // A whole number of days would be read as days of the wall clock; a minute of another piece
      // keeps a day on which the clock is changed as long as it is.
      if (is_last && minutes % (24 * 60) == 0 && zone_.At(at + minutes * 60).pre != last) --minutes;
      if (absl::CivilDay(at).year() > kRuleYearLast) return Note(event, "it ends after 2100");
      if (!AddRecurrence(
              event,
              {.start = StartText(at),
               .duration = is_last ? fmt::format("{}", DurationText(absl::Minutes(minutes)))
                                   : fmt::format("{}d", kPieceDays)},
              1)) {
        return;
      }
      const absl::Time reached = zone_.At(at).pre + absl::Minutes(minutes);
      at = is_last ? absl::CivilSecond(zone_.At(reached).cs) : far;
      if (is_last && reached >= last) return;
    }
  }

  void TakeRecurring(const ICalEvent& event, const Times& times) {
    if (!times.same_zone) {
      return Note(event, fmt::format("it recurs by the wall clock of {}, not of {}; import it as a "
                                     "calendar of its own in that zone",
                                     times.zone == &utc_ ? std::string("UTC")
                                                         : Shown(event.start.Parameter("TZID")),
                                     import_.spec.location));
    }
    if (++rules_ > kRulesMax) {
      return Note(event, fmt::format("only the first {} rules of a file are looked at", kRulesMax));
    }
    const auto rule = ParseRecurrenceRule(event.rules.front());
    if (!rule.ok()) return Note(event, "its RRULE: " + MessageOf(rule.status()));
    const absl::CivilSecond start(absl::CivilMinute(times.start));
    const Occurrences found = Expand(*rule, start, zone_, kOccurrencesMax);
    const std::int64_t minutes = times.all_day ? times.days * 24 * 60 : (times.seconds + 59) / 60;
    if (minutes > kPieceDays * 24 * 60) return Note(event, "it recurs, and is longer than 31 days");
    if (found.starts.empty()) return Note(event, "its RRULE names no time until the end of 2100");
    RecurrenceSpec recurrence = {.start = StartText(start),
                                 .duration = DurationText(absl::Minutes(minutes)),
                                 .rule = event.rules.front(),
                                 .exceptions = ExceptionsOf(event, found.starts)};
    if (recurrence.exceptions.size() > kCalendarExceptionsMax) {
      return Note(event, fmt::format("more than {} of its instances are taken out",
                                     kCalendarExceptionsMax));
    }
    if (!Calendar::Compile({.location = import_.spec.location, .recurring = {recurrence}}).ok()) {
      return Note(event, "every one of its instances is taken out");
    }
    if (!AddRecurrence(event, std::move(recurrence), found.starts.size())) return;
    if (found.starts.front() != start) {
      Note(event, fmt::format("its RRULE does not name its DTSTART; taken from {} on",
                              StartText(found.starts.front())));
    }
    if (found.cut) {
      Note(event, fmt::format("its RRULE is known until {} alone", StartText(found.starts.back())));
    }
  }

  // The days of EXDATE and of instances that another event replaces.
  std::vector<std::string> ExceptionsOf(const ICalEvent& event,
                                        const std::vector<absl::CivilSecond>& starts) {
    std::vector<std::string> days;
    std::vector<const ICalLine*> lines;
    for (const ICalLine& line : event.without) lines.push_back(&line);
    if (const auto found = overrides_.find(event.uid); found != overrides_.end()) {
      lines.insert(lines.end(), found->second.begin(), found->second.end());
    }
    for (const ICalLine* line : lines) {
      for (const std::string_view value : SplitICalList(line->value)) {
        const auto time = ReadICalTime(value);
        const absl::TimeZone* zone =
            time && time->kind == ICalTime::Kind::kUtc ? &utc_ : ZoneOf(*line);
        if (!time || zone == nullptr) {
          Note(event,
               fmt::format("{} \"{}\" is no time of 1970 to 2100", line->name, Shown(value)));
          continue;
        }
        const absl::CivilDay day(
            time->kind == ICalTime::Kind::kDate ? time->at : zone_.At(zone->At(time->at).pre).cs);
        const auto first = std::lower_bound(starts.begin(), starts.end(), absl::CivilSecond(day));
        const auto last = std::lower_bound(first, starts.end(), absl::CivilSecond(day + 1));
        if (last - first > 1 && time->kind != ICalTime::Kind::kDate) {
          Note(event,
               fmt::format("{} {} would take out all instances of that day, and is not taken",
                           line->name, Shown(value)));
        } else if (last != first) {
          days.push_back(DateText(day));
        }
      }
    }
    std::sort(days.begin(), days.end());
    days.erase(std::unique(days.begin(), days.end()), days.end());
    return days;
  }

  // RDATE: further instances of the same length, or periods.
  void TakeMore(const ICalEvent& event, const Times& times, const ICalLine& line) {
    for (const std::string_view value : SplitICalList(line.value)) {
      const std::size_t slash = value.find('/');
      const auto time = ReadICalTime(value.substr(0, slash));
      const absl::TimeZone* zone =
          time && time->kind == ICalTime::Kind::kUtc ? &utc_ : ZoneOf(line);
      std::int64_t seconds = times.seconds;
      bool valid = time && zone != nullptr;
      if (valid && slash != std::string_view::npos) {
        const auto end = ReadICalTime(value.substr(slash + 1));
        const auto length = ReadICalLength(value.substr(slash + 1));
        valid = end || length;
        const absl::TimeZone* end_zone = end && end->kind == ICalTime::Kind::kUtc ? &utc_ : zone;
        if (end) {
          seconds = absl::ToInt64Seconds(end_zone->At(end->at).pre - zone->At(time->at).pre);
        } else if (length) {
          seconds = length->days * 24 * 60 * 60 + length->seconds;
        }
      }
      if (!valid || (!times.all_day && seconds <= 0)) {
        Note(event, fmt::format("RDATE \"{}\" is no time of 1970 to 2100", Shown(value)));
      } else if (times.all_day) {
        TakeDates(event, absl::CivilDay(time->at), times.days);
      } else {
        TakeSpan(event, zone->At(time->at).pre, seconds);
      }
    }
  }

  // In the order of time, each once.
  void SortDates() {
    std::vector<std::pair<std::string, std::string>> dates;
    for (std::size_t i = 0; i < import_.spec.dates.size(); ++i) {
      dates.emplace_back(std::move(import_.spec.dates[i]), std::move(import_.date_titles[i]));
    }
    std::stable_sort(dates.begin(), dates.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    import_.spec.dates.clear();
    import_.date_titles.clear();
    for (auto& [date, title] : dates) {
      if (!import_.spec.dates.empty() && import_.spec.dates.back() == date) continue;
      import_.spec.dates.push_back(std::move(date));
      import_.date_titles.push_back(std::move(title));
    }
  }

  const ICalFile file_;
  ICalZones zones_;
  const absl::TimeZone utc_ = absl::UTCTimeZone();
  absl::TimeZone zone_;
  std::map<std::string, std::vector<const ICalLine*>> overrides_;  // RECURRENCE-IDs by UID
  std::size_t occurrences_ = 0;
  std::size_t rules_ = 0;
  ICalendarImport import_;
};

}  // namespace

absl::StatusOr<ICalendarImport> CalendarFromICalendar(std::string_view ics,
                                                      std::string_view location) {
  if (ics.size() > kICalendarBytesMax) {
    return Invalid(fmt::format("{} bytes; at most {} are taken", ics.size(), kICalendarBytesMax));
  }
  absl::TimeZone zone;
  if (const std::string why = LoadZone(std::string(location), zone); !why.empty()) {
    return Invalid("location: " + why);
  }
  TANDEM_ASSIGN_OR_RETURN(ICalFile file, ReadICalFile(ics));
  return Importer(std::move(file), std::string(location)).Run();
}

}  // namespace tandem::playbook
