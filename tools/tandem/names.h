// Resource names as people type them, and as the router wants them. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace tandem::cli {

// `acme` or `tenants/acme` → `tenants/acme`; `-` → `tenants/-`; empty → empty (the router then
// takes the credential's only tenant). INVALID_ARGUMENT with reason USAGE for anything else.
absl::StatusOr<std::string> TenantName(std::string_view text);

// The reason of a name that lacks its tenant: INVALID_ARGUMENT, exit code 2.
inline constexpr std::string_view kTenantMissing = "TENANT_MISSING";

// `tenants/acme/incidents/12`, `acme/12`, or `12` (also `#12`) with `tenant` from --tenant, all →
// `tenants/acme/incidents/12`. INVALID_ARGUMENT with reason USAGE says which forms are understood;
// with reason kTenantMissing that `tenant` is needed.
absl::StatusOr<std::string> IncidentName(std::string_view text, std::string_view tenant);

// `tenants/acme/entities/site/plant-7`, `acme/site/plant-7`, or `site/plant-7` with `tenant`.
absl::StatusOr<std::string> EntityName(std::string_view text, std::string_view tenant);

// Whether `text` is the beginning of a playbook's digest: 6 to 63 hexadecimal digits.
bool IsShortDigest(std::string_view text);

// The one digest among `digests` that begins with `prefix`; a repeated one counts once. NOT_FOUND
// with reason PLAYBOOK_NOT_FOUND when none does; INVALID_ARGUMENT with reason USAGE when several
// do, which names up to ten of them.
absl::StatusOr<std::string> FullDigest(std::string_view prefix,
                                       const std::vector<std::string>& digests);

// `tenants/acme/playbooks/{digest}`; an empty digest means the active version. A full name passes.
absl::StatusOr<std::string> PlaybookName(std::string_view digest, std::string_view tenant);

// `tenants/acme/incidents/12` → `acme` and `12`: the parts behind `tenants/` and behind the last
// slash; the whole text when it has another form.
std::string TenantOf(std::string_view name);
std::string LastPartOf(std::string_view name);

// A mistake on the command line: INVALID_ARGUMENT with reason USAGE, exit code 2.
absl::Status UsageError(std::string_view message);

}  // namespace tandem::cli
