#include "router/playbook/node.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <optional>
#include <streambuf>
#include <utility>

#include "router/base/text.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kNestingMax = 32;
// 10,000 rules of 25 values each; a source of 3 MiB can spell more, but no sensible one.
constexpr std::size_t kNodesMax = 250'000;
constexpr std::size_t kFindingsMax = 1'000;

Mark MarkOf(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

Finding ErrorAt(Mark mark, std::string message) {
  return {Finding::Level::kError, mark.line, mark.column, std::move(message)};
}

std::string_view LineOf(std::string_view source, std::uint32_t line) {
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  return source.substr(0, source.find('\n'));
}

// The first byte that is not UTF-8, or the first control character, with its position.
std::optional<Finding> BadCharacter(std::string_view source) {
  const bool utf8 = IsUtf8(source);
  if (utf8 && !HasControlCharacters(source, {.allow_newlines = true})) return std::nullopt;
  Mark mark{1, 1};
  for (std::size_t at = 0; at < source.size();) {
    std::size_t length = 1;
    while (length < 4 && at + length < source.size() &&
           (static_cast<unsigned char>(source[at + length]) & 0xC0) == 0x80) {
      ++length;
    }
    const std::string_view character = source.substr(at, length);
    if (!IsUtf8(character)) {
      return ErrorAt(mark, fmt::format("the byte 0x{:02x} is not UTF-8; save the file as UTF-8",
                                       static_cast<unsigned char>(source[at])));
    }
    if (HasControlCharacters(character, {.allow_newlines = true})) {
      return ErrorAt(mark, fmt::format("the control character {} is not allowed; remove it",
                                       Printable(character)));
    }
    at += length;
    mark.column += static_cast<std::uint32_t>(length);
    if (character == "\n") mark = {mark.line + 1, 1};
  }
  return std::nullopt;
}

// What a person can do about yaml-cpp's complaint; "" when its own words must do.
std::string_view Advice(std::string_view complaint) {
  if (complaint == "illegal map value") {
    return "; check the indentation, and put a text that contains `: ` in quotes";
  }
  if (complaint == "end of sequence flow not found") return "; a `[` before it is not closed";
  if (complaint == "end of map flow not found") return "; a `{` before it is not closed";
  return "";
}

// yaml-cpp's words, with ours where a mistake is common.
std::string SyntaxMessage(const YAML::Exception& error, std::string_view source) {
  const Mark mark = MarkOf(error.mark);
  const std::string complaint = Shown(error.msg);
  for (std::uint32_t line = mark.line > 1 ? mark.line - 1 : 1; line <= mark.line; ++line) {
    const std::string_view text = LineOf(source, line);
    const std::string_view indent = text.substr(0, text.find_first_not_of(" \t"));
    if (indent.find('\t') != std::string_view::npos) {
      return fmt::format("not YAML: {}; line {} is indented with a tab: indent with blanks",
                         complaint, line);
    }
  }
  return fmt::format("not YAML: {}{}", complaint, Advice(complaint));
}

// Whether the quotes that open at `mark` are never closed: yaml-cpp takes the rest of the file
// then.
bool IsUnclosed(std::string_view source, Mark mark) {
  std::string_view rest = source.substr(
      static_cast<std::size_t>(LineOf(source, mark.line).data() - source.data()) + mark.column - 1);
  const char quote = rest.empty() ? '\0' : rest.front();
  if (quote != '"' && quote != '\'') return false;
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (quote == '"' && rest[at] == '\\') {
      ++at;
    } else if (rest[at] == quote) {
      if (quote == '"' || at + 1 == rest.size() || rest[at + 1] != quote) return false;
      ++at;
    }
  }
  return true;
}

// Reads a text in place.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // Only read: there is no put area.
    setg(begin, begin, begin + text.size());
  }
};

// Leaves yaml-cpp's parser: its events cannot be told to stop otherwise.
struct Stop {};

}  // namespace

const ConfigNode* ConfigNode::Find(std::string_view name) const {
  if (kind != Kind::kMap) return nullptr;
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const ConfigNode* child) { return child->key == name; });
  return found == children.end() ? nullptr : *found;
}

std::string ConfigNode::Path() const {
  if (parent == nullptr) return "";
  const std::string above = parent->Path();
  if (parent->kind == Kind::kList) return fmt::format("{}[{}]", above, index);
  return above.empty() ? Shown(key) : fmt::format("{}.{}", above, Shown(key));
}

std::string_view ConfigNode::KindText() const {
  switch (kind) {
    case Kind::kText:
      return "a text";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kNothing:
      break;
  }
  return "nothing";
}

// Makes the tree of yaml-cpp's events.
class ConfigDocument::Builder : public YAML::EventHandler {
 public:
  explicit Builder(ConfigDocument& document) : document_(document) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    Refuse(MarkOf(mark), "a second document begins here; a file holds one");
    throw Stop();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Anchor(mark, anchor);
    Add(ConfigNode::Kind::kNothing, mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(MarkOf(mark),
           "aliases are not taken; write the value out, so that each rule can be read alone");
    Add(ConfigNode::Kind::kNothing, mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Anchor(mark, anchor);
    Tag(mark, tag);
    if (tag == "!") last_quoted_ = MarkOf(mark);
    ConfigNode* node = Add(ConfigNode::Kind::kText, mark, value);
    if (node == nullptr) return;
    node->text = value;
    node->quoted = tag == "!";
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Anchor(mark, anchor);
    Tag(mark, tag);
    Open(ConfigNode::Kind::kList, mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Anchor(mark, anchor);
    Tag(mark, tag);
    Open(ConfigNode::Kind::kMap, mark);
  }
  void OnMapEnd() override {
    if (open_.back().node != nullptr) RefuseDuplicates(*open_.back().node);
    open_.pop_back();
  }

  // Of the last text in quotes (or of a block); line 0 when there is none.
  Mark last_quoted() const { return last_quoted_; }

  void Refuse(Mark mark, std::string message) {
    document_.findings_.push_back(ErrorAt(mark, std::move(message)));
    if (document_.findings_.size() >= kFindingsMax) throw Stop();
  }

 private:
  // A list or map that is not closed yet.
  struct Level {
    ConfigNode* node = nullptr;  // nullptr: within something that was refused
    bool has_key = false;        // of a map: a key was read, its value comes next
    std::string key;
    Mark key_mark;
  };

  void Anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    Refuse(MarkOf(mark),
           "anchors are not taken; write the value out wherever it holds, or use `defaults`");
  }

  // "?" and "" are plain, "!" is quoted.
  void Tag(const YAML::Mark& mark, std::string_view tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    Refuse(MarkOf(mark), fmt::format("the tag \"{}\" is not taken; values are texts", Shown(tag)));
  }

  // Takes the next event as a key, an item or a value; nullptr when there is no node to be made.
  ConfigNode* Add(ConfigNode::Kind kind, const YAML::Mark& mark, std::string_view text = {}) {
    Level* level = open_.empty() ? nullptr : &open_.back();
    if (level != nullptr && level->node == nullptr) return nullptr;
    const bool in_map = level != nullptr && level->node->kind == ConfigNode::Kind::kMap;
    if (in_map && !level->has_key) {
      if (kind != ConfigNode::Kind::kText) Refuse(MarkOf(mark), "a key must be a text");
      level->has_key = true;
      level->key = text;
      level->key_mark = MarkOf(mark);
      return nullptr;
    }
    if (document_.nodes_.size() >= kNodesMax) {
      Refuse(MarkOf(mark),
             fmt::format("more than {} values; split the work between tenants", kNodesMax));
      throw Stop();
    }
    ConfigNode& node = document_.nodes_.emplace_back();
    node.kind = kind;
    node.mark = MarkOf(mark);
    if (level == nullptr) {
      document_.root_ = &node;
      return &node;
    }
    node.parent = level->node;
    node.index = static_cast<std::uint32_t>(level->node->children.size());
    if (in_map) {
      node.key = std::move(level->key);
      node.key_mark = level->key_mark;
      level->has_key = false;
    }
    level->node->children.push_back(&node);
    return &node;
  }

  void Open(ConfigNode::Kind kind, const YAML::Mark& mark) {
    if (open_.size() >= kNestingMax) {
      Refuse(MarkOf(mark), fmt::format("nested more than {} deep", kNestingMax));
      throw Stop();
    }
    ConfigNode* node = Add(kind, mark);
    open_.emplace_back().node = node;
  }

  void RefuseDuplicates(const ConfigNode& map) {
    std::vector<const ConfigNode*> sorted(map.children.begin(), map.children.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const ConfigNode* a, const ConfigNode* b) { return a->key < b->key; });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i]->key != sorted[i - 1]->key || sorted[i]->key.empty()) continue;
      Refuse(sorted[i]->key_mark, fmt::format("\"{}\" stands twice; first on line {}",
                                              Shown(sorted[i]->key), sorted[i - 1]->key_mark.line));
    }
  }

  ConfigDocument& document_;
  Mark last_quoted_;
  std::vector<Level> open_;
  int documents_ = 0;
};

ConfigDocument::ConfigDocument(std::string_view source) {
  // The mark that some editors put in front; positions count from behind it.
  if (source.substr(0, 3) == "\xEF\xBB\xBF") source.remove_prefix(3);
  if (std::string too_large = TooLarge(source); !too_large.empty()) {
    findings_.push_back(ErrorAt({}, std::move(too_large)));
    return;
  }
  if (auto bad = BadCharacter(source)) {
    findings_.push_back(*std::move(bad));
    return;
  }
  Builder builder(*this);
  ViewBuffer buffer(source);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    if (const Mark quoted = builder.last_quoted(); quoted.line > 0 && IsUnclosed(source, quoted)) {
      builder.Refuse(quoted, "the quote that opens here is never closed");
    }
  } catch (const YAML::Exception& error) {
    findings_.push_back(ErrorAt(MarkOf(error.mark), SyntaxMessage(error, source)));
  } catch (const Stop&) {
    // What stopped it is the last finding.
  }
}

void CountCharacters(std::string_view source, std::vector<Finding>& findings) {
  if (source.substr(0, 3) == "\xEF\xBB\xBF") source.remove_prefix(3);
  std::uint32_t line = 1;
  for (Finding& finding : findings) {
    for (; line < finding.line && source.find('\n') != std::string_view::npos; ++line) {
      source.remove_prefix(source.find('\n') + 1);
    }
    finding.line = std::min(finding.line, line);
    if (finding.line == 0 || finding.column == 0) continue;
    const std::string_view before =
        source.substr(0, source.find('\n')).substr(0, finding.column - 1);
    finding.column =
        1 + static_cast<std::uint32_t>(std::count_if(before.begin(), before.end(),
                                                     [](char c) { return (c & 0xC0) != 0x80; }));
  }
}

}  // namespace tandem::playbook
