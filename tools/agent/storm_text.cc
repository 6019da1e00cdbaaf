#include "tools/agent/storm_text.h"

#include <fmt/format.h>

#include <cctype>
#include <optional>
#include <utility>

namespace tandem::client {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

// A piece of a template: literal text, or what stands between the braces.
struct Piece {
  std::string_view text;
  bool action = false;
};

// Takes one piece off the front of `rest`.
Piece NextPiece(std::string_view& rest) {
  if (!rest.starts_with("{{")) {
    const std::size_t end = std::min(rest.find("{{"), rest.size());
    return {std::exchange(rest, rest.substr(end)).substr(0, end)};
  }
  char quote = '\0';
  for (std::size_t i = 2; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '`') {
      quote = c;
    } else if (rest.substr(i).starts_with("}}")) {
      const std::string_view inside = rest.substr(2, i - 2);
      rest.remove_prefix(i + 2);
      return {inside, true};
    }
  }
  return {std::exchange(rest, {}).substr(0, 0)};  // unclosed: cut out
}

class Filler {
 public:
  Filler(std::string_view text, const TemplateFacts& facts) : rest_(text), facts_(facts) {}

  std::string Fill() {
    Block(/*shown=*/true, /*dot=*/"");
    return std::move(out_);
  }

 private:
  // Fills up to the `end` of the block, or of the text. `dot` is what `.` stands for.
  void Block(bool shown, const std::string& dot) {
    while (!rest_.empty()) {
      const Piece piece = NextPiece(rest_);
      if (!piece.action) {
        if (shown) Literal(piece.text);
        continue;
      }
      std::string_view action = piece.text;
      if (action.starts_with('-')) {
        action.remove_prefix(1);
        while (!out_.empty() && IsSpace(out_.back())) out_.pop_back();
      }
      trim_next_ = action.ends_with('-');
      if (trim_next_) action.remove_suffix(1);
      action = Trim(action);
      if (action == "end") return;
      if (action == "else") {
        shown = !shown;
      } else if (action.starts_with("if ")) {
        Block(shown, dot);
      } else if (action.starts_with("with ")) {
        const std::optional<std::string> label = Label(Trim(action.substr(5)));
        Block(shown && label && !label->empty(), label.value_or(""));
      } else if (action.starts_with("range ")) {
        Block(false, "");
      } else if (shown) {
        out_ += action == "." ? dot : Expression(action);
      }
    }
  }

  void Literal(std::string_view text) {
    if (std::exchange(trim_next_, false)) {
      while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    }
    out_.append(text);
  }

  // The label that `$labels.x` or `.Labels.x` names; nullopt for any other expression.
  std::optional<std::string> Label(std::string_view expression) const {
    for (const std::string_view prefix : {"$labels.", ".Labels."}) {
      if (!expression.starts_with(prefix)) continue;
      const std::string_view name = Trim(expression.substr(prefix.size()));
      for (const char c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return std::nullopt;
      }
      const auto label = facts_.labels.find(std::string(name));
      return label == facts_.labels.end() ? "" : label->second;
    }
    return std::nullopt;
  }

  std::string Expression(std::string_view expression) const {
    if (auto label = Label(expression)) return *std::move(label);
    if (expression == "$labels" || expression == ".Labels") {
      std::string all;
      for (const auto& [name, value] : facts_.labels) {
        all += fmt::format("{}{}=\"{}\"", all.empty() ? "" : ", ", name, value);
      }
      return "{" + all + "}";
    }
    const bool asks = expression.find("query") != std::string_view::npos;
    const bool of_value = expression.find("$value") != std::string_view::npos ||
                          expression == ".Value" || expression == "value";
    return of_value && !asks ? Value(expression) : "";
  }

  std::string Value(std::string_view expression) const {
    const auto has = [&](std::string_view word) {
      return expression.find(word) != std::string_view::npos;
    };
    if (has("humanizePercentage")) return fmt::format("{:.4g}%", facts_.value);
    if (has("humanizeDuration")) return fmt::format("{:.0f}s", facts_.value);
    if (has("%.2f")) return fmt::format("{:.2f}", facts_.value);
    if (has("%.1f")) return fmt::format("{:.1f}", facts_.value);
    if (has(".0f")) return fmt::format("{:.0f}", facts_.value);
    return fmt::format("{:.4g}", facts_.value);
  }

  std::string_view rest_;
  const TemplateFacts& facts_;
  std::string out_;
  bool trim_next_ = false;
};

// Closes the gaps that cutting left: double blanks, blanks before a full stop, empty brackets.
std::string CloseGaps(std::string text) {
  for (const auto& [gap, closed] : {std::pair<std::string_view, std::string_view>("()", ""),
                                    {"[]", ""},
                                    {"``", ""},
                                    {" .", "."},
                                    {" ,", ","},
                                    {"  ", " "}}) {
    for (std::size_t at = text.find(gap); at != std::string::npos; at = text.find(gap)) {
      text.replace(at, gap.size(), closed);
    }
  }
  return std::string(Trim(text));
}

}  // namespace

std::string FillTemplate(std::string_view text, const TemplateFacts& facts) {
  return CloseGaps(Filler(text, facts).Fill());
}

}  // namespace tandem::client
