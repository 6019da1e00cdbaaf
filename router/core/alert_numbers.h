// Where the slot of each active alert is, by the alert's number.
//
// Numbers are given in order and never again, so they lie in pages of neighbours: a new one costs
// no hash, and a table of a million of them costs 4 bytes each. One thread at a time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "router/base/ids.h"

namespace tandem::core {

class AlertNumbers {
 public:
  std::optional<std::uint32_t> Find(AlertNumber number) const;
  // REQUIRES: `number` is not there yet, and `slot` is below 2^32 - 1.
  void Insert(AlertNumber number, std::uint32_t slot);
  // REQUIRES: `number` is there.
  void Erase(AlertNumber number);

 private:
  // Small, because a long-lived alert keeps the page of all its neighbours: 64 × 4 B = 256 B.
  static constexpr std::uint64_t kPage = 64;
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Page {
    Page() { slots.fill(kNone); }
    std::array<std::uint32_t, kPage> slots;
    std::uint32_t used = 0;
  };

  Page* FindPage(std::uint64_t page) const;

  absl::flat_hash_map<std::uint64_t, std::unique_ptr<Page>> pages_;  // order never seen
  mutable std::uint64_t last_page_ = 0;  // the one that was asked for last …
  mutable Page* last_ = nullptr;         // … if any: neighbours are asked for together
};

}  // namespace tandem::core
