// What the router answers, as plain C++: the gRPC services of this room are a thin skin around it,
// and a test drives it without a network.
//
// Thread-safe. Every call answers exactly once, later and on another thread (the engine's or a
// reader's), or at once when it is refused.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <string>

#include "router/api/reader_pool.h"
#include "router/base/clock.h"
#include "router/engine/engine.h"
#include "router/rpc/caller.h"
#include "tandem/v1/admin.pb.h"
#include "tandem/v1/deliveries.pb.h"
#include "tandem/v1/incidents.pb.h"
#include "tandem/v1/playbooks.pb.h"

namespace tandem::api {

template <typename Response>
using Answer = std::function<void(absl::StatusOr<Response>)>;

// Whether the notifier has a signing secret of this name that the tenant's playbook may use.
// Thread-safe.
using HasSecret = std::function<bool(const TenantId& tenant, const std::string& name)>;

class RouterApi {
 public:
  struct Parts {
    engine::Engine* engine = nullptr;
    ReaderPool* readers = nullptr;
    const rpc::Authenticator* authenticator = nullptr;
    const Clock* clock = nullptr;
    // Told once a change of tenants, principals or tokens is durable: open calls may have lost
    // their right to go on. On the engine's thread; returns at once. May be empty.
    std::function<void()> on_installation_changed;
    // Empty where the notifier, which alone knows, is another process.
    HasSecret has_secret;
  };

  // All parts outlive it.
  explicit RouterApi(Parts parts) : parts_(std::move(parts)) {}

  // Incidents (router_api_incidents.cc). Errors as in proto/tandem/v1/incidents.proto.
  void ListIncidents(const rpc::Caller& caller, const v1::ListIncidentsRequest& request,
                     Answer<v1::ListIncidentsResponse> answer);
  void GetIncident(const rpc::Caller& caller, const v1::GetIncidentRequest& request,
                   Answer<v1::Incident> answer);
  void ListTimeline(const rpc::Caller& caller, const v1::ListTimelineRequest& request,
                    Answer<v1::ListTimelineResponse> answer);
  void ListIncidentAlerts(const rpc::Caller& caller, const v1::ListIncidentAlertsRequest& request,
                          Answer<v1::ListIncidentAlertsResponse> answer);
  void ExplainIncident(const rpc::Caller& caller, const v1::ExplainIncidentRequest& request,
                       Answer<v1::Explanation> answer);

  // Actions (router_api_actions.cc).
  void AcknowledgeIncident(const rpc::Caller& caller, const v1::AcknowledgeIncidentRequest& request,
                           Answer<v1::Incident> answer);
  void AddNote(const rpc::Caller& caller, const v1::AddNoteRequest& request,
               Answer<v1::Incident> answer);
  void ResolveIncident(const rpc::Caller& caller, const v1::ResolveIncidentRequest& request,
                       Answer<v1::Incident> answer);
  void AnswerRequest(const rpc::Caller& caller, const v1::AnswerRequestRequest& request,
                     Answer<v1::Incident> answer);
  void OfferHandover(const rpc::Caller& caller, const v1::OfferHandoverRequest& request,
                     Answer<v1::Incident> answer);
  void ReplyHandover(const rpc::Caller& caller, const v1::ReplyHandoverRequest& request,
                     Answer<v1::Incident> answer);
  void ReopenIncident(const rpc::Caller& caller, const v1::ReopenIncidentRequest& request,
                      Answer<v1::Incident> answer);
  void ReportDelivery(const rpc::Caller& caller, const v1::ReportDeliveryRequest& request,
                      Answer<v1::ReportDeliveryResponse> answer);

  // Playbooks (router_api_playbooks.cc).
  void ValidatePlaybook(const rpc::Caller& caller, const v1::ValidatePlaybookRequest& request,
                        Answer<v1::ValidatePlaybookResponse> answer);
  void ActivatePlaybook(const rpc::Caller& caller, const v1::ActivatePlaybookRequest& request,
                        Answer<v1::Playbook> answer);
  void GetPlaybook(const rpc::Caller& caller, const v1::GetPlaybookRequest& request,
                   Answer<v1::Playbook> answer);
  void ListPlaybooks(const rpc::Caller& caller, const v1::ListPlaybooksRequest& request,
                     Answer<v1::ListPlaybooksResponse> answer);

  // The installation (router_api_admin.cc).
  void CreateTenant(const rpc::Caller& caller, const v1::CreateTenantRequest& request,
                    Answer<v1::Tenant> answer);
  void PutPrincipal(const rpc::Caller& caller, const v1::PutPrincipalRequest& request,
                    Answer<v1::Principal> answer);
  void CreateToken(const rpc::Caller& caller, const v1::CreateTokenRequest& request,
                   Answer<v1::CreateTokenResponse> answer);
  void RevokeToken(const rpc::Caller& caller, const v1::RevokeTokenRequest& request,
                   Answer<v1::RevokeTokenResponse> answer);
  // Only what the caller manages: see core::Manages.
  absl::StatusOr<v1::ListTenantsResponse> ListTenants(const rpc::Caller& caller,
                                                      const v1::ListTenantsRequest& request) const;
  absl::StatusOr<v1::ListPrincipalsResponse> ListPrincipals(
      const rpc::Caller& caller, const v1::ListPrincipalsRequest& request) const;
  absl::StatusOr<v1::ListTokensResponse> ListTokens(const rpc::Caller& caller,
                                                    const v1::ListTokensRequest& request) const;
  v1::WhoAmIResponse WhoAmI(const rpc::Caller& caller) const;

 private:
  // Runs `read` on a reader's thread and answers with what it returns.
  template <typename Response, typename Read>
  void Later(Answer<Response> answer, Read read);
  // The same with the records in which playbooks went live.
  template <typename Response, typename Read>
  void WithActivations(const TenantId& tenant, Answer<Response> answer, Read read);
  void Act(const TenantId& tenant, engine::Request request, Answer<v1::Incident> answer);
  using Installed =
      std::function<void(absl::StatusOr<std::shared_ptr<const core::InstallationFact>>)>;
  void Install(const rpc::Caller& caller, core::InstallationFact wanted,
               const std::string& request_id, Installed done);
  // The first answer to an activation that was asked for before; `active` is as it is now.
  void AnswerActivationAgain(const TenantId& tenant, const core::Actor& actor,
                             const std::string& request_id, Answer<v1::Playbook> answer);
  std::vector<TenantId> AllTenants() const;

  Parts parts_;
};

}  // namespace tandem::api
