// A hash map by text that is asked by std::string_view without making a string. (The transparent
// look-up of absl's own string maps takes absl::string_view, which Debian builds as a type of its
// own.)
//
// Never iterate one: its order differs from run to run.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include <string>
#include <string_view>

namespace tandem::playbook {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return absl::HashOf(absl::string_view(text.data(), text.size()));
  }
};

struct TextEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

// Looked up only: order never seen.
template <typename Value>
using TextMap = absl::flat_hash_map<std::string, Value, TextHash, TextEqual>;

}  // namespace tandem::playbook
