// Small questions about text that several rooms ask. Pure.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

namespace tandem {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// True when `text` has a C0 control character, DEL, a C1 control or a bidirectional override or
// isolate (U+202A–202E, U+2066–2069): what could forge a line on a terminal or in a log. Tab and
// newline count unless `allow_newlines`. REQUIRES: IsUtf8(text).
struct ControlCharacters {
  bool allow_newlines = false;
};
bool HasControlCharacters(std::string_view text, ControlCharacters options = {});

// `text` with control characters and ill-formed bytes written as `\xNN`: safe on one line of a
// terminal.
std::string Printable(std::string_view text);

// `text` as an error repeats it: Printable, and cut with "…" behind 80 bytes, never within a
// character. A mistake shows at the beginning, and what somebody sends must not fill the log.
std::string Shown(std::string_view text);

// The name among `candidates` that is nearest to `name` by edits (at most a third of its length;
// two letters in the wrong order are one edit), or "" when none is near. The first of equals.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

// "90s", "1h30m", "500ms", "2d", "1w": Prometheus' duration syntax; "0" is allowed.
// INVALID_ARGUMENT says what was expected.
absl::StatusOr<absl::Duration> ReadDuration(std::string_view text);

// The shortest such text: 90 s → "1m30s"; 0 → "0s".
std::string DurationText(absl::Duration duration);

// RFC 3339 in UTC with `Z`, with microseconds only when there are any.
std::string TimeText(absl::Time time);

// The same for sentences that people read: cut to the second.
std::string SecondsText(absl::Time time);

}  // namespace tandem
