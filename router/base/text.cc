#include "router/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>

#include "router/base/status.h"

namespace tandem {
namespace {

// Decodes the code point at `text[at]` and moves `at` behind it; returns -1 (and leaves `at`) when
// the bytes are ill-formed. Table 3-7 of the Unicode standard.
std::int32_t DecodeAt(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at);
  if (lead < 0x80) {
    ++at;
    return static_cast<std::int32_t>(lead);
  }
  const int length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + static_cast<std::size_t>(length) > text.size()) return -1;
  const unsigned second = byte(at + 1);
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  if (second < low || second > high) return -1;
  std::uint32_t point = lead & (0xFFu >> (length + 1));
  point = (point << 6) | (second & 0x3F);
  for (int i = 2; i < length; ++i) {
    const unsigned next = byte(at + static_cast<std::size_t>(i));
    if ((next & 0xC0) != 0x80) return -1;
    point = (point << 6) | (next & 0x3F);
  }
  at += static_cast<std::size_t>(length);
  return static_cast<std::int32_t>(point);
}

bool IsControl(std::int32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F) || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

// How many bytes are to be inserted, removed, replaced or exchanged with their neighbour: optimal
// string alignment, row by row.
std::size_t EditsBetween(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::vector<std::size_t> above;
  std::vector<std::size_t> two_above;
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    two_above = std::exchange(above, row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replace = above[j] + (from[i] == to[j] ? 0 : 1);
      row[j + 1] = std::min({replace, above[j + 1] + 1, row[j] + 1});
      if (i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j]) {
        row[j + 1] = std::min(row[j + 1], two_above[j - 1] + 1);
      }
    }
  }
  return row.back();
}

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 7> kUnits = {{{"y", 365LL * 86'400'000},
                                         {"w", 7LL * 86'400'000},
                                         {"d", 86'400'000},
                                         {"h", 3'600'000},
                                         {"m", 60'000},
                                         {"s", 1'000},
                                         {"ms", 1}}};

}  // namespace

bool IsUtf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
    } else if (DecodeAt(text, at) < 0) {
      return false;
    }
  }
  return true;
}

bool HasControlCharacters(std::string_view text, ControlCharacters options) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::int32_t point = DecodeAt(text, at);
    if (point < 0) return true;
    if (options.allow_newlines && (point == '\n' || point == '\t' || point == '\r')) continue;
    if (IsControl(point)) return true;
  }
  return false;
}

std::string Printable(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = at;
    const std::int32_t point = DecodeAt(text, at);
    if (point < 0) at = start + 1;
    if (point >= 0 && !IsControl(point)) {
      out.append(text.substr(start, at - start));
      continue;
    }
    for (std::size_t i = start; i < at; ++i) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    }
  }
  return out;
}

std::string Shown(std::string_view text) {
  constexpr std::size_t kShownBytesMax = 80;
  if (text.size() <= kShownBytesMax) return Printable(text);
  std::size_t cut = kShownBytesMax;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return Printable(text.substr(0, cut)) + "…";
}

std::string NearestName(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (const std::size_t edits = EditsBetween(name, candidate); edits < best_distance) {
      best_distance = edits;
      best = candidate;
    }
  }
  return best;
}

absl::StatusOr<absl::Duration> ReadDuration(std::string_view text) {
  const auto bad = [&] {
    return Error(absl::StatusCode::kInvalidArgument, "DURATION_INVALID",
                 fmt::format("\"{}\" is not a duration; expected a form such as 30s, 10m, 1h30m "
                             "or 2d",
                             Shown(text)));
  };
  if (text == "0") return absl::ZeroDuration();
  std::int64_t total = 0;
  std::size_t at = 0;
  std::size_t next_unit = 0;  // Units descend, each at most once.
  while (at < text.size()) {
    std::int64_t number = 0;
    const std::size_t digits = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9' && at - digits < 9) {
      number = number * 10 + (text[at++] - '0');
    }
    const std::size_t letters = at;
    while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
    const std::string_view name = text.substr(letters, at - letters);
    const auto* unit = std::find_if(kUnits.begin() + next_unit, kUnits.end(),
                                    [&](const Unit& u) { return u.name == name; });
    if (letters == digits || unit == kUnits.end()) return bad();
    next_unit = static_cast<std::size_t>(unit - kUnits.begin()) + 1;
    total += number * unit->milliseconds;
    if (total > 100LL * 365 * 86'400'000) return bad();  // A century: no overflow, no sense.
  }
  if (text.empty()) return bad();
  return absl::Milliseconds(total);
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return "-" + DurationText(-duration);
  std::int64_t left = absl::ToInt64Milliseconds(duration);
  if (left == 0) return "0s";
  std::string out;
  for (const Unit& unit : kUnits) {
    if (unit.name == "y" || unit.name == "w") continue;
    if (const std::int64_t count = left / unit.milliseconds; count > 0) {
      out += fmt::format("{}{}", count, unit.name);
      left %= unit.milliseconds;
    }
  }
  return out;
}

std::string TimeText(absl::Time time) {
  const bool whole = absl::ToUnixMicros(time) % 1'000'000 == 0;
  return absl::FormatTime(whole ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%E6SZ", time,
                          absl::UTCTimeZone());
}

std::string SecondsText(absl::Time time) {
  return TimeText(absl::FromUnixSeconds(absl::ToUnixSeconds(time)));
}

}  // namespace tandem
