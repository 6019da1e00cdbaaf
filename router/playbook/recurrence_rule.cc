// ParseRecurrenceRule: the text of a rule, with a reason for each refusal.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/recurrence.h"

namespace tandem::playbook {
namespace {

using Frequency = RecurrenceRule::Frequency;

constexpr std::size_t kRuleMaxBytes = 512;
constexpr int kIntervalMax = 10'000;
constexpr std::string_view kParts[] = {"FREQ",    "INTERVAL", "COUNT",     "UNTIL",      "WKST",
                                       "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY",
                                       "BYHOUR",  "BYMINUTE", "BYSECOND",  "BYSETPOS"};
constexpr std::string_view kDays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::optional<int> ReadNumber(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The values between commas; one of "" for "".
std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

class RuleReader {
 public:
  absl::StatusOr<RecurrenceRule> Read(std::string_view text) {
    if (text.size() > kRuleMaxBytes) {
      return Refused(fmt::format("{} bytes; at most {} are taken", text.size(), kRuleMaxBytes));
    }
    const std::string upper = Upper(text);
    if (upper.starts_with("RRULE:")) {
      return Refused("leave \"RRULE:\" out and begin with FREQ=");
    }
    std::vector<std::string_view> parts = Split(upper, ';');
    if (parts.size() > 1 && parts.back().empty()) parts.pop_back();
    for (const std::string_view part : parts) {
      const std::string why = ReadPart(part);
      if (!why.empty()) return Refused(why);
    }
    const std::string why = WhyNotTogether();
    if (!why.empty()) return Refused(why);
    return std::move(rule_);
  }

 private:
  static absl::Status Refused(std::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument, "RULE_INVALID", why);
  }

  bool Has(std::string_view part) const {
    return std::find(seen_.begin(), seen_.end(), part) != seen_.end();
  }

  // Each of these returns why the part is refused, or "".
  std::string ReadPart(std::string_view part) {
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    if (equals == std::string_view::npos) {
      return fmt::format("\"{}\" is no part of a rule; expected NAME=VALUE, such as {}",
                         Shown(part), name == "MONTHLY" ? "FREQ=MONTHLY" : "FREQ=WEEKLY");
    }
    if (std::find(std::begin(kParts), std::end(kParts), name) == std::end(kParts)) {
      return NoSuchPart(name);
    }
    if (Has(name)) return fmt::format("{}: stands twice", name);
    seen_.emplace_back(name);
    const std::string why = ReadValue(name, part.substr(equals + 1));
    return why.empty() ? "" : fmt::format("{}: {}", name, why);
  }

  static std::string NoSuchPart(std::string_view name) {
    if (name == "RSCALE" || name == "SKIP") {
      return fmt::format("{}: only the Gregorian calendar is known here; leave it out", name);
    }
    const std::string near =
        NearestName(name.substr(0, 64), {std::begin(kParts), std::end(kParts)});
    return fmt::format("\"{}\" is no part of a rule; {}", Shown(name),
                       near.empty() ? fmt::format("expected {}", fmt::join(kParts, ", "))
                                    : fmt::format("did you mean {}?", near));
  }

  std::string ReadValue(std::string_view name, std::string_view value) {
    if (name == "FREQ") return ReadFrequency(value);
    if (name == "INTERVAL") return ReadInterval(value);
    if (name == "COUNT") return ReadCount(value);
    if (name == "UNTIL") return ReadUntil(value);
    if (name == "WKST") return ReadWeekStart(value);
    if (name == "BYDAY") return ReadWeekdays(value);
    if (name == "BYMONTH") return ReadNumbers(value, {1, 12}, rule_.months);
    if (name == "BYWEEKNO") return ReadNumbers(value, {-53, 53}, rule_.weeks);
    if (name == "BYYEARDAY") return ReadNumbers(value, {-366, 366}, rule_.year_days);
    if (name == "BYMONTHDAY") return ReadNumbers(value, {-31, 31}, rule_.month_days);
    if (name == "BYHOUR") return ReadNumbers(value, {0, 23}, rule_.hours);
    if (name == "BYMINUTE") return ReadNumbers(value, {0, 59}, rule_.minutes);
    if (name == "BYSECOND") return ReadNumbers(value, {0, 59}, rule_.seconds);
    return ReadNumbers(value, {-366, 366}, rule_.positions);
  }

  std::string ReadFrequency(std::string_view value) {
    constexpr std::pair<std::string_view, Frequency> kFrequencies[] = {
        {"YEARLY", Frequency::kYearly},
        {"MONTHLY", Frequency::kMonthly},
        {"WEEKLY", Frequency::kWeekly},
        {"DAILY", Frequency::kDaily},
        {"HOURLY", Frequency::kHourly}};
    for (const auto& [name, frequency] : kFrequencies) {
      if (value == name) {
        rule_.frequency = frequency;
        return "";
      }
    }
    if (value == "MINUTELY" || value == "SECONDLY") {
      return fmt::format(
          "{} would switch more often than an alert is judged; the shortest is HOURLY, and "
          "BYMINUTE "
          "names minutes of it",
          value);
    }
    std::vector<std::string> names;
    for (const auto& entry : kFrequencies) names.emplace_back(entry.first);
    const std::string near = NearestName(value.substr(0, 64), names);
    return fmt::format("\"{}\" is not known; {}", Shown(value),
                       near.empty() ? fmt::format("expected {}", fmt::join(names, ", "))
                                    : fmt::format("did you mean {}?", near));
  }

  std::string ReadInterval(std::string_view value) {
    const auto number = ReadNumber(value);
    if (!number || *number < 1 || *number > kIntervalMax) {
      return fmt::format("\"{}\" is not a number from 1 to {}", Shown(value), kIntervalMax);
    }
    rule_.interval = *number;
    return "";
  }

  std::string ReadCount(std::string_view value) {
    const auto number = ReadNumber(value);
    if (!number || *number < 1) {
      return fmt::format("\"{}\" is not a number from 1", Shown(value));
    }
    rule_.count = static_cast<std::uint64_t>(*number);
    return "";
  }

  // "20261231", "20261231T220000", "20261231T220000Z".
  std::string ReadUntil(std::string_view value) {
    const std::string bad = fmt::format(
        "\"{}\" is not a date; expected a form such as 20261231, 20261231T220000 or "
        "20261231T220000Z",
        Shown(value));
    std::string_view text = value;
    RecurrenceRule::Until until;
    if (text.size() == 16 && text.back() == 'Z') {
      until.utc = true;
      text.remove_suffix(1);
    }
    const bool timed = text.size() == 15 && text[8] == 'T';
    if (!timed && (text.size() != 8 || until.utc)) return bad;
    int part[6] = {0, 0, 0, 23, 59, 59};  // A day alone is meant to its end.
    constexpr std::size_t kAt[] = {0, 4, 6, 9, 11, 13};
    for (std::size_t i = 0; i < (timed ? 6 : 3); ++i) {
      const std::string_view digits = text.substr(kAt[i], i == 0 ? 4 : 2);
      const auto number = ReadNumber(digits);
      if (!number || digits.front() < '0') return bad;
      part[i] = *number;
    }
    until.at = absl::CivilSecond(part[0], part[1], part[2], part[3], part[4], part[5]);
    // What is no date has been made one by then.
    if (until.at.month() != part[1] || until.at.day() != part[2] || part[3] > 23 || part[4] > 59 ||
        part[5] > 59) {
      return bad;
    }
    rule_.until = until;
    return "";
  }

  static std::optional<absl::Weekday> WeekdayNamed(std::string_view name) {
    const auto* found = std::find(std::begin(kDays), std::end(kDays), name);
    if (found == std::end(kDays)) return std::nullopt;
    return static_cast<absl::Weekday>(found - std::begin(kDays));
  }

  std::string ReadWeekStart(std::string_view value) {
    const auto day = WeekdayNamed(value);
    if (!day) return NoWeekday(value);
    rule_.week_start = *day;
    return "";
  }

  static std::string NoWeekday(std::string_view value) {
    return fmt::format("\"{}\" is not a weekday; expected MO, TU, WE, TH, FR, SA or SU",
                       Shown(value));
  }

  std::string ReadWeekdays(std::string_view value) {
    for (const std::string_view entry : Split(value, ',')) {
      const std::size_t name = std::min(entry.size(), entry.find_first_not_of("+-0123456789"));
      const auto day = WeekdayNamed(entry.substr(name));
      if (!day) return NoWeekday(entry);
      const auto ordinal = name == 0 ? std::optional<int>(0) : ReadNumber(entry.substr(0, name));
      if (!ordinal || (name > 0 && *ordinal == 0) || *ordinal < -53 || *ordinal > 53) {
        return fmt::format(
            "\"{}\" is not the place of a weekday; expected a form such as 2TU or -1FR",
            Shown(entry));
      }
      rule_.weekdays.push_back({*ordinal, *day});
    }
    return "";
  }

  struct Bounds {
    int least, most;
  };

  // Ascending, each once; with bounds on both sides of 0, without it.
  static std::string ReadNumbers(std::string_view value, Bounds bounds, std::vector<int>& numbers) {
    for (const std::string_view entry : Split(value, ',')) {
      const auto number = ReadNumber(entry);
      if (!number || *number < bounds.least || *number > bounds.most ||
          (*number == 0 && bounds.least < 0)) {
        return fmt::format(
            "\"{}\" is not a number from {} to {}{}", Shown(entry),
            bounds.least < 0 ? 1 : bounds.least, bounds.most,
            bounds.least < 0 ? fmt::format(", or {} to -1 from the end", bounds.least) : "");
      }
      numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return "";
  }

  // What the table of RFC 5545, 3.3.10, forbids.
  std::string WhyNotTogether() const {
    const Frequency frequency = rule_.frequency;
    if (!Has("FREQ"))
      return "FREQ is missing; expected FREQ=YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY";
    if (rule_.count && rule_.until) return "COUNT: a rule ends by COUNT or by UNTIL, not by both";
    if (!rule_.weeks.empty() && frequency != Frequency::kYearly) {
      return "BYWEEKNO: weeks are counted in a year; only FREQ=YEARLY takes it";
    }
    if (!rule_.year_days.empty() && frequency != Frequency::kYearly &&
        frequency != Frequency::kHourly) {
      return "BYYEARDAY: only FREQ=YEARLY and FREQ=HOURLY take it";
    }
    if (!rule_.month_days.empty() && frequency == Frequency::kWeekly) {
      return "BYMONTHDAY: FREQ=WEEKLY does not take it; write FREQ=DAILY with BYDAY";
    }
    const bool places = std::any_of(rule_.weekdays.begin(), rule_.weekdays.end(),
                                    [](const auto& weekday) { return weekday.ordinal != 0; });
    if (places && frequency != Frequency::kMonthly && frequency != Frequency::kYearly) {
      return "BYDAY: a place such as 2TU counts in a month or year; only FREQ=MONTHLY and "
             "FREQ=YEARLY take one";
    }
    if (places && !rule_.weeks.empty()) {
      return "BYDAY: within BYWEEKNO each weekday is there once; leave its place out";
    }
    const bool other = std::any_of(seen_.begin(), seen_.end(), [](const std::string& part) {
      return part.starts_with("BY") && part != "BYSETPOS";
    });
    if (!rule_.positions.empty() && !other) {
      return "BYSETPOS: picks among what another BY part names, and there is none";
    }
    return "";
  }

  RecurrenceRule rule_;
  std::vector<std::string> seen_;
};

}  // namespace

absl::StatusOr<RecurrenceRule> ParseRecurrenceRule(std::string_view text) {
  return RuleReader().Read(text);
}

}  // namespace tandem::playbook
