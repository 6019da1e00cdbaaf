// How long ago, and when, for people. Pure.
#pragma once

#include <absl/time/time.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "tools/tandem/look.h"

namespace tandem::cli {

absl::Time ToTime(const google::protobuf::Timestamp& stamp);
google::protobuf::Timestamp ToStamp(absl::Time time);
absl::Duration ToDuration(const google::protobuf::Duration& duration);
google::protobuf::Duration ToProto(absl::Duration duration);

// Two units at most, the largest first: "now" (under 1 s), "42s", "7m", "3h12m", "2d4h", "9w".
// A negative span is read as its amount.
std::string SpanText(absl::Duration span);

// "7m ago", "in 12m", "now".
std::string AgeText(const Look& look, absl::Time time);

// In the reader's zone: "14:05:09" today, "Nov 23 14:05:09" else, "2025-11-23 14:05:09" in another
// year.
std::string ClockText(const Look& look, absl::Time time);

// "Mon 2026-11-23 14:05:09 CET (7m ago)": for the one line that people copy into a report.
std::string FullTimeText(const Look& look, absl::Time time);

}  // namespace tandem::cli
