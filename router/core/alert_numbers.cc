#include "router/core/alert_numbers.h"

#include "router/base/check.h"

namespace tandem::core {

AlertNumbers::Page* AlertNumbers::FindPage(std::uint64_t page) const {
  if (last_ != nullptr && last_page_ == page) return last_;
  const auto found = pages_.find(page);
  if (found == pages_.end()) return nullptr;
  last_page_ = page;
  last_ = found->second.get();
  return last_;
}

std::optional<std::uint32_t> AlertNumbers::Find(AlertNumber number) const {
  const Page* page = FindPage(number.value / kPage);
  if (page == nullptr) return std::nullopt;
  const std::uint32_t slot = page->slots[number.value % kPage];
  return slot == kNone ? std::nullopt : std::optional(slot);
}

void AlertNumbers::Insert(AlertNumber number, std::uint32_t slot) {
  Page* page = FindPage(number.value / kPage);
  if (page == nullptr) {
    auto fresh = std::make_unique<Page>();
    page = fresh.get();
    pages_.emplace(number.value / kPage, std::move(fresh));
  }
  std::uint32_t& place = page->slots[number.value % kPage];
  TANDEM_CHECK(place == kNone && slot != kNone, "an alert has one number");
  place = slot;
  ++page->used;
}

void AlertNumbers::Erase(AlertNumber number) {
  Page* page = FindPage(number.value / kPage);
  TANDEM_CHECK(page != nullptr && page->slots[number.value % kPage] != kNone,
               "an alert that ends has a number");
  page->slots[number.value % kPage] = kNone;
  if (--page->used > 0) return;
  last_ = nullptr;
  pages_.erase(number.value / kPage);
}

}  // namespace tandem::core
