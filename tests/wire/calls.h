// One good call of every RPC there is, with the names that it takes: what the tests about all of
// them begin with. A test compares the table with the RPCs that proto/tandem/v1 declares.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/wire/rig.h"

namespace tandem::wire {

// A call that names something of a tenant. `$` in the request stands for that name.
struct NamedCall {
  const char* method;  // below "/tandem.v1."
  const char* who;     // a role; see Callers
  std::string request;
  // What `$` is: something of the caller's own, of another tenant, and of nobody. The last two have
  // equally many bytes, so that two answers can be compared when they are written over.
  std::string own = "harbor";
  std::string foreign = "mill";
  std::string absent = "none";
  const char* reason = "OK";  // what the call for `own` is answered with
};

// Tokens of harbor, one a role, and of mill; and things to name in both tenants.
struct Callers {
  explicit Callers(Rig& rig);

  std::map<std::string, std::string> tokens;  // by role, of harbor alone
  std::string mill_agent;                     // secrets
  std::string mill_viewer;
  std::string mill_service;
  std::string harbor_agent;  // one that may be revoked
};

// In an order in which each can be made for `own`.
std::vector<NamedCall> NamedCalls(const Callers& callers);

// RPCs that take no name: what they show is the caller's own, or all of it that is the caller's.
inline const std::vector<std::string_view> kNamelessCalls = {
    "/tandem.v1.Admin/ListPrincipals", "/tandem.v1.Admin/ListTenants", "/tandem.v1.Admin/WhoAmI",
    "/tandem.v1.Deliveries/WatchDeliveries"};

std::string Filled(const NamedCall& call, std::string_view name);

}  // namespace tandem::wire
