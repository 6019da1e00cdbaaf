// Where a list goes on: opaque to callers, bound to the request that it came from.
//
// A token holds no secret and grants nothing: a forged one can only move within what its caller may
// read anyway. Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

#include "router/context/entity_key.h"

namespace tandem::context {

struct PagePosition {
  Version version;                // a list: that is read; a history: the last one shown
  std::optional<EntityKey> last;  // a list: the last one shown
  friend bool operator==(const PagePosition&, const PagePosition&) = default;
};

// `request` says what is listed: method, tenant, filter. Base64url.
std::string MakePageToken(std::string_view request, const PagePosition& position);

// nullopt for "": the first page. INVALID_ARGUMENT with reason PAGE_TOKEN_INVALID when it is of
// another request, or no token at all.
absl::StatusOr<std::optional<PagePosition>> ReadPageToken(std::string_view request,
                                                          std::string_view token);

}  // namespace tandem::context
