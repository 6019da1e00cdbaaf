#include "tools/agent/active_table.h"

#include "tools/agent/wire.h"

namespace tandem::client {

void ActiveTable::Note(const v1::Alert& alert, absl::Time now) {
  std::string key = AlertKey(alert);
  if (alert.has_ends_at()) return Forget(key);
  const auto known = by_key_.find(key);
  if (known == by_key_.end() && by_key_.size() >= options_.max_alerts) {
    ++not_kept_;
    return;
  }
  if (known == by_key_.end()) {
    by_age_.push_back({.key = key, .element = {}, .sent = now});
    by_key_.emplace(std::move(key), std::prev(by_age_.end()));
  } else {
    by_age_.splice(by_age_.end(), by_age_, known->second);
  }
  Entry& entry = by_age_.back();
  entry.element.clear();
  AppendAlert(alert, entry.element);
  entry.sent = now;
}

void ActiveTable::Forget(const std::string& key) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return;
  by_age_.erase(known->second);
  by_key_.erase(known);
}

std::vector<std::string> ActiveTable::TakeDue(absl::Time now, std::size_t max) {
  std::vector<std::string> elements;
  while (!by_age_.empty() && elements.size() < max && due() <= now) {
    by_age_.front().sent = now;
    elements.push_back(by_age_.front().element);
    by_age_.splice(by_age_.end(), by_age_, by_age_.begin());
  }
  return elements;
}

absl::Time ActiveTable::due() const {
  return by_age_.empty() ? absl::InfiniteFuture() : by_age_.front().sent + options_.interval;
}

}  // namespace tandem::client
