#include "router/core/interner.h"

#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include <limits>

#include "router/base/check.h"

namespace tandem::core {

Interner::Interner() : index_(0, Hash{}, Equal{this}) {}

std::uint32_t Interner::HashOf(std::string_view text) {
  return static_cast<std::uint32_t>(
      absl::Hash<absl::string_view>{}(absl::string_view(text.data(), text.size())));
}

TextId Interner::Acquire(std::string_view text) {
  const std::uint32_t hash = HashOf(text);
  if (const auto found = index_.find(Wanted{hash, text}); found != index_.end()) {
    ++entries_[found->id].users;
    return found->id;
  }
  TextId id = 0;
  if (free_.empty()) {
    TANDEM_CHECK(entries_.size() < std::numeric_limits<TextId>::max(), "four billion texts");
    id = static_cast<TextId>(entries_.size());
    entries_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  entries_[id].text.assign(text);
  entries_[id].users = 1;
  index_.insert(Place{hash, id});
  return id;
}

void Interner::Release(TextId id) {
  Entry& entry = entries_[id];
  TANDEM_CHECK(entry.users > 0, "a text is released once for each time it was acquired");
  if (--entry.users > 0) return;
  index_.erase(Place{HashOf(entry.text), id});
  std::string().swap(entry.text);
  free_.push_back(id);
}

}  // namespace tandem::core
