#include "router/core/alerts.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <utility>

#include "router/base/check.h"

namespace tandem::core {
namespace {

constexpr Micros kWakeGrain = 100'000;  // 100 ms: an alert times out at most that late

Micros RoundUp(Micros at) { return (at + kWakeGrain - 1) / kWakeGrain * kWakeGrain; }

}  // namespace

AlertTable::AlertTable()
    : by_identity_(0, IdentityHash{this}, IdentityEqual{this}),
      by_number_(0, NumberHash{this}, NumberEqual{this}) {}

std::size_t AlertTable::NumberHash::operator()(AlertNumber n) const {
  return absl::Hash<std::uint64_t>{}(n.value);
}

const AlertSlot* AlertTable::Find(const Identity& identity) const {
  const auto found = by_identity_.find(identity);
  return found == by_identity_.end() ? nullptr : &slots_[*found];
}

const AlertSlot* AlertTable::Find(AlertNumber number) const {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : &slots_[*found];
}

AlertSlot& AlertTable::Get(AlertNumber number) {
  const auto found = by_number_.find(number);
  TANDEM_CHECK(found != by_number_.end(), "a fact names an alert that is active");
  return slots_[*found];
}

void AlertTable::WakeAt(AlertSlot& slot, Micros at) {
  slot.wake = at;
  wakes_[at].push_back(slot.number);
}

void AlertTable::Insert(AlertSlot slot, playbook::LabelsView labels) {
  SlotIndex index = 0;
  if (free_.empty()) {
    index = static_cast<SlotIndex>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slot.label_count = static_cast<std::uint16_t>(labels.size());
  slot.labels = std::make_unique<LabelId[]>(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    slot.labels[i] = {texts_.Acquire(labels[i].name), texts_.Acquire(labels[i].value)};
  }
  slots_[index] = std::move(slot);
  const bool is_new = by_identity_.insert(index).second && by_number_.insert(index).second;
  TANDEM_CHECK(is_new, "an alert begins to fire once");
  WakeAt(slots_[index], RoundUp(slots_[index].ends));
}

void AlertTable::Erase(AlertNumber number) {
  const auto found = by_number_.find(number);
  TANDEM_CHECK(found != by_number_.end(), "an alert that ends is active");
  const SlotIndex index = *found;
  AlertSlot& slot = slots_[index];
  by_identity_.erase(index);
  by_number_.erase(index);
  for (std::size_t i = 0; i < slot.label_count; ++i) {
    texts_.Release(slot.labels[i].name);
    texts_.Release(slot.labels[i].value);
  }
  slot = AlertSlot{};
  free_.push_back(index);
}

void AlertTable::Refresh(AlertNumber number, Micros starts, Micros ends, bool ends_by_timeout) {
  AlertSlot& slot = Get(number);
  slot.starts = starts;
  slot.ends = ends;
  slot.ends_by_timeout = ends_by_timeout;
  if (const Micros wake = RoundUp(ends); wake < slot.wake) WakeAt(slot, wake);
}

void AlertTable::SetSource(AlertNumber number, std::uint64_t details, Sequence source,
                           std::uint32_t index) {
  AlertSlot& slot = Get(number);
  slot.details = details;
  slot.source = source;
  slot.source_index = index;
}

std::optional<Micros> AlertTable::NextWake() const {
  if (wakes_.empty()) return std::nullopt;
  return wakes_.begin()->first;
}

std::vector<const AlertSlot*> AlertTable::Due(Micros now, std::size_t limit) const {
  std::vector<const AlertSlot*> due;
  if (wakes_.empty() || wakes_.begin()->first > now) return due;
  const auto& [moment, numbers] = *wakes_.begin();
  const std::size_t count = std::min(limit, numbers.size());
  for (std::size_t i = numbers.size() - count; i < numbers.size(); ++i) {
    const AlertSlot* slot = Find(numbers[i]);
    if (slot != nullptr && slot->wake == moment && slot->ends <= now) due.push_back(slot);
  }
  // An alert stands twice in a moment when its end came nearer and then went back to it.
  std::sort(due.begin(), due.end(),
            [](const AlertSlot* a, const AlertSlot* b) { return a->number < b->number; });
  due.erase(std::unique(due.begin(), due.end()), due.end());
  return due;
}

void AlertTable::Settle(Micros now, std::size_t limit) {
  if (wakes_.empty() || wakes_.begin()->first > now) return;
  const auto first = wakes_.begin();
  const Micros moment = first->first;
  std::vector<AlertNumber>& numbers = first->second;
  const std::size_t keep = numbers.size() - std::min(limit, numbers.size());
  const std::vector<AlertNumber> looked_at(numbers.begin() + static_cast<std::ptrdiff_t>(keep),
                                           numbers.end());
  numbers.resize(keep);
  if (numbers.empty()) wakes_.erase(first);
  for (const AlertNumber number : looked_at) {
    const auto found = by_number_.find(number);
    if (found == by_number_.end()) continue;
    AlertSlot& slot = slots_[*found];
    if (slot.wake == moment) WakeAt(slot, std::max(RoundUp(slot.ends), moment + kWakeGrain));
  }
}

}  // namespace tandem::core
