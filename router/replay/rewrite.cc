#include "router/replay/rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "router/playbook/node.h"

namespace tandem::replay {
namespace {

using playbook::ConfigNode;

// `text` as a double-quoted scalar.
std::string Scalar(std::string_view text) {
  std::string scalar = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') scalar += '\\';
    scalar += c;
  }
  return scalar + '"';
}

std::size_t Indent(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Blank, or nothing but a comment.
bool SaysNothing(std::string_view line) {
  const std::size_t at = line.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos || line[at] == '#';
}

// A file as lines, each with its end.
class Lines {
 public:
  explicit Lines(std::string_view source)
      : end_(source.find("\r\n") == std::string_view::npos ? "\n" : "\r\n") {
    while (!source.empty()) {
      const std::size_t cut = std::min(source.find('\n'), source.size() - 1) + 1;
      lines_.emplace_back(source.substr(0, cut));
      source.remove_prefix(cut);
    }
  }

  // From 1, as marks count.
  std::string& at(std::size_t number) { return lines_[number - 1]; }
  std::string_view end() const { return end_; }

  // The last line of the value of the key that stands at `mark` in a block: what is indented deeper
  // belongs to it, and list items at its own indentation.
  std::size_t LastOfBlock(playbook::Mark mark) const {
    const std::size_t column = mark.column - 1;
    std::size_t last = mark.line;
    for (std::size_t number = mark.line + 1; number <= lines_.size(); ++number) {
      const std::string& line = lines_[number - 1];
      if (SaysNothing(line)) continue;
      const std::size_t indent = Indent(line);
      const bool item = indent == column && line.compare(indent, 2, "- ") == 0;
      if (indent <= column && !item) break;
      last = number;
    }
    return last;
  }

  // Puts `block` in the place of lines [first, last].
  void Replace(std::size_t first, std::size_t last, std::vector<std::string> block) {
    const auto begin = lines_.begin() + static_cast<std::ptrdiff_t>(first - 1);
    const auto rest = lines_.erase(begin, begin + static_cast<std::ptrdiff_t>(last - first + 1));
    lines_.insert(rest, std::make_move_iterator(block.begin()),
                  std::make_move_iterator(block.end()));
  }

  // The file may end without a newline; whoever writes behind it needs one.
  void EndLine(std::size_t number) {
    if (!at(number).ends_with('\n')) at(number) += end_;
  }

  std::size_t size() const { return lines_.size(); }

  std::string Text() const {
    std::string text;
    for (const std::string& line : lines_) text += line;
    return text;
  }

 private:
  std::string_view end_;
  std::vector<std::string> lines_;
};

class Rewriter {
 public:
  explicit Rewriter(std::string_view source) : lines_(source) {}

  // "" or why not.
  std::string Write(const ConfigNode& scenario, const std::vector<NewLine>& block) {
    if (block.empty()) return "no line of its story is like one that it expects";
    if (CharAt(scenario.mark) == '{') {
      return "it stands in braces; write it as a block, one key a line";
    }
    const ConfigNode* expect = scenario.Find("expect");
    if (expect == nullptr) {
      Append(scenario, block);
      return "";
    }
    if (expect->kind == ConfigNode::Kind::kList && CharAt(expect->mark) == '[') {
      return ReplaceFlow(*expect, block);
    }
    if (expect->children.empty()) {
      InsertBehind(expect->key_mark.line, expect->key_mark.column + 1, block);
    } else {
      ReplaceBlock(*expect, block);
    }
    return "";
  }

  std::string Text() const { return lines_.Text(); }

 private:
  char CharAt(playbook::Mark mark) {
    const std::string& line = lines_.at(mark.line);
    return mark.column - 1 < line.size() ? line[mark.column - 1] : '\0';
  }

  std::string ItemLine(std::size_t indent, const NewLine& line) const {
    return fmt::format("{}- {}{}", std::string(indent, ' '), Scalar(line.text), lines_.end());
  }

  void InsertBehind(std::size_t number, std::size_t indent, const std::vector<NewLine>& block) {
    lines_.EndLine(number);
    std::vector<std::string> text = {lines_.at(number)};
    for (const NewLine& line : block) text.push_back(ItemLine(indent, line));
    lines_.Replace(number, number, std::move(text));
  }

  // Behind the last key of the scenario, but before `whole` and `never`, which speak of it.
  void Append(const ConfigNode& scenario, const std::vector<NewLine>& block) {
    const auto last_key = std::find_if(
        scenario.children.rbegin(), scenario.children.rend(),
        [](const ConfigNode* child) { return child->key != "whole" && child->key != "never"; });
    const playbook::Mark key = (*last_key)->key_mark;  // It has a name, at least.
    const std::size_t last = lines_.LastOfBlock(key);
    lines_.EndLine(last);
    std::vector<std::string> text = {
        lines_.at(last),
        fmt::format("{}expect:{}", std::string(key.column - 1, ' '), lines_.end())};
    for (const NewLine& line : block) text.push_back(ItemLine(key.column + 1, line));
    lines_.Replace(last, last, std::move(text));
  }

  // `expect: [...]` becomes a block; what stands behind the bracket stays behind the key.
  std::string ReplaceFlow(const ConfigNode& expect, const std::vector<NewLine>& block) {
    std::size_t number = expect.mark.line;
    std::size_t at = expect.mark.column - 1;
    char quote = '\0';
    std::string head = lines_.at(number).substr(0, at);
    // A quote opens a text only where one may begin: an apostrophe within a plain one is itself.
    char before = ' ';
    for (;; ++at) {
      while (number <= lines_.size() && at >= lines_.at(number).size()) {
        ++number;
        at = 0;
      }
      if (number > lines_.size()) return "the end of its list was not found; write it as a block";
      const char c = lines_.at(number)[at];
      const bool begins = std::string_view(" \t\r\n[,").find(before) != std::string_view::npos;
      before = c;
      if (quote != '\0') {
        if (c == '\\' && quote == '"') ++at;
        if (c == quote) quote = '\0';
      } else if ((c == '"' || c == '\'') && begins) {
        quote = c;
      } else if (c == '#' && begins) {
        return "its list has comments in brackets; write it as a block, one line an item";
      } else if (c == ']') {
        break;
      }
    }
    std::string tail = lines_.at(number).substr(at + 1);
    if (SaysNothing(tail) && tail.find('#') == std::string::npos) {
      head.erase(head.find_last_not_of(' ') + 1);
    }
    lines_.Replace(expect.mark.line, number, {head + tail});
    InsertBehind(expect.mark.line, expect.key_mark.column + 1, block);
    return "";
  }

  // Lines that stay keep their bytes; comments stay, also above a line that goes.
  void ReplaceBlock(const ConfigNode& expect, const std::vector<NewLine>& block) {
    const std::size_t first = expect.key_mark.line + 1;
    const std::size_t last = lines_.LastOfBlock(expect.key_mark);
    lines_.EndLine(last);
    std::vector<std::vector<std::string>> above, items;
    std::size_t number = first;
    for (std::size_t i = 0; i < expect.children.size(); ++i) {
      const std::size_t begin = expect.children[i]->mark.line;
      const std::size_t end =
          i + 1 < expect.children.size() ? expect.children[i + 1]->mark.line - 1 : last;
      auto& comments = above.emplace_back();
      for (; number < begin; ++number) comments.push_back(lines_.at(number));
      // What says nothing before the next item belongs to that one.
      std::size_t stop = end;
      while (stop > begin && SaysNothing(lines_.at(stop))) --stop;
      auto& item = items.emplace_back();
      for (; number <= stop; ++number) item.push_back(lines_.at(number));
    }
    const std::size_t indent = Indent(items.front().front());
    std::vector<std::string> text;
    std::size_t next = 0;  // of the old items whose comments have not been written
    const auto comments_to = [&](std::size_t end) {
      for (; next < end; ++next) text.insert(text.end(), above[next].begin(), above[next].end());
    };
    for (const NewLine& line : block) {
      if (line.old) comments_to(*line.old + 1);
      if (line.same) {
        text.insert(text.end(), items[*line.old].begin(), items[*line.old].end());
      } else {
        text.push_back(ItemLine(indent, line));
      }
    }
    comments_to(items.size());
    lines_.Replace(first, last, std::move(text));
  }

  Lines lines_;
};

// What the scenario of that name expects in `source`; nullopt when it cannot be read.
std::optional<std::vector<std::string>> Expected(std::string_view source,
                                                 const std::string& scenario) {
  const Scenarios read = ReadScenarios(source);
  for (const Scenario& candidate : read.scenarios) {
    if (candidate.name != scenario) continue;
    std::vector<std::string> texts;
    for (const Line& line : candidate.expect) texts.push_back(line.text);
    return texts;
  }
  return std::nullopt;
}

const ConfigNode* FindScenario(const ConfigNode* root, const std::string& name) {
  const ConfigNode* list = root == nullptr ? nullptr : root->Find("scenarios");
  if (list == nullptr) return nullptr;
  for (const ConfigNode* item : list->children) {
    const ConfigNode* candidate = item->Find("name");
    if (candidate != nullptr && candidate->text == name) return item;
  }
  return nullptr;
}

}  // namespace

Rewritten RewriteExpectations(std::string_view source, const std::vector<NewBlock>& blocks) {
  Rewritten result{.source = std::string(source)};
  for (const NewBlock& block : blocks) {
    // Read anew each time: lines have moved.
    const playbook::ConfigDocument document(result.source);
    const ConfigNode* scenario = FindScenario(document.root(), block.scenario);
    Rewriter rewriter(result.source);
    std::string refused =
        scenario == nullptr ? "it is not in the file" : rewriter.Write(*scenario, block.lines);
    if (refused.empty()) {
      std::vector<std::string> wanted;
      for (const NewLine& line : block.lines) wanted.push_back(line.text);
      if (Expected(rewriter.Text(), block.scenario) == wanted) {
        result.source = rewriter.Text();
        result.done.push_back(block.scenario);
        continue;
      }
      refused =
          "its `expect` has a form that cannot be rewritten; write it as a block, one line "
          "an item";
    }
    result.refused.push_back(fmt::format("{}: {}", block.scenario, refused));
  }
  return result;
}

}  // namespace tandem::replay
