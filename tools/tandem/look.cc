#include "tools/tandem/look.h"

#include <fmt/format.h>

namespace tandem::cli {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string_view Escape(Tint tint) {
  switch (tint) {
    case Tint::kPlain:
      return "";
    case Tint::kBold:
      return "\x1b[1m";
    case Tint::kDim:
      return "\x1b[2m";
    case Tint::kRed:
      return "\x1b[1;31m";
    case Tint::kYellow:
      return "\x1b[33m";
    case Tint::kGreen:
      return "\x1b[32m";
    case Tint::kBlue:
      return "\x1b[34m";
    case Tint::kCyan:
      return "\x1b[36m";
  }
  return "";
}

std::string OrUnknown(std::string_view word) {
  return word.empty() ? std::string("unknown") : std::string(word);
}

// One line of `text`, without newlines, broken at blanks.
void WrapLine(std::string_view text, std::string_view margin, std::size_t width, std::string& out) {
  std::size_t used = 0;
  out += margin;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
    const std::size_t length = CodePoints(word);
    if (used > 0 && width > 0 && margin.size() + used + 1 + length > width) {
      out += '\n';
      out += margin;
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += length;
  }
  out += '\n';
}

}  // namespace

std::string Painted(const Look& look, Tint tint, std::string_view text) {
  if (!look.colour || tint == Tint::kPlain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", Escape(tint), text);
}

std::size_t CodePoints(std::string_view text) {
  std::size_t points = 0;
  for (const char c : text) points += IsContinuation(c) ? 0 : 1;
  return points;
}

std::string Cut(std::string_view text, std::size_t width) {
  if (width == 0 || CodePoints(text) <= width) return std::string(text);
  std::size_t points = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (!IsContinuation(text[at]) && ++points == width) break;
    ++at;
  }
  return fmt::format("{}…", text.substr(0, at));
}

std::string Wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  std::string out;
  while (true) {
    const std::size_t newline = text.find('\n');
    WrapLine(text.substr(0, newline), margin, width, out);
    if (newline == std::string_view::npos) return out;
    text.remove_prefix(newline + 1);
    if (text.empty()) return out;
  }
}

std::string SeverityText(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "▲ critical";
    case Severity::kMajor:
      return "● major";
    case Severity::kWarning:
      return "◆ warning";
    case Severity::kInfo:
      return "· info";
  }
  return "? unknown";
}

Tint TintOf(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return Tint::kRed;
    case Severity::kMajor:
      return Tint::kYellow;
    case Severity::kWarning:
      return Tint::kCyan;
    case Severity::kInfo:
      return Tint::kDim;
  }
  return Tint::kPlain;
}

std::string StateText(IncidentState state) { return OrUnknown(ToText(state)); }

Tint TintOf(IncidentState state) {
  switch (state) {
    case IncidentState::kOpen:
      return Tint::kBold;
    case IncidentState::kAcknowledged:
      return Tint::kBlue;
    case IncidentState::kResolved:
      return Tint::kGreen;
  }
  return Tint::kPlain;
}

std::string SideText(Side side) {
  const std::string_view word = ToText(side);
  return word.empty() ? std::string("–") : std::string(word);
}

std::string HandlingText(Handling handling) { return OrUnknown(ToText(handling)); }

}  // namespace tandem::cli
