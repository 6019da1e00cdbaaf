#include "router/context/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <sstream>
#include <streambuf>
#include <utility>

#include "router/base/text.h"

namespace tandem::context {
namespace {

// An entity needs 5 (entity, calendars, calendar, intervals, interval, times).
constexpr std::size_t kDepthMax = 16;
// Of one list or map below an item; the limits of an entity are far below.
constexpr std::size_t kChildrenMax = 1024;

YamlPosition PositionOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Lets yaml-cpp read the text where it stands.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // Only the get area is set: never written to.
    setg(begin, begin, begin + text.size());
  }
};

// Builds nodes out of yaml-cpp's events. The document is at depth 0, the list at 1, an item at 2.
class ListBuilder final : public YAML::EventHandler {
 public:
  ListBuilder(std::string_view list, ImportProblems& problems,
              absl::FunctionRef<void(std::size_t, YamlNode)> visit)
      : list_(list), problems_(problems), visit_(visit) {}

  bool list_seen() const { return list_seen_; }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    RefuseAnchor(mark, anchor);
    Complete({.type = YamlNode::Type::kNull, .position = PositionOf(mark)});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Problem(PositionOf(mark), "an alias; write the value out: aliases are not taken");
    Complete({.type = YamlNode::Type::kNull, .position = PositionOf(mark)});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    Complete({.type = YamlNode::Type::kScalar, .position = PositionOf(mark), .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(YamlNode::Type::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(YamlNode::Type::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A list or a map whose end has not come yet.
  struct Frame {
    YamlNode node;
    bool has_key = false;  // of a map: the next node is a value
    bool keep = true;      // false: its children are dropped, they were refused already
    std::string key;
    YamlPosition key_position;
    std::set<std::string> keys;
    std::size_t children = 0;
  };

  void Problem(YamlPosition position, std::string description) {
    problems_.Add(ToText(position), std::move(description));
  }
  void RefuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) Problem(PositionOf(mark), "an anchor; anchors and aliases are not taken");
  }
  void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    // "?" is a plain scalar, "!" a quoted one.
    if (tag.empty() || tag == "?" || tag == "!") return;
    Problem(PositionOf(mark), fmt::format("the tag \"{}\"; tags are not taken", Shown(tag)));
  }

  void Open(YamlNode::Type type, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    if (frames_.size() == kDepthMax) {
      Problem(PositionOf(mark), fmt::format("nested too deeply; expected at most {}", kDepthMax));
    }
    Frame frame;
    frame.node.type = type;
    frame.node.position = PositionOf(mark);
    // A map as a key of a map is refused when it ends; deeper than allowed nothing is kept.
    frame.keep = frames_.size() < kDepthMax && (frames_.empty() || frames_.back().keep);
    if (frames_.empty() && type != YamlNode::Type::kMap) RefuseDocument(frame.node);
    if (IsListValue() && type == YamlNode::Type::kList) in_list_ = frames_.size() + 1;
    frames_.push_back(std::move(frame));
  }

  void Close() {
    if (in_list_ == frames_.size()) in_list_ = 0;
    YamlNode node = std::move(frames_.back().node);
    frames_.pop_back();
    if (!frames_.empty()) Complete(std::move(node));
  }

  // The node that comes now is the value of the list's key.
  bool IsListValue() const {
    return frames_.size() == 1 && frames_.back().has_key && frames_.back().keep &&
           frames_.back().key == list_;
  }

  void Complete(YamlNode node) {
    if (frames_.empty()) return RefuseDocument(node);
    Frame& parent = frames_.back();
    if (parent.node.type == YamlNode::Type::kMap) return CompleteInMap(parent, std::move(node));
    if (!parent.keep) return;
    if (in_list_ == frames_.size()) {
      visit_(index_++, std::move(node));
    } else if (HasRoom(parent, node.position)) {
      parent.node.items.push_back(std::move(node));
    }
  }

  void CompleteInMap(Frame& parent, YamlNode node) {
    if (!std::exchange(parent.has_key, !parent.has_key)) return TakeKey(parent, node);
    if (!parent.keep) return;
    if (frames_.size() == 1) return CompleteInDocument(parent, node);
    // An empty key was refused already.
    if (!parent.key.empty() && HasRoom(parent, node.position)) {
      parent.node.entries.push_back({parent.key, parent.key_position, std::move(node)});
    }
  }

  void TakeKey(Frame& parent, const YamlNode& node) {
    parent.key.clear();
    parent.key_position = node.position;
    if (!parent.keep) return;
    if (node.type != YamlNode::Type::kScalar || node.text.empty()) {
      return Problem(
          node.position,
          fmt::format("{} as a key; expected a name",
                      node.type == YamlNode::Type::kScalar ? "an empty text" : ToText(node.type)));
    }
    // Past the limit no key is remembered either.
    if (parent.children >= kChildrenMax) return;
    if (!parent.keys.insert(node.text).second) {
      return Problem(node.position, fmt::format("the key \"{}\" occurs twice", Shown(node.text)));
    }
    parent.key = node.text;
  }

  void CompleteInDocument(const Frame& document, const YamlNode& value) {
    if (document.key.empty()) return;
    if (document.key != list_) {
      const std::string nearest = NearestName(document.key.substr(0, 64), {std::string(list_)});
      return Problem(document.key_position,
                     fmt::format("unknown key \"{}\"; expected \"{}\"{}", Shown(document.key),
                                 list_, nearest.empty() ? "" : " (a typing mistake?)"));
    }
    list_seen_ = true;
    if (value.type != YamlNode::Type::kList) {
      Problem(value.position,
              fmt::format("\"{}\" is {}; expected a list", list_, ToText(value.type)));
    }
  }

  void RefuseDocument(const YamlNode& node) {
    Problem(node.position, fmt::format("the document is {}; expected a map with the key \"{}\"",
                                       ToText(node.type), list_));
    list_seen_ = true;  // Nothing more to say.
  }

  bool HasRoom(Frame& parent, YamlPosition position) {
    if (++parent.children == kChildrenMax) {
      Problem(position, fmt::format("more than {} entries", kChildrenMax - 1));
    }
    return parent.children < kChildrenMax;
  }

  const std::string_view list_;
  ImportProblems& problems_;
  absl::FunctionRef<void(std::size_t, YamlNode)> visit_;
  std::vector<Frame> frames_;
  std::size_t in_list_ =
      0;  // the number of frames while the list itself is the innermost; 0: never
  std::size_t index_ = 0;
  bool list_seen_ = false;
};

}  // namespace

std::string ToText(YamlPosition position) {
  return fmt::format("{}:{}", position.line, position.column);
}

std::string_view ToText(YamlNode::Type type) {
  switch (type) {
    case YamlNode::Type::kNull:
      return "nothing";
    case YamlNode::Type::kScalar:
      return "a text";
    case YamlNode::Type::kList:
      return "a list";
    case YamlNode::Type::kMap:
      return "a map";
  }
  return "";
}

void ReadYamlList(std::string_view text, std::string_view list, ImportProblems& problems,
                  absl::FunctionRef<void(std::size_t index, YamlNode item)> visit) {
  ListBuilder builder(list, problems, visit);
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    const bool any = parser.HandleNextDocument(builder);
    if (any && !builder.list_seen()) {
      problems.Add("1:1", fmt::format("the key \"{}\" is missing", list));
    }
    if (!any) problems.Add("1:1", fmt::format("the file is empty; expected \"{}:\"", list));
    if (any && parser) problems.Add("", "the file has a second document; expected one");
  } catch (const YAML::Exception& e) {
    // `msg` alone: what() repeats the position in its own form.
    problems.Add(e.mark.is_null() ? "1:1" : ToText(PositionOf(e.mark)),
                 fmt::format("not YAML: {}", Shown(e.msg)));
  }
}

}  // namespace tandem::context
