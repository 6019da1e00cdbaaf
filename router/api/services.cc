#include "router/api/services.h"

#include <memory>
#include <utility>

#include "router/base/status.h"

namespace tandem::api {

// Handlers run before the request goes: they copy what they keep of it.
#define TANDEM_FORWARD(service, rpc_name, Request, Response)                                      \
  grpc::ServerUnaryReactor* service##Service::rpc_name(                                           \
      grpc::CallbackServerContext* context, const v1::Request* request, v1::Response* response) { \
    return rpc::ServeLater<v1::Response>(                                                         \
        context, *guard_, "/tandem.v1." #service "/" #rpc_name, response,                         \
        [&](const rpc::Call& call, rpc::Done<v1::Response> answer) {                              \
          api_->rpc_name(call.caller, *request, std::move(answer));                               \
        });                                                                                       \
  }

TANDEM_FORWARD(Incidents, ListIncidents, ListIncidentsRequest, ListIncidentsResponse)
TANDEM_FORWARD(Incidents, GetIncident, GetIncidentRequest, Incident)
TANDEM_FORWARD(Incidents, ListTimeline, ListTimelineRequest, ListTimelineResponse)
TANDEM_FORWARD(Incidents, ListIncidentAlerts, ListIncidentAlertsRequest, ListIncidentAlertsResponse)
TANDEM_FORWARD(Incidents, AcknowledgeIncident, AcknowledgeIncidentRequest, Incident)
TANDEM_FORWARD(Incidents, AddNote, AddNoteRequest, Incident)
TANDEM_FORWARD(Incidents, ResolveIncident, ResolveIncidentRequest, Incident)
TANDEM_FORWARD(Incidents, AnswerRequest, AnswerRequestRequest, Incident)
TANDEM_FORWARD(Incidents, OfferHandover, OfferHandoverRequest, Incident)
TANDEM_FORWARD(Incidents, ReplyHandover, ReplyHandoverRequest, Incident)
TANDEM_FORWARD(Incidents, ReopenIncident, ReopenIncidentRequest, Incident)
TANDEM_FORWARD(Incidents, ExplainIncident, ExplainIncidentRequest, Explanation)
TANDEM_FORWARD(Playbooks, ValidatePlaybook, ValidatePlaybookRequest, ValidatePlaybookResponse)
TANDEM_FORWARD(Playbooks, ActivatePlaybook, ActivatePlaybookRequest, Playbook)
TANDEM_FORWARD(Playbooks, GetPlaybook, GetPlaybookRequest, Playbook)
TANDEM_FORWARD(Playbooks, ListPlaybooks, ListPlaybooksRequest, ListPlaybooksResponse)
TANDEM_FORWARD(Admin, CreateTenant, CreateTenantRequest, Tenant)
TANDEM_FORWARD(Admin, PutPrincipal, PutPrincipalRequest, Principal)
TANDEM_FORWARD(Admin, CreateToken, CreateTokenRequest, CreateTokenResponse)
TANDEM_FORWARD(Admin, RevokeToken, RevokeTokenRequest, RevokeTokenResponse)

#undef TANDEM_FORWARD

// Answered at once from memory.
#define TANDEM_ANSWER(rpc_name, Request, Response, expression)                                    \
  grpc::ServerUnaryReactor* AdminService::rpc_name(                                               \
      grpc::CallbackServerContext* context, const v1::Request* request, v1::Response* response) { \
    return rpc::ServeNow(context, *guard_, "/tandem.v1.Admin/" #rpc_name,                         \
                         [&](const rpc::Call& call) -> absl::Status {                             \
                           TANDEM_ASSIGN_OR_RETURN(*response, expression);                        \
                           return absl::OkStatus();                                               \
                         });                                                                      \
  }

TANDEM_ANSWER(ListTenants, ListTenantsRequest, ListTenantsResponse,
              api_->ListTenants(call.caller, *request))
TANDEM_ANSWER(ListPrincipals, ListPrincipalsRequest, ListPrincipalsResponse,
              api_->ListPrincipals(call.caller, *request))
TANDEM_ANSWER(ListTokens, ListTokensRequest, ListTokensResponse,
              api_->ListTokens(call.caller, *request))

#undef TANDEM_ANSWER

grpc::ServerUnaryReactor* AdminService::WhoAmI(grpc::CallbackServerContext* context,
                                               const v1::WhoAmIRequest*,
                                               v1::WhoAmIResponse* response) {
  return rpc::ServeNow(context, *guard_, "/tandem.v1.Admin/WhoAmI", [&](const rpc::Call& call) {
    *response = api_->WhoAmI(call.caller);
    return absl::OkStatus();
  });
}

}  // namespace tandem::api
