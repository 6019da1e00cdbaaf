#include "router/playbook/ical_time.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "router/playbook/zone.h"

namespace tandem::playbook {
namespace {

constexpr int kYearFirst = 1970;
constexpr int kYearLast = 2100;
constexpr std::int64_t kDaySeconds = 24 * 60 * 60;
constexpr std::int64_t kLengthMaxSeconds = 3'660 * kDaySeconds;
constexpr std::size_t kTzidMaxBytes = 256;

// Names of Windows, which calendars of Outlook use (Unicode CLDR, windowsZones).
constexpr std::pair<std::string_view, std::string_view> kWindows[] = {
    {"AUS Eastern Standard Time", "Australia/Sydney"},
    {"Arabian Standard Time", "Asia/Dubai"},
    {"Atlantic Standard Time", "America/Halifax"},
    {"Central America Standard Time", "America/Guatemala"},
    {"Central Europe Standard Time", "Europe/Budapest"},
    {"Central European Standard Time", "Europe/Warsaw"},
    {"Central Standard Time", "America/Chicago"},
    {"Central Standard Time (Mexico)", "America/Mexico_City"},
    {"China Standard Time", "Asia/Shanghai"},
    {"E. Australia Standard Time", "Australia/Brisbane"},
    {"E. South America Standard Time", "America/Sao_Paulo"},
    {"Eastern Standard Time", "America/New_York"},
    {"FLE Standard Time", "Europe/Kiev"},
    {"GMT Standard Time", "Europe/London"},
    {"GTB Standard Time", "Europe/Bucharest"},
    {"Greenwich Standard Time", "Atlantic/Reykjavik"},
    {"Hawaiian Standard Time", "Pacific/Honolulu"},
    {"India Standard Time", "Asia/Kolkata"},
    {"Israel Standard Time", "Asia/Jerusalem"},
    {"Korea Standard Time", "Asia/Seoul"},
    {"Morocco Standard Time", "Africa/Casablanca"},
    {"Mountain Standard Time", "America/Denver"},
    {"Nepal Standard Time", "Asia/Kathmandu"},
    {"New Zealand Standard Time", "Pacific/Auckland"},
    {"Pacific SA Standard Time", "America/Santiago"},
    {"Pacific Standard Time", "America/Los_Angeles"},
    {"Romance Standard Time", "Europe/Paris"},
    {"Russian Standard Time", "Europe/Moscow"},
    {"SE Asia Standard Time", "Asia/Bangkok"},
    {"Singapore Standard Time", "Asia/Singapore"},
    {"South Africa Standard Time", "Africa/Johannesburg"},
    {"Tokyo Standard Time", "Asia/Tokyo"},
    {"Turkey Standard Time", "Europe/Istanbul"},
    {"US Mountain Standard Time", "America/Phoenix"},
    {"UTC", "UTC"},
    {"W. Australia Standard Time", "Australia/Perth"},
    {"W. Europe Standard Time", "Europe/Berlin"}};

std::optional<int> Digits(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!digits || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<ICalTime> ReadICalTime(std::string_view text) {
  ICalTime time;
  if (text.size() == 16 && text.back() == 'Z') {
    time.kind = ICalTime::Kind::kUtc;
    text.remove_suffix(1);
  } else if (text.size() == 8) {
    time.kind = ICalTime::Kind::kDate;
  }
  const bool timed = text.size() == 15 && text[8] == 'T';
  if (!timed && time.kind != ICalTime::Kind::kDate) return std::nullopt;
  int part[6] = {0, 0, 0, 0, 0, 0};
  constexpr std::size_t kAt[] = {0, 4, 6, 9, 11, 13};
  for (std::size_t i = 0; i < (timed ? 6u : 3u); ++i) {
    const auto number = Digits(text.substr(kAt[i], i == 0 ? 4 : 2));
    if (!number) return std::nullopt;
    part[i] = *number;
  }
  if (part[3] > 23 || part[4] > 59 || part[5] > 60) return std::nullopt;
  time.at = absl::CivilSecond(part[0], part[1], part[2], part[3], part[4], std::min(part[5], 59));
  const bool is_day = time.at.month() == part[1] && time.at.day() == part[2];
  if (!is_day || part[0] < kYearFirst || part[0] > kYearLast) return std::nullopt;
  return time;
}

std::optional<ICalLength> ReadICalLength(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  ICalLength length;
  bool of_day = false;
  while (!text.empty()) {
    if (text.front() == 'T') {
      of_day = true;
      text.remove_prefix(1);
      continue;
    }
    const std::size_t unit = text.find_first_not_of("0123456789");
    if (unit == std::string_view::npos || unit > 9) return std::nullopt;
    const auto number = Digits(text.substr(0, unit));
    if (!number) return std::nullopt;
    const char name = text[unit];
    if (!of_day && name == 'W') {
      length.days += 7 * std::int64_t{*number};
    } else if (!of_day && name == 'D') {
      length.days += *number;
    } else if (of_day && (name == 'H' || name == 'M' || name == 'S')) {
      length.seconds += std::int64_t{*number} * (name == 'H' ? 3600 : name == 'M' ? 60 : 1);
    } else {
      return std::nullopt;
    }
    if (length.days * kDaySeconds + length.seconds > kLengthMaxSeconds) return std::nullopt;
    text.remove_prefix(unit + 1);
  }
  return length;
}

std::optional<ICalZones::Zone> ICalZones::Load(std::string_view tzid) {
  Zone found;
  // "/freeassociation.sourceforge.net/Europe/Berlin": the end of it is IANA's.
  std::string_view rest = tzid.substr(0, kTzidMaxBytes);
  while (!rest.empty()) {
    found.name = rest;
    if (rest.front() != '/' && LoadZone(found.name, found.zone).empty()) return found;
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  for (const auto& [windows, iana] : kWindows) {
    if (windows != tzid) continue;
    found.name = iana;
    if (LoadZone(found.name, found.zone).empty()) return found;
  }
  return std::nullopt;
}

const ICalZones::Zone* ICalZones::Find(std::string_view tzid) {
  auto known = known_.find(tzid);
  if (known == known_.end()) known = known_.emplace(std::string(tzid), Load(tzid)).first;
  return known->second ? &*known->second : nullptr;
}

}  // namespace tandem::playbook
