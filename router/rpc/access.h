// Who may call what: one table, and what is not in it is refused.
//
// Rights depend on the role alone, never on the side: provider and customer have the same verbs.
// viewer < responder < editor < admin; agent and service stand alone, outside that order.
//
// Values; safe from any thread. A test compares the table with the services of proto/tandem/v1.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "router/rpc/caller.h"

namespace tandem::rpc {

// Which people may: those with at least this role.
enum class People { kNobody = 0, kViewers = 1, kResponders = 2, kEditors = 3, kAdmins = 4 };

struct AccessRow {
  std::string_view method;  // "/tandem.v1.Admin/WhoAmI"
  People people = People::kNobody;
  bool agents = false;
  bool services = false;
};

// Sorted by method within a service; one row an RPC.
inline constexpr std::array kAccess = {
    AccessRow{"/tandem.v1.Admin/CreateTenant", People::kAdmins},
    AccessRow{"/tandem.v1.Admin/CreateToken", People::kAdmins},
    AccessRow{"/tandem.v1.Admin/ListPrincipals", People::kAdmins},
    // A role in a process of its own learns from it which tenants exist.
    AccessRow{
        .method = "/tandem.v1.Admin/ListTenants", .people = People::kAdmins, .services = true},
    AccessRow{"/tandem.v1.Admin/ListTokens", People::kAdmins},
    AccessRow{"/tandem.v1.Admin/PutPrincipal", People::kAdmins},
    AccessRow{"/tandem.v1.Admin/RevokeToken", People::kAdmins},
    AccessRow{.method = "/tandem.v1.Admin/WhoAmI",
              .people = People::kViewers,
              .agents = true,
              .services = true},
    // Editors may send alerts, so that a playbook can be tried by hand.
    AccessRow{
        .method = "/tandem.v1.AlertIngest/PushAlerts", .people = People::kEditors, .agents = true},
    AccessRow{.method = "/tandem.v1.AlertIngest/StreamAlerts",
              .people = People::kEditors,
              .agents = true},
    AccessRow{"/tandem.v1.Context/DeleteEntity", People::kEditors},
    AccessRow{
        .method = "/tandem.v1.Context/GetEntity", .people = People::kViewers, .services = true},
    AccessRow{"/tandem.v1.Context/ImportEntities", People::kEditors},
    AccessRow{
        .method = "/tandem.v1.Context/ListEntities", .people = People::kViewers, .services = true},
    AccessRow{
        .method = "/tandem.v1.Context/ListHistory", .people = People::kViewers, .services = true},
    AccessRow{"/tandem.v1.Context/PutEntity", People::kEditors},
    AccessRow{
        .method = "/tandem.v1.Context/WatchContext", .people = People::kAdmins, .services = true},
    // Deliveries cross tenants and carry people's addresses: no person, not even an admin.
    AccessRow{.method = "/tandem.v1.Deliveries/ReportDelivery", .services = true},
    AccessRow{.method = "/tandem.v1.Deliveries/WatchDeliveries", .services = true},
    AccessRow{"/tandem.v1.Feed/Subscribe", People::kViewers},
    AccessRow{"/tandem.v1.Incidents/AcknowledgeIncident", People::kResponders},
    AccessRow{"/tandem.v1.Incidents/AddNote", People::kResponders},
    AccessRow{"/tandem.v1.Incidents/AnswerRequest", People::kResponders},
    AccessRow{"/tandem.v1.Incidents/ExplainIncident", People::kViewers},
    AccessRow{"/tandem.v1.Incidents/GetIncident", People::kViewers},
    AccessRow{"/tandem.v1.Incidents/ListIncidentAlerts", People::kViewers},
    AccessRow{"/tandem.v1.Incidents/ListIncidents", People::kViewers},
    AccessRow{"/tandem.v1.Incidents/ListTimeline", People::kViewers},
    AccessRow{"/tandem.v1.Incidents/OfferHandover", People::kResponders},
    AccessRow{"/tandem.v1.Incidents/ReopenIncident", People::kResponders},
    AccessRow{"/tandem.v1.Incidents/ReplyHandover", People::kResponders},
    AccessRow{"/tandem.v1.Incidents/ResolveIncident", People::kResponders},
    AccessRow{"/tandem.v1.Playbooks/ActivatePlaybook", People::kEditors},
    AccessRow{"/tandem.v1.Playbooks/GetPlaybook", People::kViewers},
    AccessRow{"/tandem.v1.Playbooks/ListPlaybooks", People::kViewers},
    AccessRow{"/tandem.v1.Playbooks/ValidatePlaybook", People::kViewers},
};

// The position of `method` in kAccess, or kAccess.size() when it has no row.
constexpr std::size_t AccessIndex(std::string_view method) {
  std::size_t i = 0;
  while (i < kAccess.size() && kAccess[i].method != method) ++i;
  return i;
}

// An RPC that has a row. Made from a literal: a name without a row does not compile.
class Method {
 public:
  consteval Method(const char* full_name)  // NOLINT(google-explicit-constructor): a literal is one
      : index_(AccessIndex(full_name)) {
    if (index_ == kAccess.size()) throw "this RPC has no row in kAccess (router/rpc/access.h)";
  }

  constexpr std::size_t index() const { return index_; }  // below kAccess.size()
  constexpr const AccessRow& row() const { return kAccess[index_]; }
  constexpr std::string_view name() const { return row().method; }

 private:
  std::size_t index_;
};

// "viewer", "responder", "editor", "admin", "agent", "service".
std::string_view ToText(Role role);

// Whether `role` may call what `row` describes.
bool MayCall(Role role, const AccessRow& row);

// OK, or PERMISSION_DENIED with reason ROLE_INSUFFICIENT, naming the roles that may (fact
// `needed_roles`). A method without a row is PERMISSION_DENIED with reason METHOD_UNKNOWN.
absl::Status CheckAccess(const Caller& caller, std::string_view method);

}  // namespace tandem::rpc
