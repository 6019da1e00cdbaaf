#include <absl/functional/function_ref.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "router/api/cursor.h"
#include "router/api/later.h"
#include "router/api/text_field.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "router/codec/convert.h"
#include "router/codec/record.h"
#include "router/engine/shard.h"
#include "router/playbook/parse.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::api {
namespace {

using playbook::Finding;

// One activation as the journal tells it.
struct Activation {
  Sequence sequence;
  absl::Time time;
  core::PlaybookActivation input;
};

// The activation in the record at `sequence`; nullopt when that is older than what is kept.
absl::StatusOr<std::optional<Activation>> ReadActivation(journal::Reader& reader,
                                                         const TenantId& tenant,
                                                         Sequence sequence) {
  TANDEM_ASSIGN_OR_RETURN(const auto row, reader.ReadRecord(tenant, sequence));
  if (!row) return std::nullopt;
  TANDEM_ASSIGN_OR_RETURN(auto record, codec::DecodeRecord(row->body, {}));
  return Activation{row->sequence, row->time, std::get<core::PlaybookActivation>(record.input)};
}

// Whether an activation is the one that is looked for, by what its fact says.
using Meant = absl::FunctionRef<bool(const journal::v1::PlaybookActivated& fact)>;

absl::StatusOr<std::optional<journal::v1::PlaybookActivated>> ReadFact(
    const journal::RecordRow& row) {
  journal::v1::Record record;
  if (!record.ParseFromString(row.body)) {
    return Error(absl::StatusCode::kDataLoss, "RECORD_MALFORMED",
                 fmt::format("{} {}: the bytes are no record; run tandem journal verify",
                             row.tenant.value, row.sequence.value));
  }
  for (journal::v1::Fact& fact : *record.mutable_facts()) {
    if (fact.has_playbook_activated()) return std::move(*fact.mutable_playbook_activated());
  }
  return std::nullopt;
}

// The newest activation in the records `at` that is meant; nullopt when none is. A playbook takes
// up to a second to compile, so only the one that is found is, and the facts lead to it.
absl::StatusOr<std::optional<Activation>> FindActivation(journal::Reader& reader,
                                                         const TenantId& tenant,
                                                         const std::vector<Sequence>& at,
                                                         Meant meant) {
  for (auto sequence = at.rbegin(); sequence != at.rend(); ++sequence) {
    TANDEM_ASSIGN_OR_RETURN(const auto row, reader.ReadRecord(tenant, *sequence));
    if (!row) continue;  // older than what is kept
    TANDEM_ASSIGN_OR_RETURN(const auto fact, ReadFact(*row));
    if (!fact || !meant(*fact)) continue;
    TANDEM_ASSIGN_OR_RETURN(auto activation, ReadActivation(reader, tenant, *sequence));
    if (activation) return activation;
  }
  return std::nullopt;
}

v1::Playbook PlaybookMessage(const TenantId& tenant, const Activation& activation, bool active) {
  const playbook::Playbook& playbook = *activation.input.playbook;
  v1::Playbook message;
  message.set_name(fmt::format("tenants/{}/playbooks/{}", tenant.value, playbook.digest()));
  message.set_digest(playbook.digest());
  message.set_source(playbook.source());
  message.set_active(active);
  codec::PutTime(absl::ToUnixMicros(activation.time), message.mutable_activate_time());
  codec::Put(activation.input.actor, message.mutable_activated_by());
  message.set_comment(activation.input.comment);
  message.set_rule_count(static_cast<std::uint32_t>(playbook.rules().size()));
  return message;
}

// What a list says of a version: all but its source, read from the fact without compiling.
absl::StatusOr<std::optional<v1::Playbook>> ListedPlaybook(journal::Reader& reader,
                                                           const TenantId& tenant,
                                                           Sequence sequence, bool active) {
  TANDEM_ASSIGN_OR_RETURN(const auto row, reader.ReadRecord(tenant, sequence));
  if (!row) return std::nullopt;  // older than what is kept
  TANDEM_ASSIGN_OR_RETURN(const auto fact, ReadFact(*row));
  if (fact && fact->rule_count() > 0) {
    v1::Playbook message;
    message.set_name(fmt::format("tenants/{}/playbooks/{}", tenant.value, fact->digest()));
    message.set_digest(fact->digest());
    message.set_active(active);
    codec::PutTime(absl::ToUnixMicros(row->time), message.mutable_activate_time());
    codec::Put(codec::Get(fact->actor()), message.mutable_activated_by());
    message.set_comment(fact->comment());
    message.set_rule_count(fact->rule_count());
    return message;
  }
  // A release that did not store the number of rules wrote it.
  TANDEM_ASSIGN_OR_RETURN(const auto activation, ReadActivation(reader, tenant, sequence));
  if (!activation) return std::nullopt;
  v1::Playbook message = PlaybookMessage(tenant, *activation, active);
  message.clear_source();
  return message;
}

v1::Playbook DefaultMessage(const TenantId& tenant) {
  Activation none{.input = {.actor = {"tandem", Side::kUnspecified},
                            .comment = "built in: nobody has activated a playbook yet",
                            .playbook = engine::DefaultPlaybook(tenant)}};
  v1::Playbook message = PlaybookMessage(tenant, none, true);
  message.clear_activate_time();
  return message;
}

void PutFindings(const std::vector<Finding>& findings, v1::ValidatePlaybookResponse* out) {
  for (const Finding& finding : findings) {
    v1::PlaybookFinding* to = out->add_findings();
    to->set_level(finding.level == Finding::Level::kError ? v1::PlaybookFinding::ERROR
                                                          : v1::PlaybookFinding::WARNING);
    to->set_line(finding.line);
    to->set_column(finding.column);
    to->set_message(finding.message);
  }
}

// INVALID_ARGUMENT with a field error for each finding that is one.
absl::Status Refuse(const std::vector<Finding>& findings) {
  absl::Status status;
  for (const Finding& finding : findings) {
    if (finding.level != Finding::Level::kError) continue;
    const FieldError field{fmt::format("source:{}:{}", finding.line, finding.column),
                           finding.message};
    status = status.ok() ? InvalidField("PLAYBOOK_INVALID", field.field, field.description)
                         : AddField(std::move(status), field);
  }
  return status;
}

absl::Status CheckSize(std::string_view source) {
  const std::string too_large = playbook::TooLarge(source);
  if (too_large.empty()) return absl::OkStatus();
  return InvalidField("PLAYBOOK_TOO_LARGE", "source", too_large);
}

absl::Status CheckTenant(const TenantId& tenant, const playbook::Playbook& playbook) {
  if (playbook.tenant() == tenant.value) return absl::OkStatus();
  return InvalidField("PLAYBOOK_TENANT", "source",
                      fmt::format("the playbook says tenant \"{}\", but the call is for \"{}\"",
                                  Shown(playbook.tenant()), tenant.value));
}

// A warning for each contact whose secret is not there, between the findings that are.
void WarnOfSecrets(const TenantId& tenant, const HasSecret& has_secret,
                   playbook::Compiled& compiled) {
  for (const playbook::Contact& contact : compiled.playbook->contacts()) {
    if (contact.secret_name.empty() || has_secret(tenant, contact.secret_name)) continue;
    compiled.findings.push_back(
        {.level = Finding::Level::kWarning,
         .line = contact.secret_line,
         .column = contact.secret_column,
         .message = fmt::format("contacts.{0}.webhook.secret: the notifier has no secret {1}/{2}: "
                                "nothing is delivered to {0} until an operator adds it to "
                                "notifier.secrets",
                                Shown(contact.name), tenant.value, Shown(contact.secret_name))});
  }
  std::stable_sort(compiled.findings.begin(), compiled.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.line < b.line; });
}

}  // namespace

template <typename Response, typename Read>
void RouterApi::WithActivations(const TenantId& tenant, Answer<Response> answer, Read read) {
  parts_.engine->Submit({.tenant = tenant,
                         .request = engine::MilestonesQuery{},
                         .done = [this, answer, read](absl::StatusOr<engine::Reply> reply) {
                           if (!reply.ok()) return answer(reply.status());
                           Later<Response>(
                               answer, [read, at = reply->activations](journal::Reader& reader) {
                                 return read(reader, at);
                               });
                         }});
}

void RouterApi::ValidatePlaybook(const rpc::Caller& caller,
                                 const v1::ValidatePlaybookRequest& request,
                                 Answer<v1::ValidatePlaybookResponse> answer) {
  TANDEM_ASSIGN_OR_ANSWER(const TenantId tenant, rpc::ResolveTenant(caller, *parts_.authenticator,
                                                                    request.parent(), "parent"));
  if (const absl::Status sized = CheckSize(request.source()); !sized.ok()) return answer(sized);
  Later<v1::ValidatePlaybookResponse>(
      std::move(answer),
      [this, tenant, source = request.source()](
          journal::Reader&) -> absl::StatusOr<v1::ValidatePlaybookResponse> {
        playbook::Compiled compiled = playbook::CompilePlaybook(source);
        v1::ValidatePlaybookResponse response;
        if (compiled.playbook != nullptr) {
          if (const absl::Status named = CheckTenant(tenant, *compiled.playbook); !named.ok()) {
            compiled.findings.push_back({.message = MessageOf(named)});
          } else {
            response.set_valid(true);
            response.set_secrets_checked(static_cast<bool>(parts_.has_secret));
            if (parts_.has_secret) WarnOfSecrets(tenant, parts_.has_secret, compiled);
          }
          response.set_digest(compiled.playbook->digest());
          response.set_rule_count(static_cast<std::uint32_t>(compiled.playbook->rules().size()));
        }
        PutFindings(compiled.findings, &response);
        return response;
      });
}

void RouterApi::ActivatePlaybook(const rpc::Caller& caller,
                                 const v1::ActivatePlaybookRequest& request,
                                 Answer<v1::Playbook> answer) {
  TANDEM_ASSIGN_OR_ANSWER(const TenantId tenant, rpc::ResolveTenant(caller, *parts_.authenticator,
                                                                    request.parent(), "parent"));
  if (request.comment().empty()) {
    return answer(InvalidField("COMMENT_MISSING", "comment",
                               "say why, in at most 4,096 bytes: both sides will read it"));
  }
  absl::Status checked = CheckText(request.comment(), "comment", kCommentBytesMax);
  if (checked.ok()) checked = CheckRequestId(request.request_id());
  if (checked.ok()) checked = CheckSize(request.source());
  if (!checked.ok()) return answer(checked);
  const core::Actor actor{caller.principal, caller.side};
  const absl::Status posted =
      parts_.readers->Post([this, tenant, request, actor, answer](journal::Reader&) {
        playbook::Compiled compiled = playbook::CompilePlaybook(request.source());
        if (compiled.playbook == nullptr) return answer(Refuse(compiled.findings));
        if (const absl::Status named = CheckTenant(tenant, *compiled.playbook); !named.ok()) {
          return answer(named);
        }
        core::PlaybookActivation input{actor, request.comment(), compiled.playbook,
                                       request.request_id()};
        const v1::Playbook message = PlaybookMessage(
            tenant, {.time = parts_.clock->Now(), .input = input}, !request.validate_only());
        if (request.validate_only()) return answer(message);
        parts_.engine->Submit(
            {.tenant = tenant,
             .request = std::move(input),
             .done = [this, tenant, actor, answer, message,
                      id = request.request_id()](absl::StatusOr<engine::Reply> reply) {
               if (!reply.ok()) return answer(reply.status());
               if (!reply->repeated) return answer(message);
               AnswerActivationAgain(tenant, actor, id, answer);
             }});
      });
  if (!posted.ok()) answer(posted);
}

void RouterApi::AnswerActivationAgain(const TenantId& tenant, const core::Actor& actor,
                                      const std::string& request_id, Answer<v1::Playbook> answer) {
  WithActivations<v1::Playbook>(
      tenant, std::move(answer),
      [=](journal::Reader& reader,
          const std::vector<Sequence>& at) -> absl::StatusOr<v1::Playbook> {
        const auto is_it = [&](const journal::v1::PlaybookActivated& fact) {
          return fact.request_id() == request_id && fact.actor().principal() == actor.principal &&
                 fact.actor().side() == static_cast<std::uint32_t>(actor.side);
        };
        TANDEM_ASSIGN_OR_RETURN(const auto found, FindActivation(reader, tenant, at, is_it));
        if (found) return PlaybookMessage(tenant, *found, found->sequence == at.back());
        return Error(absl::StatusCode::kNotFound, "PLAYBOOK_NOT_FOUND",
                     "the activation that this request asked for before is not kept any more");
      });
}

void RouterApi::GetPlaybook(const rpc::Caller& caller, const v1::GetPlaybookRequest& request,
                            Answer<v1::Playbook> answer) {
  constexpr std::string_view kMiddle = "/playbooks/";
  const std::size_t middle = request.name().find(kMiddle);
  if (middle == std::string::npos) {
    return answer(InvalidField("NAME_INVALID", "name",
                               "expected tenants/{tenant}/playbooks/{digest} or …/active"));
  }
  TANDEM_ASSIGN_OR_ANSWER(
      const TenantId tenant,
      rpc::ResolveTenant(caller, *parts_.authenticator, request.name().substr(0, middle), "name"));
  const std::string wanted = request.name().substr(middle + kMiddle.size());
  WithActivations<v1::Playbook>(
      tenant, std::move(answer),
      [tenant, wanted](journal::Reader& reader,
                       const std::vector<Sequence>& at) -> absl::StatusOr<v1::Playbook> {
        if (at.empty()) {
          v1::Playbook built_in = DefaultMessage(tenant);
          if (wanted == "active" || wanted == built_in.digest()) return built_in;
        }
        const auto is_it = [&](const journal::v1::PlaybookActivated& fact) {
          return wanted == "active" || fact.digest() == wanted;
        };
        TANDEM_ASSIGN_OR_RETURN(const auto found, FindActivation(reader, tenant, at, is_it));
        if (found) return PlaybookMessage(tenant, *found, found->sequence == at.back());
        return Error(absl::StatusCode::kNotFound, "PLAYBOOK_NOT_FOUND",
                     "there is no such playbook in the tenants of your credential");
      });
}

void RouterApi::ListPlaybooks(const rpc::Caller& caller, const v1::ListPlaybooksRequest& request,
                              Answer<v1::ListPlaybooksResponse> answer) {
  TANDEM_ASSIGN_OR_ANSWER(const TenantId tenant, rpc::ResolveTenant(caller, *parts_.authenticator,
                                                                    request.parent(), "parent"));
  const auto limit = static_cast<std::size_t>(
      std::clamp(request.page_size() == 0 ? 20 : request.page_size(), 1, 100));
  std::size_t skip = 0;
  const std::string bound_to = "playbooks of " + tenant.value;
  if (!request.page_token().empty()) {
    TANDEM_ASSIGN_OR_ANSWER(const std::string at, ReadPageToken(request.page_token(), bound_to));
    const char* end = at.data() + at.size();
    const auto [stop, error] = std::from_chars(at.data(), end, skip);
    if (error != std::errc() || stop != end) {
      return answer(InvalidField("PAGE_TOKEN_INVALID", "page_token",
                                 "expected the next_page_token of an answer to the same request"));
    }
  }
  WithActivations<v1::ListPlaybooksResponse>(
      tenant, std::move(answer),
      [=](journal::Reader& reader,
          const std::vector<Sequence>& at) -> absl::StatusOr<v1::ListPlaybooksResponse> {
        std::vector<Sequence> page(at.rbegin(), at.rend());
        page.erase(page.begin(),
                   page.begin() + static_cast<std::ptrdiff_t>(std::min(skip, page.size())));
        page.resize(std::min(limit, page.size()));
        v1::ListPlaybooksResponse response;
        for (const Sequence sequence : page) {
          TANDEM_ASSIGN_OR_RETURN(auto listed,
                                  ListedPlaybook(reader, tenant, sequence, sequence == at.back()));
          if (listed) *response.add_playbooks() = *std::move(listed);
        }
        if (skip + limit < at.size()) {
          response.set_next_page_token(MakePageToken(fmt::format("{}", skip + limit), bound_to));
        }
        return response;
      });
}

}  // namespace tandem::api
