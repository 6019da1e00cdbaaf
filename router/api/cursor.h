// Opaque texts that let a caller go on where it was: page tokens and feed cursors.
//
// Base64url of a short text with a checksum, so that one that was cut or edited is refused instead
// of misread. Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "router/base/ids.h"

namespace tandem::api {

// A page token for a request whose other fields amount to `bound_to`.
std::string MakePageToken(std::string_view position, std::string_view bound_to);
// The position. INVALID_ARGUMENT (PAGE_TOKEN_INVALID) for one that is not ours, or that belongs to
// another request.
absl::StatusOr<std::string> ReadPageToken(std::string_view token, std::string_view bound_to);

// Where a reader of the feed is in the history of a tenant: it has everything before `sequence`,
// and of that record the events up to `incident` (all of them for kWhole).
struct FeedPosition {
  static constexpr std::uint64_t kWhole = ~std::uint64_t{0};
  Sequence sequence;
  std::uint64_t incident = kWhole;
  friend auto operator<=>(const FeedPosition&, const FeedPosition&) = default;
};
using Positions = std::map<TenantId, FeedPosition>;
std::string MakeCursor(const Positions& positions);
// INVALID_ARGUMENT (CURSOR_INVALID).
absl::StatusOr<Positions> ReadCursor(std::string_view cursor);

}  // namespace tandem::api
