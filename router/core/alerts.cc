#include "router/core/alerts.h"

#include <algorithm>
#include <utility>

#include "router/base/check.h"

namespace tandem::core {
namespace {

constexpr Micros kWakeGrain = 100'000;  // 100 ms: an alert times out at most that late

Micros RoundUp(Micros at) { return (at + kWakeGrain - 1) / kWakeGrain * kWakeGrain; }

}  // namespace

AlertTable::AlertTable() : by_identity_(0, IdentityHash{}, IdentityEqual{this}) {}

const AlertSlot* AlertTable::Find(const Identity& identity) const {
  const auto found = by_identity_.find(identity);
  return found == by_identity_.end() ? nullptr : &slots_[found->slot];
}

const AlertSlot* AlertTable::Find(AlertNumber number) const {
  const auto found = by_number_.Find(number);
  return found ? &slots_[*found] : nullptr;
}

AlertSlot& AlertTable::Get(AlertNumber number) {
  const auto found = by_number_.Find(number);
  TANDEM_CHECK(found, "a fact names an alert that is active");
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
  const std::size_t alike = std::min(labels.size(), last_labels_.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& [name, value] = labels[i];
    slot.labels[i] = i < alike ? LabelId{texts_.Acquire(name, last_labels_[i].name),
                                         texts_.Acquire(value, last_labels_[i].value)}
                               : LabelId{texts_.Acquire(name), texts_.Acquire(value)};
  }
  last_labels_.assign(slot.labels.get(), slot.labels.get() + labels.size());
  slots_[index] = std::move(slot);
  const Identity& identity = slots_[index].identity;
  bool is_new = false;
  by_identity_.lazy_emplace(identity, [&](const auto& make) {
    make(Place{PartOf(identity), index});
    is_new = true;
  });
  TANDEM_CHECK(is_new, "an alert begins to fire once");
  by_number_.Insert(slots_[index].number, index);
  WakeAt(slots_[index], RoundUp(slots_[index].ends));
}

void AlertTable::Erase(AlertNumber number) {
  const auto found = by_number_.Find(number);
  TANDEM_CHECK(found, "an alert that ends is active");
  const SlotIndex index = *found;
  AlertSlot& slot = slots_[index];
  by_identity_.erase(Place{PartOf(slot.identity), index});
  by_number_.Erase(number);
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
    const auto found = by_number_.Find(number);
    if (!found) continue;
    AlertSlot& slot = slots_[*found];
    if (slot.wake == moment) WakeAt(slot, std::max(RoundUp(slot.ends), moment + kWakeGrain));
  }
}

}  // namespace tandem::core
