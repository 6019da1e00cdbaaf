#include "router/core/interner.h"

#include <absl/hash/hash.h>

#include <limits>

#include "router/base/check.h"

namespace tandem::core {

Interner::Interner() : index_(0, Hash{this}, Equal{this}) {}

std::size_t Interner::Hash::operator()(TextId id) const { return (*this)(interner->Text(id)); }

std::size_t Interner::Hash::operator()(std::string_view text) const {
  return absl::Hash<std::string_view>{}(text);
}

TextId Interner::Acquire(std::string_view text) {
  if (auto found = index_.find(text); found != index_.end()) {
    ++entries_[*found].users;
    return *found;
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
  index_.insert(id);
  return id;
}

void Interner::Release(TextId id) {
  Entry& entry = entries_[id];
  TANDEM_CHECK(entry.users > 0, "a text is released once for each time it was acquired");
  if (--entry.users > 0) return;
  index_.erase(id);
  std::string().swap(entry.text);
  free_.push_back(id);
}

}  // namespace tandem::core
