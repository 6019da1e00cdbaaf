// Each distinct text once: a million alerts share their label names and most of their values.
//
// Texts are counted; one that nobody uses any more is freed and its id used again. Ids are never
// stored and never shown, so their order means nothing. One thread at a time.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::core {

using TextId = std::uint32_t;

class Interner {
 public:
  Interner();
  // The set's functors point at the texts.
  Interner(const Interner&) = delete;
  Interner& operator=(const Interner&) = delete;

  // The id of `text`, with one more user.
  TextId Acquire(std::string_view text);
  // One user less. REQUIRES: `id` came from Acquire and has a user left.
  void Release(TextId id);
  // Valid until the last user has released it.
  std::string_view Text(TextId id) const { return entries_[id].text; }

  std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string text;
    std::uint32_t users = 0;
  };
  struct Hash {
    using is_transparent = void;
    const Interner* interner;
    std::size_t operator()(TextId id) const;
    std::size_t operator()(std::string_view text) const;
  };
  struct Equal {
    using is_transparent = void;
    const Interner* interner;
    bool operator()(TextId a, TextId b) const { return a == b; }
    bool operator()(TextId a, std::string_view b) const { return interner->Text(a) == b; }
    bool operator()(std::string_view a, TextId b) const { return interner->Text(b) == a; }
  };

  std::deque<Entry> entries_;
  std::vector<TextId> free_;
  absl::flat_hash_set<TextId, Hash, Equal> index_;  // order never seen
};

}  // namespace tandem::core
