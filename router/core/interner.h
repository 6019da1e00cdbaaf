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

// A hash for a hash table from 32 good bits: its buckets are chosen by the upper bits, too.
inline std::size_t SpreadHash(std::uint32_t hash) { return hash * 0x9E3779B97F4A7C15ULL; }

class Interner {
 public:
  Interner();
  // The set's functors point at the texts.
  Interner(const Interner&) = delete;
  Interner& operator=(const Interner&) = delete;

  // The id of `text`, with one more user.
  TextId Acquire(std::string_view text);
  // The same, but quicker when `text` is that of `guess`, which may be any id that Acquire has ever
  // given: alerts that follow each other share nearly all of their texts.
  TextId Acquire(std::string_view text, TextId guess) {
    Entry& entry = entries_[guess];
    if (entry.users == 0 || entry.text != text) return Acquire(text);
    ++entry.users;
    return guess;
  }
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
  // What the index holds: half of the text's hash stands beside the id, so that the index grows and
  // searches without a look at texts that lie all over the memory.
  struct Place {
    std::uint32_t hash = 0;
    TextId id = 0;
  };
  struct Wanted {
    std::uint32_t hash = 0;
    std::string_view text;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Place& place) const { return SpreadHash(place.hash); }
    std::size_t operator()(const Wanted& wanted) const { return SpreadHash(wanted.hash); }
  };
  struct Equal {
    using is_transparent = void;
    const Interner* interner;
    bool operator()(const Place& a, const Place& b) const { return a.id == b.id; }
    bool operator()(const Place& a, const Wanted& b) const {
      return a.hash == b.hash && interner->Text(a.id) == b.text;
    }
  };

  static std::uint32_t HashOf(std::string_view text);

  std::deque<Entry> entries_;
  std::vector<TextId> free_;
  absl::flat_hash_set<Place, Hash, Equal> index_;  // order never seen
};

}  // namespace tandem::core
