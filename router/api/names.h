// Resource names taken apart. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>
#include <utility>

#include "router/base/ids.h"
#include "router/rpc/caller.h"

namespace tandem::api {

struct IncidentRef {
  TenantId tenant;
  IncidentNumber number;
};

// "tenants/{tenant}/incidents/{number}" among the caller's tenants. INVALID_ARGUMENT for another
// form; NOT_FOUND with one text for a tenant that does not exist and one that is not the caller's.
absl::StatusOr<IncidentRef> ResolveIncident(const rpc::Caller& caller,
                                            const rpc::Authenticator& authenticator,
                                            std::string_view name, std::string_view field);

struct RequestRef {
  IncidentRef incident;
  std::uint32_t request = 0;  // 0: the name is the incident's
};

// "tenants/{tenant}/incidents/{number}/requests/{request}", or an incident's name. Errors as above.
absl::StatusOr<RequestRef> ResolveRequest(const rpc::Caller& caller,
                                          const rpc::Authenticator& authenticator,
                                          std::string_view name, std::string_view field);

// The tenants that `parent` asks for: one, or all of the caller's for "tenants/-". `all` are the
// tenants of the installation. Sorted; may be empty for an installation without tenants.
absl::StatusOr<std::vector<TenantId>> ResolveTenants(const rpc::Caller& caller,
                                                     const rpc::Authenticator& authenticator,
                                                     const std::vector<TenantId>& all,
                                                     std::string_view parent,
                                                     std::string_view field);

absl::Status IncidentNotFound();

}  // namespace tandem::api
