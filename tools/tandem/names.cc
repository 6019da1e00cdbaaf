#include "tools/tandem/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::cli {
namespace {

constexpr std::string_view kTenants = "tenants/";

bool IsTenantId(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 63 && text[0] >= 'a' && text[0] <= 'z' &&
         std::all_of(text.begin(), text.end(), allowed);
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 19 && text[0] != '0' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string_view> Parts(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    text.remove_prefix(slash + 1);
  }
}

// The tenant's id for a name that does not carry one.
absl::StatusOr<std::string> TenantFor(std::string_view text, std::string_view tenant) {
  TANDEM_ASSIGN_OR_RETURN(const std::string name, TenantName(tenant));
  const std::string id = TenantOf(name);
  if (id.empty() || id == "-") {
    return Error(absl::StatusCode::kInvalidArgument, kTenantMissing,
                 fmt::format("{} does not say of which tenant it is: give --tenant T, or set "
                             "TANDEM_TENANT",
                             text));
  }
  return id;
}

constexpr std::size_t kDigestDigits = 64;
constexpr std::size_t kShortDigestMin = 6;
// Of versions that begin alike, so many are named.
constexpr std::size_t kCandidatesMax = 10;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9'); });
}

}  // namespace

absl::Status UsageError(std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE", message);
}

absl::StatusOr<std::string> TenantName(std::string_view text) {
  if (text.empty()) return std::string();
  const std::string_view id =
      text.substr(0, kTenants.size()) == kTenants ? text.substr(kTenants.size()) : text;
  if (id == "-" || IsTenantId(id)) return fmt::format("{}{}", kTenants, id);
  return UsageError(
      fmt::format("\"{}\" is not a tenant: an id has 1 to 63 bytes of "
                  "[a-z0-9-] and starts with a letter; `-` means all of yours",
                  Printable(text)));
}

absl::StatusOr<std::string> IncidentName(std::string_view text, std::string_view tenant) {
  const std::vector<std::string_view> parts = Parts(text);
  if (parts.size() == 4 && parts[0] == "tenants" && IsTenantId(parts[1]) &&
      parts[2] == "incidents" && IsNumber(parts[3])) {
    return std::string(text);
  }
  if (parts.size() == 2 && IsTenantId(parts[0]) && IsNumber(parts[1])) {
    return fmt::format("tenants/{}/incidents/{}", parts[0], parts[1]);
  }
  std::string_view number = parts[0];
  if (!number.empty() && number[0] == '#') number.remove_prefix(1);
  if (parts.size() == 1 && IsNumber(number)) {
    TANDEM_ASSIGN_OR_RETURN(const std::string id, TenantFor(fmt::format("\"{}\"", number), tenant));
    return fmt::format("tenants/{}/incidents/{}", id, number);
  }
  return UsageError(
      fmt::format("\"{}\" is not an incident: expected tenants/acme/incidents/12, "
                  "acme/12, or 12 with --tenant acme",
                  Printable(text)));
}

absl::StatusOr<std::string> EntityName(std::string_view text, std::string_view tenant) {
  const std::vector<std::string_view> parts = Parts(text);
  const bool filled =
      std::none_of(parts.begin(), parts.end(), [](std::string_view part) { return part.empty(); });
  if (filled && parts.size() == 5 && parts[0] == "tenants" && IsTenantId(parts[1]) &&
      parts[2] == "entities") {
    return std::string(text);
  }
  if (filled && parts.size() == 3 && IsTenantId(parts[0])) {
    return fmt::format("tenants/{}/entities/{}/{}", parts[0], parts[1], parts[2]);
  }
  if (filled && parts.size() == 2) {
    TANDEM_ASSIGN_OR_RETURN(const std::string id,
                            TenantFor(fmt::format("\"{}\"", Printable(text)), tenant));
    return fmt::format("tenants/{}/entities/{}", id, text);
  }
  return UsageError(
      fmt::format("\"{}\" is not an entity: expected KIND/ID such as site/plant-7 "
                  "(kinds: site, service, device, application)",
                  Printable(text)));
}

bool IsShortDigest(std::string_view text) {
  return text.size() >= kShortDigestMin && text.size() < kDigestDigits && IsHex(text);
}

absl::StatusOr<std::string> FullDigest(std::string_view prefix,
                                       const std::vector<std::string>& digests) {
  std::set<std::string_view> found;
  for (const std::string& digest : digests) {
    if (digest.starts_with(prefix)) found.insert(digest);
  }
  if (found.size() == 1) return std::string(*found.begin());
  if (found.empty()) {
    return Error(absl::StatusCode::kNotFound, "PLAYBOOK_NOT_FOUND",
                 fmt::format("no version of the playbook begins with {}; `tandem playbook list` "
                             "shows them",
                             prefix));
  }
  std::string names;
  std::size_t named = 0;
  for (const std::string_view digest : found) {
    if (named++ == kCandidatesMax) break;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", Printable(digest.substr(0, 16)));
  }
  if (found.size() > kCandidatesMax)
    names += fmt::format(" and {} more", found.size() - kCandidatesMax);
  return UsageError(fmt::format("{} versions of the playbook begin with {}: {}; give more digits",
                                found.size(), prefix, names));
}

absl::StatusOr<std::string> PlaybookName(std::string_view digest, std::string_view tenant) {
  if (digest.substr(0, kTenants.size()) == kTenants) return std::string(digest);
  const std::string_view version = digest.empty() ? "active" : digest;
  if (version != "active" && (version.size() != kDigestDigits || !IsHex(version))) {
    return UsageError(
        fmt::format("\"{}\" is not a playbook version: expected 64 hexadecimal digits, or the "
                    "first 6 or more of them (see `tandem playbook list`), or nothing for the "
                    "active one",
                    Printable(digest)));
  }
  TANDEM_ASSIGN_OR_RETURN(const std::string id, TenantFor("the version", tenant));
  return fmt::format("tenants/{}/playbooks/{}", id, version);
}

std::string TenantOf(std::string_view name) {
  if (name.substr(0, kTenants.size()) != kTenants) return std::string(name);
  name.remove_prefix(kTenants.size());
  return std::string(name.substr(0, name.find('/')));
}

std::string LastPartOf(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return std::string(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

}  // namespace tandem::cli
