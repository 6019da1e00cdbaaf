#include "tools/tandem/finding_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/text.h"

namespace tandem::cli {
namespace {

// Line `number` of the source, from 1, without its newline; "" beyond the end.
std::string_view LineOf(std::string_view source, std::uint32_t number) {
  for (std::uint32_t line = 1; line < number; ++line) {
    const std::size_t newline = source.find('\n');
    if (newline == std::string_view::npos) return "";
    source.remove_prefix(newline + 1);
  }
  source = source.substr(0, source.find('\n'));
  if (!source.empty() && source.back() == '\r') source.remove_suffix(1);
  return source;
}

// Tabs become one blank each, so that the caret stands where it should.
std::string Shown(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '\t', ' ');
  return Printable(spaced);
}

std::string Excerpt(std::string_view source, const v1::PlaybookFinding& finding, const Look& look) {
  const std::string_view line = LineOf(source, finding.line());
  if (finding.line() == 0 || line.empty()) return "";
  const std::size_t before =
      std::min<std::size_t>(finding.column() == 0 ? 0 : finding.column() - 1, line.size());
  const std::string margin = fmt::format("{:>5} | ", finding.line());
  std::string text = fmt::format("{}{}\n", Painted(look, Tint::kDim, margin), Shown(line));
  if (finding.column() > 0) {
    const std::size_t indent = margin.size() + CodePoints(Shown(line.substr(0, before)));
    text += fmt::format("{}{}\n", std::string(indent, ' '), Painted(look, Tint::kRed, "^"));
  }
  return text;
}

std::string Count(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

}  // namespace

std::vector<v1::PlaybookFinding> ToProto(const std::vector<playbook::Finding>& findings) {
  std::vector<v1::PlaybookFinding> protos;
  for (const playbook::Finding& finding : findings) {
    v1::PlaybookFinding& proto = protos.emplace_back();
    proto.set_level(finding.level == playbook::Finding::Level::kError
                        ? v1::PlaybookFinding::ERROR
                        : v1::PlaybookFinding::WARNING);
    proto.set_line(finding.line);
    proto.set_column(finding.column);
    proto.set_message(finding.message);
  }
  return protos;
}

std::string FindingsText(std::string_view file, std::string_view source,
                         std::span<const v1::PlaybookFinding> findings, const Look& look) {
  if (findings.empty()) return "";
  std::string text;
  std::size_t errors = 0;
  for (const v1::PlaybookFinding& finding : findings) {
    const bool error = finding.level() != v1::PlaybookFinding::WARNING;
    errors += error ? 1 : 0;
    std::string place = Printable(file);
    if (finding.line() > 0) place += fmt::format(":{}", finding.line());
    if (finding.line() > 0 && finding.column() > 0) place += fmt::format(":{}", finding.column());
    text += fmt::format(
        "{}: {} {}\n", Painted(look, Tint::kBold, place),
        error ? Painted(look, Tint::kRed, "error:") : Painted(look, Tint::kYellow, "warning:"),
        Printable(finding.message()));
    text += Excerpt(source, finding, look);
  }
  return text + fmt::format("{}, {}\n", Count(errors, "error"),
                            Count(findings.size() - errors, "warning"));
}

}  // namespace tandem::cli
