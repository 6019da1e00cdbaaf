#include "router/playbook/zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "router/base/text.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kNameMaxBytes = 64;

// Zones that a typing mistake is compared with when the database has no such name. Not all of them:
// those where most people are.
constexpr std::string_view kKnownZones[] = {"UTC",
                                            "Africa/Cairo",
                                            "Africa/Johannesburg",
                                            "Africa/Lagos",
                                            "Africa/Nairobi",
                                            "America/Anchorage",
                                            "America/Bogota",
                                            "America/Buenos_Aires",
                                            "America/Chicago",
                                            "America/Denver",
                                            "America/Halifax",
                                            "America/Los_Angeles",
                                            "America/Mexico_City",
                                            "America/New_York",
                                            "America/Phoenix",
                                            "America/Santiago",
                                            "America/Sao_Paulo",
                                            "America/St_Johns",
                                            "America/Toronto",
                                            "America/Vancouver",
                                            "Asia/Bangkok",
                                            "Asia/Dhaka",
                                            "Asia/Dubai",
                                            "Asia/Hong_Kong",
                                            "Asia/Jakarta",
                                            "Asia/Jerusalem",
                                            "Asia/Karachi",
                                            "Asia/Kolkata",
                                            "Asia/Manila",
                                            "Asia/Riyadh",
                                            "Asia/Seoul",
                                            "Asia/Shanghai",
                                            "Asia/Singapore",
                                            "Asia/Taipei",
                                            "Asia/Tehran",
                                            "Asia/Tokyo",
                                            "Australia/Adelaide",
                                            "Australia/Brisbane",
                                            "Australia/Lord_Howe",
                                            "Australia/Melbourne",
                                            "Australia/Perth",
                                            "Australia/Sydney",
                                            "Europe/Amsterdam",
                                            "Europe/Athens",
                                            "Europe/Berlin",
                                            "Europe/Brussels",
                                            "Europe/Bucharest",
                                            "Europe/Budapest",
                                            "Europe/Copenhagen",
                                            "Europe/Dublin",
                                            "Europe/Helsinki",
                                            "Europe/Istanbul",
                                            "Europe/Kyiv",
                                            "Europe/Lisbon",
                                            "Europe/London",
                                            "Europe/Madrid",
                                            "Europe/Moscow",
                                            "Europe/Oslo",
                                            "Europe/Paris",
                                            "Europe/Prague",
                                            "Europe/Rome",
                                            "Europe/Stockholm",
                                            "Europe/Vienna",
                                            "Europe/Warsaw",
                                            "Europe/Zurich",
                                            "Pacific/Auckland",
                                            "Pacific/Honolulu"};

bool IsLocal(const std::string& name) {
  constexpr std::string_view kLocal = "local";
  return name == "localtime" ||
         std::equal(name.begin(), name.end(), kLocal.begin(), kLocal.end(),
                    [](char a, char b) { return a == b || a == b - 'a' + 'A'; });
}

std::string NearestZone(std::string name) {
  // "america/new york": capitals after a separator, no blanks.
  bool begins = true;
  for (char& c : name) {
    if (c == ' ') c = '_';
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins = c == '/' || c == '_' || c == '-';
  }
  for (const std::string_view zone : kKnownZones) {
    if (zone.size() > name.size() && zone.substr(zone.size() - name.size() - 1, 1) == "/" &&
        zone.substr(zone.size() - name.size()) == name) {
      return std::string(zone);  // "Berlin".
    }
  }
  return NearestName(name, {std::begin(kKnownZones), std::end(kKnownZones)});
}

}  // namespace

std::string LoadZone(const std::string& name, absl::TimeZone& zone) {
  if (name.empty()) {
    zone = absl::UTCTimeZone();
    return "";
  }
  // The look-up would also take files of the machine and names that hang on its set-up.
  const bool plain = name.size() <= kNameMaxBytes && name.front() != '/' &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' ||
                              c == '+';
                     });
  if (IsLocal(name)) {
    return fmt::format(
        "\"{}\" differs from machine to machine; name the zone, such as Europe/Berlin",
        Shown(name));
  }
  absl::TimeZone loaded;  // A failed look-up leaves UTC.
  if (plain && absl::LoadTimeZone(name, &loaded)) {
    zone = loaded;
    return "";
  }
  const std::string nearest = NearestZone(name.substr(0, kNameMaxBytes));
  return fmt::format("the time-zone database has no \"{}\"; {}", Shown(name),
                     nearest.empty() ? std::string("expected an IANA name such as Europe/Berlin")
                                     : fmt::format("did you mean \"{}\"?", nearest));
}

}  // namespace tandem::playbook
