#include "services/runtime/config_file.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "router/base/text.h"
#include "services/runtime/config_options.h"

namespace tandem::runtime {
namespace {

// kEntry: of a map; one value, or a list of them.
enum class Kind { kUnknown, kSection, kScalar, kList, kMap, kEntry };

std::string Join(const std::string& section, std::string_view key) {
  return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

Kind KindOf(const std::string& path) {
  if (const Option* option = FindOption(path)) {
    if (option->shape == Shape::kList) return Kind::kList;
    return option->shape == Shape::kMap ? Kind::kMap : Kind::kScalar;
  }
  const std::string prefix = path + ".";
  const bool section = std::any_of(Options().begin(), Options().end(), [&](const Option& option) {
    return option.path.compare(0, prefix.size(), prefix) == 0;
  });
  return section ? Kind::kSection : Kind::kUnknown;
}

// What may stand in `section`.
std::vector<std::string> KeysOf(const std::string& section) {
  const std::string prefix = section.empty() ? "" : section + ".";
  std::vector<std::string> keys;
  for (const Option& option : Options()) {
    if (option.path.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string rest = option.path.substr(prefix.size());
    std::string key = rest.substr(0, rest.find('.'));
    if (keys.empty() || keys.back() != key) keys.push_back(std::move(key));
  }
  return keys;
}

// Follows the events of the parser; one frame a mapping or sequence that is open.
class Walker final : public YAML::EventHandler {
 public:
  Walker(std::string_view name, const std::filesystem::path& base) : name_(name), base_(base) {}

  FileValues Take() { return std::move(values_); }
  void Fail(const YAML::Mark& mark, std::string message) {
    values_.errors.push_back({Where(mark), std::move(message)});
  }

 private:
  struct Frame {
    enum { kMapping, kSequence, kSkipped } shape = kMapping;
    std::string path;  // of the section, list or map
    Kind kind = Kind::kSection;
    YAML::Mark mark;
    bool has_key = false;  // of a mapping: its value comes next
    bool skip_value = false;
    std::string key;
    YAML::Mark key_mark;
    std::set<std::string> seen;
    std::vector<std::string> items;
  };

  std::string Where(const YAML::Mark& mark) const {
    return fmt::format("{}:{}:{}", name_, mark.line + 1, mark.column + 1);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Leaf(mark, nullptr); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Fail(mark,
         "aliases are not taken; write the value out, or put a text that begins with * in quotes");
    Skip();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Refuse(mark, tag, anchor);
    Leaf(mark, &value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Refuse(mark, tag, anchor);
    Frame frame = Enter(mark);
    if (frame.shape != Frame::kSkipped && frame.kind != Kind::kList && frame.kind != Kind::kEntry) {
      Fail(mark, fmt::format("{}: expected {}, not a list", frame.path, Expected(frame.kind)));
      frame.shape = Frame::kSkipped;
    }
    if (frame.shape != Frame::kSkipped) frame.shape = Frame::kSequence;
    frames_.push_back(std::move(frame));
  }
  void OnSequenceEnd() override {
    Frame& frame = frames_.back();
    if (frame.shape == Frame::kSequence && frame.kind == Kind::kEntry) {
      const Frame& map = frames_[frames_.size() - 2];
      Give(map.path, map.key, std::move(frame.items), frame.mark);
    } else if (frame.shape == Frame::kSequence) {
      Give(frame.path, "", std::move(frame.items), frame.mark);
    }
    Leave();
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Refuse(mark, tag, anchor);
    Frame frame = Enter(mark);
    if (frame.shape != Frame::kSkipped && frame.kind != Kind::kSection &&
        frame.kind != Kind::kMap) {
      Fail(mark, fmt::format("{}: expected {}, not a mapping", frame.path, Expected(frame.kind)));
      frame.shape = Frame::kSkipped;
    }
    frames_.push_back(std::move(frame));
  }
  void OnMapEnd() override { Leave(); }

  static std::string_view Expected(Kind kind) {
    switch (kind) {
      case Kind::kList:
        return "a list";
      case Kind::kMap:
        return "a mapping of names";
      case Kind::kSection:
        return "a section";
      case Kind::kEntry:
        return "one value or a list";
      default:
        return "one value";
    }
  }

  void Refuse(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) Fail(mark, "anchors are not taken; write the value out where it is needed");
    // "?" is a plain value, "!" a quoted one; everything else was written by somebody.
    if (!tag.empty() && tag != "?" && tag != "!") Fail(mark, "tags are not taken; leave it out");
  }

  // The frame of what begins at `mark`, by where it stands.
  Frame Enter(const YAML::Mark& mark) {
    Frame frame;
    frame.mark = mark;
    if (frames_.empty()) return frame;
    const Frame& parent = frames_.back();
    if (parent.shape == Frame::kMapping && parent.has_key && !parent.skip_value) {
      frame.path = Join(parent.path, parent.key);
      frame.kind = parent.kind == Kind::kMap ? Kind::kEntry : KindOf(frame.path);
      return frame;
    }
    if (parent.shape != Frame::kSkipped && !parent.skip_value) {
      Fail(mark, parent.shape == Frame::kSequence ? "expected one value, not a list or mapping"
                                                  : "expected a plain key");
    }
    frame.shape = Frame::kSkipped;
    return frame;
  }

  void Leave() {
    frames_.pop_back();
    Skip();
  }

  // What stands here is dealt with.
  void Skip() {
    if (frames_.empty()) return;
    Frame& frame = frames_.back();
    if (frame.shape != Frame::kMapping) return;
    frame.has_key = !frame.has_key;
    if (!frame.has_key) frame.skip_value = false;
  }

  // `text` is null for YAML's null.
  void Leaf(const YAML::Mark& mark, const std::string* text) {
    if (frames_.empty()) {
      if (text != nullptr) Fail(mark, "expected a mapping of settings, such as `data_dir: ./data`");
      return;
    }
    Frame& frame = frames_.back();
    if (frame.shape == Frame::kSkipped) return;
    if (frame.shape == Frame::kSequence) {
      frame.items.push_back(text == nullptr ? "" : *text);
    } else if (!frame.has_key) {
      Key(frame, mark, text == nullptr ? "" : *text);
      return;
    } else if (!frame.skip_value) {
      Value(frame, mark, text);
    }
    Skip();
  }

  void Key(Frame& frame, const YAML::Mark& mark, const std::string& key) {
    frame.has_key = true;
    frame.key = key;
    frame.key_mark = mark;
    frame.skip_value = true;
    const std::string path = Join(frame.path, key);
    if (!frame.seen.insert(key).second) {
      Fail(mark, fmt::format("{} stands here a second time", Printable(path)));
    } else if (frame.kind != Kind::kMap && KindOf(path) == Kind::kUnknown) {
      const std::string nearest = NearestName(key, KeysOf(frame.path));
      Fail(mark, fmt::format("unknown setting {}; {}", Printable(path),
                             nearest.empty()
                                 ? fmt::format("expected {}", fmt::join(KeysOf(frame.path), ", "))
                                 : fmt::format("did you mean {}?", Join(frame.path, nearest))));
    } else {
      frame.skip_value = false;
    }
  }

  void Value(const Frame& frame, const YAML::Mark& mark, const std::string* text) {
    const std::string path = Join(frame.path, frame.key);
    if (frame.kind == Kind::kMap) {
      Give(frame.path, frame.key, {text == nullptr ? "" : *text}, mark);
      return;
    }
    const Kind kind = KindOf(path);
    if (text == nullptr) {
      // An empty section says nothing; an empty value is more likely a slip.
      if (kind == Kind::kScalar || kind == Kind::kList) {
        Fail(frame.key_mark, fmt::format("{} has no value; leave it out, or write \"\"", path));
      }
    } else if (kind == Kind::kSection || kind == Kind::kMap) {
      Fail(mark, fmt::format("{}: expected {}, not one value", path, Expected(kind)));
    } else {
      Give(path, "", {*text}, mark);
    }
  }

  void Give(std::string path, std::string key, std::vector<std::string> items,
            const YAML::Mark& mark) {
    values_.given.push_back({.path = std::move(path),
                             .key = std::move(key),
                             .items = std::move(items),
                             .where = Where(mark),
                             .base = base_,
                             .on_command_line = false});
  }

  const std::string name_;
  const std::filesystem::path base_;
  std::vector<Frame> frames_;
  FileValues values_;
};

}  // namespace

FileValues ReadConfigYaml(std::string_view name, std::string_view yaml,
                          const std::filesystem::path& base) {
  Walker walker(name, base);
  if (yaml.size() > kConfigFileMax || !IsUtf8(yaml)) {
    walker.Fail(YAML::Mark(), "expected UTF-8 of at most 1 MiB");
    return walker.Take();
  }
  std::istringstream in{std::string(yaml)};
  try {
    YAML::Parser parser(in);
    parser.HandleNextDocument(walker);
    if (parser) walker.Fail(YAML::Mark(), "holds several documents; expected one");
  } catch (const YAML::Exception& error) {
    // `*/hook: file` without quotes means an alias to YAML.
    const bool alias = error.msg.find("anchor") != std::string::npos ||
                       error.msg.find("alias") != std::string::npos;
    walker.Fail(error.mark.is_null() ? YAML::Mark() : error.mark,
                fmt::format("is not YAML: {}{}", error.msg,
                            alias ? "; put a text that begins with * in quotes" : ""));
  }
  return walker.Take();
}

}  // namespace tandem::runtime
