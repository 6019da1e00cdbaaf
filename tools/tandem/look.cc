#include "tools/tandem/look.h"

#include <fmt/format.h>

#include <algorithm>

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

// Code points that take room on a terminal: not those of Painted()'s escapes.
std::size_t ShownWidth(std::string_view text) {
  std::size_t width = 0;
  bool escaped = false;
  for (const char c : text) {
    if (c == '\x1b') escaped = true;
    if (!escaped && !IsContinuation(c)) ++width;
    if (c == 'm') escaped = false;
  }
  return width;
}

// One line, without newline, wider than `width`: broken where a blank is followed by what finds no
// room any more.
void FitLine(std::string_view line, std::size_t margin, std::size_t width, std::string& out) {
  std::size_t used = 0;
  bool begun = false;  // something stands on this line of the terminal
  while (!line.empty()) {
    const std::size_t blanks = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t end = std::min(line.find(' ', blanks), line.size());
    const std::string_view word = line.substr(blanks, end - blanks);
    const std::size_t length = ShownWidth(word);
    if (begun && length > 0 && used + blanks + length > width) {
      out += '\n';
      out.append(margin, ' ');
      used = margin;
    } else if (end < line.size() || length > 0) {
      out.append(blanks, ' ');
      used += blanks;
    }
    out += word;
    used += length;
    begun = begun || length > 0;
    line.remove_prefix(end);
  }
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

std::string Fitted(const Look& look, std::string_view text, std::size_t hang) {
  if (look.columns == 0) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (ShownWidth(line) <= look.columns) {
      out += line;
    } else {
      const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
      FitLine(line, std::min(indent + hang, look.columns / 2), look.columns, out);
    }
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
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
