// Ids are types: two of them cannot be swapped.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace tandem {

// A number that names something of kind `Tag`. 0 names nothing.
template <typename Tag, typename Number = std::uint64_t>
struct StrongId {
  Number value = 0;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Number v) : value(v) {}
  constexpr explicit operator bool() const { return value != 0; }
  constexpr StrongId Next() const { return StrongId(value + 1); }
  friend constexpr auto operator<=>(const StrongId&, const StrongId&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const StrongId& id) {
    return H::combine(std::move(h), id.value);
  }
};

// Number of an incident within its tenant; starts at 1.
using IncidentNumber = StrongId<struct IncidentTag>;
// Number of an active alert within its tenant, never used again.
using AlertNumber = StrongId<struct AlertTag>;
// Number of a delivery within its tenant; starts at 1.
using DeliveryNumber = StrongId<struct DeliveryTag>;
// Position of a record in the history of its tenant; starts at 1, without gaps.
using Sequence = StrongId<struct SequenceTag>;

// A tenant's id: 1 to 63 bytes of [a-z0-9-].
struct TenantId {
  std::string value;

  TenantId() = default;
  explicit TenantId(std::string v) : value(std::move(v)) {}
  friend auto operator<=>(const TenantId&, const TenantId&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const TenantId& id) {
    return H::combine(std::move(h), id.value);
  }
};

}  // namespace tandem
