#include <fmt/format.h>

#include "router/api/later.h"
#include "router/api/names.h"
#include "router/api/text_field.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "router/codec/projection.h"

namespace tandem::api {
namespace {

constexpr std::size_t kNoteMax = 16384;
constexpr std::size_t kDetailMax = 256;
constexpr std::size_t kNameBytesMax = 64;  // of a team, as playbooks take it

template <typename Request>
absl::Status CheckAction(const Request& request) {
  TANDEM_RETURN_IF_ERROR(CheckText(request.comment(), "comment", kCommentBytesMax));
  return CheckRequestId(request.request_id());
}

core::Actor ActorOf(const rpc::Caller& caller) { return {caller.principal, caller.side}; }

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

void RouterApi::Act(const TenantId& tenant, engine::Request request, Answer<v1::Incident> answer) {
  // A repeated request is answered with the incident as it is now.
  const IncidentNumber number = std::visit(
      [](const auto& r) {
        if constexpr (requires { r.incident; }) {
          return r.incident;
        } else {
          return IncidentNumber();
        }
      },
      request);
  parts_.engine->Submit(
      {.tenant = tenant,
       .request = std::move(request),
       .done = [this, tenant, number, answer](absl::StatusOr<engine::Reply> reply) mutable {
         if (!reply.ok()) return answer(reply.status());
         if (reply->incident) return answer(*std::move(reply->incident));
         v1::GetIncidentRequest get;
         get.set_name(codec::IncidentName(tenant, number));
         rpc::Caller self{.tenants = {tenant}};
         GetIncident(self, get, answer);
       }});
}

void RouterApi::AcknowledgeIncident(const rpc::Caller& caller,
                                    const v1::AcknowledgeIncidentRequest& request,
                                    Answer<v1::Incident> answer) {
  if (const absl::Status checked = CheckAction(request); !checked.ok()) return answer(checked);
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  core::Acknowledgement input{.actor = ActorOf(caller),
                              .incident = ref.number,
                              .comment = request.comment(),
                              .request_id = request.request_id()};
  if (request.has_expires_in()) {
    input.expires_in = DurationOf(request.expires_in());
    if (*input.expires_in < absl::Seconds(1)) {
      return answer(InvalidField("DURATION_INVALID", "expires_in", "expected at least one second"));
    }
  }
  Act(ref.tenant, std::move(input), std::move(answer));
}

void RouterApi::AddNote(const rpc::Caller& caller, const v1::AddNoteRequest& request,
                        Answer<v1::Incident> answer) {
  absl::Status checked = CheckText(request.text(), "text", kNoteMax);
  if (checked.ok()) checked = CheckRequestId(request.request_id());
  if (checked.ok() && request.text().empty()) {
    checked = InvalidField("TEXT_MISSING", "text", "a note needs a text");
  }
  if (!checked.ok()) return answer(checked);
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  Act(ref.tenant, core::Note{ActorOf(caller), ref.number, request.text(), request.request_id()},
      std::move(answer));
}

void RouterApi::ResolveIncident(const rpc::Caller& caller,
                                const v1::ResolveIncidentRequest& request,
                                Answer<v1::Incident> answer) {
  if (const absl::Status checked = CheckAction(request); !checked.ok()) return answer(checked);
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  Act(ref.tenant,
      core::Resolution{ActorOf(caller), ref.number, request.comment(), request.request_id()},
      std::move(answer));
}

void RouterApi::ReopenIncident(const rpc::Caller& caller, const v1::ReopenIncidentRequest& request,
                               Answer<v1::Incident> answer) {
  if (const absl::Status checked = CheckAction(request); !checked.ok()) return answer(checked);
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  Act(ref.tenant,
      core::Reopening{ActorOf(caller), ref.number, request.comment(), request.request_id()},
      std::move(answer));
}

void RouterApi::AnswerRequest(const rpc::Caller& caller, const v1::AnswerRequestRequest& request,
                              Answer<v1::Incident> answer) {
  absl::Status checked = CheckAction(request);
  if (checked.ok()) checked = CheckText(request.answer(), "answer", kCommentBytesMax);
  if (checked.ok() && request.answer().empty()) {
    checked = InvalidField("ANSWER_MISSING", "answer",
                           "expected one of the request's options, or "
                           "a text when it has none");
  }
  if (!checked.ok()) return answer(checked);
  TANDEM_ASSIGN_OR_ANSWER(const RequestRef ref, api::ResolveRequest(caller, *parts_.authenticator,
                                                                    request.name(), "name"));
  Act(ref.incident.tenant,
      core::RequestAnswer{ActorOf(caller), ref.incident.number, ref.request, request.answer(),
                          request.comment(), request.request_id()},
      std::move(answer));
}

void RouterApi::OfferHandover(const rpc::Caller& caller, const v1::OfferHandoverRequest& request,
                              Answer<v1::Incident> answer) {
  absl::Status checked = CheckAction(request);
  if (checked.ok()) checked = CheckText(request.team(), "team", kNameBytesMax);
  if (checked.ok() && request.team().empty()) {
    checked = InvalidField("TEAM_MISSING", "team", "expected the team that is to lead");
  }
  if (!checked.ok()) return answer(checked);
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  Act(ref.tenant,
      core::HandoverOffer{ActorOf(caller), ref.number, request.team(), request.comment(),
                          request.request_id()},
      std::move(answer));
}

void RouterApi::ReplyHandover(const rpc::Caller& caller, const v1::ReplyHandoverRequest& request,
                              Answer<v1::Incident> answer) {
  if (const absl::Status checked = CheckAction(request); !checked.ok()) return answer(checked);
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  Act(ref.tenant,
      core::HandoverReply{ActorOf(caller), ref.number, request.accept(), request.comment(),
                          request.request_id(), request.team()},
      std::move(answer));
}

void RouterApi::ReportDelivery(const rpc::Caller& caller, const v1::ReportDeliveryRequest& request,
                               Answer<v1::ReportDeliveryResponse> answer) {
  TANDEM_ASSIGN_OR_ANSWER(
      const TenantId tenant,
      rpc::ResolveTenant(caller, *parts_.authenticator, fmt::format("tenants/{}", request.tenant()),
                         "tenant"));
  const auto number = codec::ParseDeliveryId(tenant, request.delivery_id());
  if (!number) {
    return answer(InvalidField("NAME_INVALID", "delivery_id",
                               "expected the id of a delivery of this tenant"));
  }
  if (request.outcome() < 1 || request.outcome() > 4) {
    return answer(InvalidField("OUTCOME_INVALID", "outcome",
                               "expected ATTEMPTING, SUCCEEDED, FAILED or GIVEN_UP"));
  }
  core::DeliveryReport report{
      .delivery = *number,
      .outcome = static_cast<core::DeliveryReport::Outcome>(request.outcome()),
      .attempt = request.attempt(),
      .detail = Printable(request.detail().substr(0, kDetailMax)),
      .latency = absl::Milliseconds(request.latency_ms())};
  if (request.has_not_before()) {
    report.not_before = absl::FromUnixSeconds(request.not_before().seconds()) +
                        absl::Nanoseconds(request.not_before().nanos());
  }
  parts_.engine->Submit({.tenant = tenant,
                         .request = std::move(report),
                         .done = [answer](absl::StatusOr<engine::Reply> reply) {
                           if (!reply.ok()) return answer(reply.status());
                           v1::ReportDeliveryResponse response;
                           response.set_open(reply->delivery_open);
                           answer(std::move(response));
                         }});
}

}  // namespace tandem::api
