// The gRPC services that are no more than a door: authenticate, hand to RouterApi, answer.
#pragma once

#include <grpcpp/grpcpp.h>

#include "router/api/delivery_hub.h"
#include "router/api/router_api.h"
#include "router/rpc/server.h"
#include "tandem/v1/admin.grpc.pb.h"
#include "tandem/v1/deliveries.grpc.pb.h"
#include "tandem/v1/incidents.grpc.pb.h"
#include "tandem/v1/playbooks.grpc.pb.h"

namespace tandem::api {

// Api and guard outlive each service and its calls.

class IncidentsService final : public v1::Incidents::CallbackService {
 public:
  IncidentsService(RouterApi* api, const rpc::CallGuard* guard) : api_(api), guard_(guard) {}
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  Reactor* ListIncidents(Context* context, const v1::ListIncidentsRequest* request,
                         v1::ListIncidentsResponse* response) override;
  Reactor* GetIncident(Context* context, const v1::GetIncidentRequest* request,
                       v1::Incident* response) override;
  Reactor* ListTimeline(Context* context, const v1::ListTimelineRequest* request,
                        v1::ListTimelineResponse* response) override;
  Reactor* ListIncidentAlerts(Context* context, const v1::ListIncidentAlertsRequest* request,
                              v1::ListIncidentAlertsResponse* response) override;
  Reactor* AcknowledgeIncident(Context* context, const v1::AcknowledgeIncidentRequest* request,
                               v1::Incident* response) override;
  Reactor* AddNote(Context* context, const v1::AddNoteRequest* request,
                   v1::Incident* response) override;
  Reactor* ResolveIncident(Context* context, const v1::ResolveIncidentRequest* request,
                           v1::Incident* response) override;
  Reactor* AnswerRequest(Context* context, const v1::AnswerRequestRequest* request,
                         v1::Incident* response) override;
  Reactor* OfferHandover(Context* context, const v1::OfferHandoverRequest* request,
                         v1::Incident* response) override;
  Reactor* ReplyHandover(Context* context, const v1::ReplyHandoverRequest* request,
                         v1::Incident* response) override;
  Reactor* ReopenIncident(Context* context, const v1::ReopenIncidentRequest* request,
                          v1::Incident* response) override;
  Reactor* ExplainIncident(Context* context, const v1::ExplainIncidentRequest* request,
                           v1::Explanation* response) override;

 private:
  RouterApi* api_;
  const rpc::CallGuard* guard_;
};

class PlaybooksService final : public v1::Playbooks::CallbackService {
 public:
  PlaybooksService(RouterApi* api, const rpc::CallGuard* guard) : api_(api), guard_(guard) {}
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  Reactor* ValidatePlaybook(Context* context, const v1::ValidatePlaybookRequest* request,
                            v1::ValidatePlaybookResponse* response) override;
  Reactor* ActivatePlaybook(Context* context, const v1::ActivatePlaybookRequest* request,
                            v1::Playbook* response) override;
  Reactor* GetPlaybook(Context* context, const v1::GetPlaybookRequest* request,
                       v1::Playbook* response) override;
  Reactor* ListPlaybooks(Context* context, const v1::ListPlaybooksRequest* request,
                         v1::ListPlaybooksResponse* response) override;

 private:
  RouterApi* api_;
  const rpc::CallGuard* guard_;
};

class AdminService final : public v1::Admin::CallbackService {
 public:
  AdminService(RouterApi* api, const rpc::CallGuard* guard) : api_(api), guard_(guard) {}
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  Reactor* CreateTenant(Context* context, const v1::CreateTenantRequest* request,
                        v1::Tenant* response) override;
  Reactor* ListTenants(Context* context, const v1::ListTenantsRequest* request,
                       v1::ListTenantsResponse* response) override;
  Reactor* PutPrincipal(Context* context, const v1::PutPrincipalRequest* request,
                        v1::Principal* response) override;
  Reactor* ListPrincipals(Context* context, const v1::ListPrincipalsRequest* request,
                          v1::ListPrincipalsResponse* response) override;
  Reactor* CreateToken(Context* context, const v1::CreateTokenRequest* request,
                       v1::CreateTokenResponse* response) override;
  Reactor* RevokeToken(Context* context, const v1::RevokeTokenRequest* request,
                       v1::RevokeTokenResponse* response) override;
  Reactor* ListTokens(Context* context, const v1::ListTokensRequest* request,
                      v1::ListTokensResponse* response) override;
  Reactor* WhoAmI(Context* context, const v1::WhoAmIRequest* request,
                  v1::WhoAmIResponse* response) override;

 private:
  RouterApi* api_;
  const rpc::CallGuard* guard_;
};

class DeliveriesService final : public v1::Deliveries::CallbackService {
 public:
  DeliveriesService(RouterApi* api, DeliveryHub* hub, const rpc::CallGuard* guard)
      : api_(api), hub_(hub), guard_(guard) {}
  grpc::ServerWriteReactor<v1::DeliveryEvent>* WatchDeliveries(
      grpc::CallbackServerContext* context, const v1::WatchDeliveriesRequest* request) override;
  grpc::ServerUnaryReactor* ReportDelivery(grpc::CallbackServerContext* context,
                                           const v1::ReportDeliveryRequest* request,
                                           v1::ReportDeliveryResponse* response) override;

 private:
  RouterApi* api_;
  DeliveryHub* hub_;
  const rpc::CallGuard* guard_;
};

}  // namespace tandem::api
