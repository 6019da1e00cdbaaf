#include "tools/tandem/doctor.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>

#include <algorithm>

#include "router/base/text.h"
#include "tools/tandem/json.h"

namespace tandem::cli {
namespace {

constexpr std::size_t kNameWidth = 10;

std::size_t Count(std::span<const Check> checks, Check::Level level) {
  return static_cast<std::size_t>(std::count_if(
      checks.begin(), checks.end(), [&](const Check& check) { return check.level == level; }));
}

std::string_view LevelWord(Check::Level level) {
  switch (level) {
    case Check::Level::kGood:
      return "good";
    case Check::Level::kNotice:
      return "notice";
    case Check::Level::kBad:
      return "bad";
  }
  return "";
}

std::string Mark(Check::Level level, const Look& look) {
  switch (level) {
    case Check::Level::kGood:
      return Painted(look, Tint::kGreen, "✓");
    case Check::Level::kNotice:
      return Painted(look, Tint::kYellow, "!");
    case Check::Level::kBad:
      return Painted(look, Tint::kRed, "✗");
  }
  return "";
}

}  // namespace

std::string CheckText(const Check& check, const Look& look) {
  std::string text = Fitted(look,
                            fmt::format("{} {:<{}}  {}\n", Mark(check.level, look),
                                        Printable(check.what), kNameWidth, Printable(check.found)),
                            kNameWidth + 4);
  if (!check.advice.empty()) {
    const std::string advice = Painted(
        look, Tint::kDim, fmt::format("  {:<{}}  → {}", "", kNameWidth, Printable(check.advice)));
    text += Fitted(look, advice + "\n", 2);
  }
  return text;
}

std::string CheckSummary(std::span<const Check> checks) {
  return fmt::format("{} checks: {} good, {} to look at, {} bad\n", checks.size(),
                     Count(checks, Check::Level::kGood), Count(checks, Check::Level::kNotice),
                     Count(checks, Check::Level::kBad));
}

std::string ChecksJson(std::span<const Check> checks) {
  google::protobuf::Struct root;
  auto& list = *(*root.mutable_fields())["checks"].mutable_list_value();
  for (const Check& check : checks) {
    auto& fields = *list.add_values()->mutable_struct_value()->mutable_fields();
    fields["level"].set_string_value(std::string(LevelWord(check.level)));
    fields["what"].set_string_value(check.what);
    fields["found"].set_string_value(Printable(check.found));
    fields["advice"].set_string_value(check.advice);
  }
  return JsonText(root, JsonShape::kIndented) + "\n";
}

bool AnyBad(std::span<const Check> checks) { return Count(checks, Check::Level::kBad) > 0; }

}  // namespace tandem::cli
