// YAML as a tree with the position of every node, read one item of a list at a time, so that a
// large file never stands in memory as a tree.
//
// Stricter than YAML, on purpose: duplicate keys, anchors, aliases, tags and a second document are
// mistakes, and a plain scalar is its text (`yes` stays yes, `0123` stays 0123).
//
// One thread.
#pragma once

#include <absl/functional/function_ref.h>

#include <string>
#include <string_view>
#include <vector>

#include "router/context/import_file.h"

namespace tandem::context {

// From 1.
struct YamlPosition {
  int line = 1;
  int column = 1;
};

// "12:5".
std::string ToText(YamlPosition position);

struct YamlNode {
  enum class Type { kNull, kScalar, kList, kMap };
  Type type = Type::kNull;
  YamlPosition position;
  std::string text = {};  // of a scalar
  std::vector<YamlNode> items = {};
  struct Entry;
  std::vector<Entry> entries;  // of a map, in the order of the file; keys unique
};

struct YamlNode::Entry {
  std::string key;
  YamlPosition position;  // of the key
  YamlNode value;
};

// "a map", for a message.
std::string_view ToText(YamlNode::Type type);

// Reads a document of the form `{list}: [item, …]` and hands over each item with its index.
// Mistakes against that form go to `problems`; after one of syntax nothing more is read. REQUIRES:
// IsUtf8(text) and no control characters but newlines and tabs.
void ReadYamlList(std::string_view text, std::string_view list, ImportProblems& problems,
                  absl::FunctionRef<void(std::size_t index, YamlNode item)> visit);

}  // namespace tandem::context
