#include "router/api/names.h"

#include <algorithm>
#include <charconv>

#include "router/base/status.h"

namespace tandem::api {

absl::StatusOr<IncidentRef> ResolveIncident(const rpc::Caller& caller,
                                            const rpc::Authenticator& authenticator,
                                            std::string_view name, std::string_view field) {
  constexpr std::string_view kMiddle = "/incidents/";
  const std::size_t middle = name.find(kMiddle);
  std::uint64_t number = 0;
  if (middle != std::string_view::npos) {
    const std::string_view digits = name.substr(middle + kMiddle.size());
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc() || at != end) number = 0;
  }
  const std::string_view parent = name.substr(0, middle);
  const auto slashes = std::count(parent.begin(), parent.end(), '/');
  if (number == 0 || slashes != 1) {
    return InvalidField("NAME_INVALID", field, "expected tenants/{tenant}/incidents/{number}");
  }
  TANDEM_ASSIGN_OR_RETURN(TenantId tenant,
                          rpc::ResolveTenant(caller, authenticator, parent, field));
  return IncidentRef{std::move(tenant), IncidentNumber(number)};
}

absl::StatusOr<RequestRef> ResolveRequest(const rpc::Caller& caller,
                                          const rpc::Authenticator& authenticator,
                                          std::string_view name, std::string_view field) {
  constexpr std::string_view kMiddle = "/requests/";
  RequestRef ref;
  const std::size_t middle = name.find(kMiddle);
  if (middle != std::string_view::npos) {
    const std::string_view digits = name.substr(middle + kMiddle.size());
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, ref.request);
    if (error != std::errc() || at != end || ref.request == 0) {
      return InvalidField("NAME_INVALID", field,
                          "expected tenants/{tenant}/incidents/{number}/requests/{request}");
    }
  }
  TANDEM_ASSIGN_OR_RETURN(ref.incident,
                          ResolveIncident(caller, authenticator, name.substr(0, middle), field));
  return ref;
}

absl::StatusOr<std::vector<TenantId>> ResolveTenants(const rpc::Caller& caller,
                                                     const rpc::Authenticator& authenticator,
                                                     const std::vector<TenantId>& all,
                                                     std::string_view parent,
                                                     std::string_view field) {
  if (parent == "tenants/-") return caller.all_tenants ? all : caller.tenants;
  TANDEM_ASSIGN_OR_RETURN(TenantId tenant,
                          rpc::ResolveTenant(caller, authenticator, parent, field));
  return std::vector<TenantId>{std::move(tenant)};
}

absl::Status IncidentNotFound() {
  return Error(absl::StatusCode::kNotFound, "INCIDENT_NOT_FOUND",
               "there is no such incident in the tenants of your credential");
}

}  // namespace tandem::api
