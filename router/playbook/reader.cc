#include "router/playbook/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kFindingsMax = 1'000;  // What more there is comes to light with the next try.
constexpr std::size_t kNameMaxBytes = 64;
constexpr std::size_t kTextMaxBytes = 1024;  // Of what is looked at more closely anyhow.
constexpr std::size_t kUrlMaxBytes = 2048;
constexpr std::size_t kTypingMaxBytes = 80;

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string Quoted(std::string_view text) { return fmt::format("\"{}\"", Shown(text)); }

std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > kTypingMaxBytes) return "";  // The search is quadratic in the length.
  const std::string nearest = NearestName(name, candidates);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", Quoted(nearest));
}

std::string OneOf(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

void Reader::Add(Finding::Level level, Mark mark, std::string message) {
  if (level == Finding::Level::kError) has_errors_ = true;
  if (findings_.size() > kFindingsMax) return;
  if (findings_.size() == kFindingsMax) {
    level = Finding::Level::kError;
    mark = {};
    message = fmt::format("there is more; these are the first {} findings", kFindingsMax);
  }
  findings_.push_back({level, mark.line, mark.column, std::move(message)});
}

namespace {

std::string AtPath(const ConfigNode& node, std::string_view message) {
  const std::string path = node.Path();
  return path.empty() ? std::string(message) : fmt::format("{}: {}", path, message);
}

}  // namespace

void Reader::Error(const ConfigNode& node, std::string_view message) {
  Add(Finding::Level::kError, node.mark, AtPath(node, message));
}

void Reader::Warning(const ConfigNode& node, std::string_view message) {
  Add(Finding::Level::kWarning, node.mark, AtPath(node, message));
}

void Reader::ErrorAtKey(const ConfigNode& node, std::string_view message) {
  Add(Finding::Level::kError, node.key_mark, AtPath(node, message));
}

bool Reader::IsMap(const ConfigNode& node) {
  if (node.kind == ConfigNode::Kind::kMap) return true;
  Error(node, fmt::format("expected a map (`key: value`), found {}", node.KindText()));
  return false;
}

const std::vector<ConfigNode*>& Reader::List(const ConfigNode& node, std::size_t max) {
  static const std::vector<ConfigNode*> kNone;
  if (node.kind != ConfigNode::Kind::kList) {
    Error(node, fmt::format("expected a list (`[a, b]`), found {}", node.KindText()));
    return kNone;
  }
  if (node.children.size() > max) {
    Error(node, fmt::format("{} entries; at most {} are taken", node.children.size(), max));
    return kNone;
  }
  return node.children;
}

void Reader::OnlyKeys(const ConfigNode& map, const std::vector<std::string>& keys) {
  for (const ConfigNode* child : map.children) {
    if (std::find(keys.begin(), keys.end(), child->key) != keys.end()) continue;
    const std::string near = DidYouMean(child->key, keys);
    ErrorAtKey(*child, fmt::format("there is no such key{}",
                                   near.empty() ? "; expected " + OneOf(keys) : near));
  }
}

const ConfigNode* Reader::Required(const ConfigNode& map, std::string_view key,
                                   std::string_view what) {
  const ConfigNode* node = map.Find(key);
  if (node == nullptr) Error(map, fmt::format("\"{}\" is missing; expected {}", key, what));
  return node;
}

std::optional<std::string> Reader::Text(const ConfigNode& node, std::size_t max_bytes) {
  if (node.kind != ConfigNode::Kind::kText) {
    Error(node, fmt::format("expected a text, found {}", node.KindText()));
  } else if (node.text.empty()) {
    Error(node, "expected a text, found an empty one");
  } else if (node.text.size() > max_bytes) {
    Error(node, fmt::format("{} bytes; at most {} are taken", node.text.size(), max_bytes));
  } else if (HasControlCharacters(node.text, {.allow_newlines = true})) {
    Error(node, "the text has a control character; remove it");
  } else {
    return node.text;
  }
  return std::nullopt;
}

std::optional<std::string> Reader::Name(const ConfigNode& node) {
  const auto text = Text(node, kTextMaxBytes);
  return text && IsName(node, *text) ? text : std::nullopt;
}

bool Reader::IsName(const ConfigNode& node, std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  if (!name.empty() && name.size() <= kNameMaxBytes &&
      std::all_of(name.begin(), name.end(), fits)) {
    return true;
  }
  Error(node, fmt::format("{} is not a name; expected letters, digits, - and _, at most {} bytes",
                          Quoted(name), kNameMaxBytes));
  return false;
}

std::optional<std::string> Reader::Word(const ConfigNode& node,
                                        const std::vector<std::string>& words) {
  const auto text = Text(node, kTextMaxBytes);
  if (!text || std::find(words.begin(), words.end(), *text) != words.end()) return text;
  Error(node, fmt::format("{} is not known here; expected {}{}", Quoted(*text), OneOf(words),
                          DidYouMean(*text, words)));
  return std::nullopt;
}

std::optional<absl::Duration> Reader::Duration(const ConfigNode& node, Bounds bounds) {
  const auto text = Text(node, kTextMaxBytes);
  if (!text) return std::nullopt;
  if (IsDigits(*text) && *text != "0") {
    Error(node, fmt::format("{} has no unit; write {}s for seconds or {}m for minutes",
                            Quoted(*text), Shown(*text), Shown(*text)));
    return std::nullopt;
  }
  const auto duration = ReadDuration(*text);
  if (!duration.ok()) {
    Error(node, fmt::format("{} is not a duration; expected a form such as 30s, 10m, 1h30m or 2d",
                            Quoted(*text)));
    return std::nullopt;
  }
  if (*duration < bounds.least || *duration > bounds.most) {
    Error(node, fmt::format("{} is out of bounds; expected {} to {}", Quoted(*text),
                            DurationText(bounds.least), DurationText(bounds.most)));
    return std::nullopt;
  }
  return *duration;
}

std::optional<std::uint32_t> Reader::Number(const ConfigNode& node, std::uint32_t most) {
  const auto text = Text(node, kTextMaxBytes);
  if (!text) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  // YAML 1.1 would read 010 as eight.
  const bool octal = text->size() > 1 && text->front() == '0';
  if (whole && !octal && number <= most) return number;
  Error(node, fmt::format("{} is not a number from 0 to {}{}", Quoted(*text), most,
                          whole && octal ? " (write it without a leading 0)" : ""));
  return std::nullopt;
}

std::optional<std::string> Reader::Url(const ConfigNode& node) {
  const auto text = Text(node, kUrlMaxBytes);
  if (!text) return std::nullopt;
  const std::string_view url = *text;
  const std::size_t scheme = url.find("://");
  const std::string_view rest = scheme == std::string_view::npos ? "" : url.substr(scheme + 3);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if ((url.substr(0, scheme) != "http" && url.substr(0, scheme) != "https") || host.empty()) {
    Error(node, fmt::format("{} is not a URL; expected https://HOST/PATH", Quoted(url)));
  } else if (url.find_first_of(" \t\r\n\"<>\\") != std::string_view::npos) {
    Error(node, fmt::format("{} has a character that no URL has; write it as %XX", Quoted(url)));
  } else if (host.find('@') != std::string_view::npos) {
    Error(node, "a URL here holds no user and no password; name a `secret` instead");
  } else {
    return text;
  }
  return std::nullopt;
}

std::vector<Finding> Reader::Take() { return std::move(findings_); }

}  // namespace tandem::playbook
