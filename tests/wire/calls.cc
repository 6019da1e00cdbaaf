#include "tests/wire/calls.h"

#include "router/base/check.h"
#include "tandem/v1/deliveries.pb.h"

namespace tandem::wire {
namespace {

// An open incident with an open delivery, and two versions of an entity.
void Furnish(Rig& rig, const std::string& tenant) {
  rig.Must<v1::PushAlertsResponse>(
      "/tandem.v1.AlertIngest/PushAlerts", rig.admin(),
      fmt::format("parent: 'tenants/{}' batch {{ alerts {{ labels {{ name: 'alertname' value: "
                  "'Down' }} }} }}",
                  tenant));
  for (const char* name : {"Plant", "Plant 7"}) {
    const Reply put = rig.Call(
        "/tandem.v1.Context/PutEntity", rig.admin(),
        fmt::format("entity {{ name: 'tenants/{}/entities/site/plant-7' display_name: '{}' }}",
                    tenant, name));
    EXPECT_TRUE(put.status.ok()) << put.Text();
  }
}

// Waits until the escalation of the one incident of `tenant` has planned its delivery.
void AwaitDelivery(Rig& rig, const std::string& service) {
  rig.clock().Advance(absl::Minutes(1));
  rig.engine().Wake();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  v1::DeliveryEvent event;
  do {
    const Reply first = rig.Call("/tandem.v1.Deliveries/WatchDeliveries", service, "");
    EXPECT_TRUE(event.ParseFromString(first.body)) << first.Text();
    TANDEM_CHECK(std::chrono::steady_clock::now() < deadline, "a delivery is planned");
  } while (!event.has_open());
}

}  // namespace

Callers::Callers(Rig& rig) {
  for (const auto& [name, role] : std::map<std::string, v1::Role>{{"viewer", v1::VIEWER},
                                                                  {"responder", v1::RESPONDER},
                                                                  {"editor", v1::EDITOR},
                                                                  {"admin", v1::ADMIN},
                                                                  {"agent", v1::AGENT},
                                                                  {"service", v1::SERVICE}}) {
    tokens[name] = rig.NewToken({name + ".harbor", role, {"harbor"}});
  }
  harbor_agent = rig.NewToken({"harbor-agent", v1::AGENT, {"harbor"}});
  mill_agent = rig.NewToken({"mill-agent", v1::AGENT, {"mill"}});
  mill_viewer = rig.NewToken({"viewer.mill", v1::VIEWER, {"mill"}});
  mill_service = rig.NewToken({"service.mill", v1::SERVICE, {"mill"}});
  for (const char* tenant : {"harbor", "mill"}) Furnish(rig, tenant);
  AwaitDelivery(rig, tokens["service"]);
  AwaitDelivery(rig, mill_service);
}

std::vector<NamedCall> NamedCalls(const Callers& callers) {
  const std::string source =
      "playbook: 1\\ntenant: $\\nteams: {noc: {side: provider}}\\n"
      "escalations: {e: {steps: [{after: 0s, notify: [noc]}]}}\\n"
      "rules: [{name: r, owner: noc, handling: autonomous, escalation: e, reason: R.}]\\n";
  return {
      {"AlertIngest/PushAlerts", "agent",
       "parent: 'tenants/$' batch { alerts { labels { name: 'alertname' value: 'A' } } }"},
      {"AlertIngest/StreamAlerts", "agent", "hello { parent: 'tenants/$' client_id: 'a' }"},
      {"Incidents/ListIncidents", "viewer", "parent: 'tenants/$' filter: 'state=open'"},
      {"Incidents/GetIncident", "viewer", "name: 'tenants/$/incidents/1'"},
      {"Incidents/ListTimeline", "viewer", "parent: 'tenants/$/incidents/1'"},
      {"Incidents/ListIncidentAlerts", "viewer", "parent: 'tenants/$/incidents/1'"},
      {"Incidents/ExplainIncident", "viewer", "name: 'tenants/$/incidents/1'"},
      {"Deliveries/ReportDelivery", "service",
       "tenant: '$' delivery_id: 'dlv-$-1-1' outcome: ATTEMPTING attempt: 1 detail: 'd'"},
      {"Incidents/AcknowledgeIncident", "responder",
       "name: 'tenants/$/incidents/1' comment: 'c' request_id: 'r1'"},
      {"Incidents/AddNote", "responder",
       "name: 'tenants/$/incidents/1' text: 't' request_id: 'r2'"},
      {"Incidents/ResolveIncident", "responder",
       "name: 'tenants/$/incidents/1' comment: 'c' request_id: 'r3'"},
      {"Incidents/AnswerRequest", "responder",
       "name: 'tenants/$/incidents/1/requests/1' answer: 'a' comment: 'c' request_id: 'r11'",
       "harbor", "mill", "none", "INCIDENT_STATE"},
      {"Incidents/OfferHandover", "responder",
       "name: 'tenants/$/incidents/1' team: 't' comment: 'c' request_id: 'r12'", "harbor", "mill",
       "none", "INCIDENT_STATE"},
      {"Incidents/ReplyHandover", "responder",
       "name: 'tenants/$/incidents/1' accept: true comment: 'c' request_id: 'r13'", "harbor",
       "mill", "none", "HANDOVER_NONE"},
      {"Incidents/ReopenIncident", "responder",
       "name: 'tenants/$/incidents/1' comment: 'c' request_id: 'r4'"},
      {"Feed/Subscribe", "viewer", "parents: 'tenants/$' filter: 'state=open'"},
      {"Playbooks/ValidatePlaybook", "viewer", "parent: 'tenants/$' source: '" + source + "'"},
      {"Playbooks/ActivatePlaybook", "editor",
       "parent: 'tenants/$' comment: 'c' request_id: 'r5' source: '" + source + "'"},
      {"Playbooks/GetPlaybook", "viewer", "name: 'tenants/$/playbooks/active'"},
      {"Playbooks/ListPlaybooks", "viewer", "parent: 'tenants/$'"},
      {"Context/PutEntity", "editor",
       "entity { name: 'tenants/$/entities/site/plant-7' display_name: 'd' matchers: 'a=\"b\"' "
       "coordination: 'x' attributes { key: 'k' value: 'v' } } comment: 'c' request_id: 'r6'"},
      {"Context/GetEntity", "viewer", "name: 'tenants/$/entities/site/plant-7'"},
      {"Context/GetEntity", "viewer", "name: 'tenants/$/entities/site/plant-7' version: 1"},
      {"Context/ListEntities", "viewer", "parent: 'tenants/$' kind: 'site'"},
      {"Context/ListHistory", "viewer", "parent: 'tenants/$'"},
      {"Context/ListHistory", "viewer", "parent: 'tenants/$/entities/site/plant-7'"},
      {"Context/WatchContext", "service", "parent: 'tenants/$'"},
      {"Context/DeleteEntity", "editor",
       "name: 'tenants/$/entities/site/plant-7' comment: 'c' request_id: 'r7'"},
      {"Context/ImportEntities", "editor",
       "parent: 'tenants/$' format: CSV content: 'kind,id\\nsite,a\\n' comment: 'c' "
       "request_id: 'r8'"},
      {.method = "Admin/CreateTenant",
       .who = "admin",
       .request = "tenant { name: 'tenants/$' display_name: 'd' } request_id: 'r9'",
       .reason = "INSTALLATION_ADMIN_NEEDED"},
      {"Admin/PutPrincipal", "admin",
       "principal { id: 'new' display_name: 'd' role: VIEWER side: PROVIDER tenants: 'tenants/$' } "
       "request_id: 'r10'"},
      {"Admin/ListTokens", "admin", "principal: '$'", "harbor-agent", "mill-agent", "none-agent"},
      {"Admin/CreateToken", "admin", "principal: '$'", "harbor-agent", "mill-agent", "none-agent"},
      {"Admin/RevokeToken", "admin", "id: '$'", Rig::IdOf(callers.harbor_agent),
       Rig::IdOf(callers.mill_agent), "tdm_aaaaaaaa"},
  };
}

std::string Filled(const NamedCall& call, std::string_view name) {
  std::string text = call.request;
  for (std::size_t at; (at = text.find('$')) != std::string::npos;) text.replace(at, 1, name);
  return text;
}

}  // namespace tandem::wire
