// How text looks on the terminal at hand: colour or none, how wide, which zone, what time it is.
//
// Values in, text out; nothing here asks the terminal or the clock (session.h does, once). Safe
// from any thread.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "router/base/words.h"

namespace tandem::cli {

struct Look {
  bool colour = false;
  std::size_t columns = 0;  // 0: no limit, nothing is cut (a pipe or a file)
  absl::Time now;
  absl::TimeZone zone;  // of the person who reads
};

enum class Tint { kPlain, kBold, kDim, kRed, kYellow, kGreen, kBlue, kCyan };

// `text` in that tint, followed by a reset; `text` as it is without colour or for kPlain. The text
// must have passed Printable() when it came from elsewhere.
std::string Painted(const Look& look, Tint tint, std::string_view text);

// Code points of well-formed UTF-8; what a table counts as width.
std::size_t CodePoints(std::string_view text);

// At most `width` code points, the last one `…` when something was cut. `width` 0: as it is.
std::string Cut(std::string_view text, std::size_t width);

// Lines of at most `width` code points, broken at blanks; a longer word keeps a line of its own.
// Every line begins with `indent` blanks, which count. `width` 0: one line for each newline in
// `text`.
std::string Wrapped(std::string_view text, std::size_t indent, std::size_t width);

// `text` with every line that is wider than the terminal broken at blanks; what is broken off
// stands `hang` blanks further right than the line began (but never beyond half of the terminal). A
// longer word keeps a line of its own. The escape sequences of Painted() take no room. In a pipe,
// as it is.
std::string Fitted(const Look& look, std::string_view text, std::size_t hang);

// Icon and word, because colour alone does not reach everybody: "▲ critical", "● major",
// "◆ warning", "· info"; "? unknown" for a word of a newer router.
std::string SeverityText(Severity severity);
Tint TintOf(Severity severity);
std::string StateText(IncidentState state);
Tint TintOf(IncidentState state);
// "provider", "customer", "–" when there is none.
std::string SideText(Side side);
std::string HandlingText(Handling handling);

}  // namespace tandem::cli
