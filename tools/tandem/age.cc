#include "tools/tandem/age.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace tandem::cli {
namespace {

std::string Formatted(std::string_view format, absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime({format.data(), format.size()}, time, zone);
}

struct Unit {
  std::int64_t seconds;
  char letter;
};
constexpr std::array<Unit, 4> kUnits = {{{86'400, 'd'}, {3'600, 'h'}, {60, 'm'}, {1, 's'}}};

}  // namespace

absl::Time ToTime(const google::protobuf::Timestamp& stamp) {
  return absl::FromUnixSeconds(stamp.seconds()) + absl::Nanoseconds(stamp.nanos());
}

google::protobuf::Timestamp ToStamp(absl::Time time) {
  google::protobuf::Timestamp stamp;
  const absl::Duration since = time - absl::UnixEpoch();
  const std::int64_t seconds = absl::ToInt64Seconds(absl::Floor(since, absl::Seconds(1)));
  stamp.set_seconds(seconds);
  stamp.set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(since - absl::Seconds(seconds))));
  return stamp;
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  const std::int64_t seconds = absl::ToInt64Seconds(duration);
  proto.set_seconds(seconds);
  proto.set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
  return proto;
}

std::string SpanText(absl::Duration span) {
  std::int64_t rest = absl::ToInt64Seconds(absl::AbsDuration(span));
  if (rest == 0) return "now";
  if (rest >= 28 * 86'400) return fmt::format("{}w", rest / (7 * 86'400));
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    const std::int64_t count = rest / kUnits[i].seconds;
    if (count == 0) continue;
    rest -= count * kUnits[i].seconds;
    std::string text = fmt::format("{}{}", count, kUnits[i].letter);
    // Seconds beside minutes are noise; hours beside days and minutes beside hours are not.
    if (i + 2 < kUnits.size()) {
      const std::int64_t next = rest / kUnits[i + 1].seconds;
      if (next > 0) text += fmt::format("{}{}", next, kUnits[i + 1].letter);
    }
    return text;
  }
  return "now";
}

std::string AgeText(const Look& look, absl::Time time) {
  const std::string span = SpanText(look.now - time);
  if (span == "now") return span;
  return time <= look.now ? span + " ago" : "in " + span;
}

std::string ClockText(const Look& look, absl::Time time) {
  const auto then = absl::ToCivilDay(time, look.zone);
  const auto today = absl::ToCivilDay(look.now, look.zone);
  if (then == today) return Formatted("%H:%M:%S", time, look.zone);
  if (then.year() == today.year()) return Formatted("%b %d %H:%M:%S", time, look.zone);
  return Formatted("%Y-%m-%d %H:%M:%S", time, look.zone);
}

std::string FullTimeText(const Look& look, absl::Time time) {
  return fmt::format("{} ({})", Formatted("%a %Y-%m-%d %H:%M:%S %Z", time, look.zone),
                     AgeText(look, time));
}

}  // namespace tandem::cli
