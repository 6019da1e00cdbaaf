// Times, lengths and zones as iCalendar writes them (RFC 5545, 3.3.4 to 3.3.6, 3.3.14).
//
// Pure but for the time-zone database of the machine.
#pragma once

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::playbook {

struct ICalTime {
  enum class Kind { kDate, kFloating, kUtc };
  Kind kind = Kind::kFloating;
  absl::CivilSecond at;
};

// "20261224", "20261224T220000", "20261224T220000Z"; nullopt when it is none of them or no day of
// 1970 to 2100.
std::optional<ICalTime> ReadICalTime(std::string_view text);

struct ICalLength {
  std::int64_t days = 0;
  std::int64_t seconds = 0;
};

// "P1D", "PT4H30M", "P2W"; nullopt when it is none, negative, or longer than ten years.
std::optional<ICalLength> ReadICalLength(std::string_view text);

// IANA's zones by the TZIDs of one file; remembers what it was asked.
class ICalZones {
 public:
  struct Zone {
    std::string name;
    absl::TimeZone zone;
  };
  // nullptr when no zone of IANA is meant.
  const Zone* Find(std::string_view tzid);

 private:
  static std::optional<Zone> Load(std::string_view tzid);

  std::map<std::string, std::optional<Zone>, std::less<>> known_;
};

}  // namespace tandem::playbook
