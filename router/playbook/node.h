// YAML as a tree of texts, lists and maps that know where they stand.
//
// The one place that speaks to yaml-cpp. Scalars stay texts: `yes`, `010` and `1e3` mean what they
// spell. Anchors, aliases, tags, duplicate keys and second documents are refused, so that what a
// person reads is what holds; aliases are seen as events and never expanded, so none can grow.
//
// Pure. A node lives as long as its document.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/parse.h"

namespace tandem::playbook {

struct Mark {
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1
};

struct ConfigNode {
  enum class Kind { kNothing, kText, kList, kMap };
  Kind kind = Kind::kNothing;
  bool quoted = false;  // a text in quotes or a block
  Mark mark;
  std::string text;                   // of a kText
  std::vector<ConfigNode*> children;  // of a list in its order, of a map in the order of the file

  const ConfigNode* parent = nullptr;
  std::uint32_t index = 0;  // among the parent's children
  std::string key;          // within a map
  Mark key_mark;

  // The value under `name` of a map; nullptr when there is none or this is no map.
  const ConfigNode* Find(std::string_view name) const;
  // `rules[3].when.in[0]`; "" for the root.
  std::string Path() const;
  // "a text", "a list", "a map", "nothing".
  std::string_view KindText() const;
};

class ConfigDocument {
 public:
  // Limits: kSourceBytesMax, nesting 32, 250,000 nodes. Findings are errors, each with its
  // position; with any of them the tree may be incomplete.
  explicit ConfigDocument(std::string_view source);
  ConfigDocument(const ConfigDocument&) = delete;
  ConfigDocument& operator=(const ConfigDocument&) = delete;

  // nullptr when the source could not be read as YAML at all.
  const ConfigNode* root() const { return root_; }
  const std::vector<Finding>& findings() const { return findings_; }

 private:
  class Builder;

  std::deque<ConfigNode> nodes_;  // stable addresses
  const ConfigNode* root_ = nullptr;
  std::vector<Finding> findings_;
};

// Columns of a tree count bytes; people and editors count characters. Turns the one into the other,
// once all is found. yaml-cpp may stand beyond the end of the file when it complains: such a
// position moves back to the end. REQUIRES: findings rise by line.
void CountCharacters(std::string_view source, std::vector<Finding>& findings);

}  // namespace tandem::playbook
