// What the services say to a call that cannot be served: the code, the reason, the field, and
// enough of a sentence to know what to do. After every one of them a good call is served.
#include <fmt/format.h>

#include <map>

#include "tandem/v1/incidents.pb.h"
#include "tandem/v1/playbooks.pb.h"
#include "tests/wire/rig.h"

namespace tandem::wire {
namespace {

using ::testing::HasSubstr;

constexpr char kCreateToken[] = "/tandem.v1.Admin/CreateToken";
constexpr char kGetIncident[] = "/tandem.v1.Incidents/GetIncident";
constexpr char kWhoAmI[] = "/tandem.v1.Admin/WhoAmI";
constexpr char kActivate[] = "/tandem.v1.Playbooks/ActivatePlaybook";

const auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
const auto kNotFound = grpc::StatusCode::NOT_FOUND;
const auto kState = grpc::StatusCode::FAILED_PRECONDITION;

// harbor has incident 1, which is open, and incident 2, which a person has resolved.
class BadCall : public ::testing::Test {
 protected:
  BadCall() {
    for (const auto& [name, role] : std::map<std::string, v1::Role>{{"viewer", v1::VIEWER},
                                                                    {"responder", v1::RESPONDER},
                                                                    {"editor", v1::EDITOR},
                                                                    {"agent", v1::AGENT},
                                                                    {"service", v1::SERVICE}}) {
      tokens_[name] = rig_.NewToken({name, role, {"harbor"}});
    }
    tokens_["admin"] = rig_.admin();
    tokens_["provider"] = rig_.NewToken({"pia", v1::RESPONDER, {"harbor", "mill"}});
    for (const char* alert : {"One", "Two"}) {
      const auto taken = rig_.Must<v1::PushAlertsResponse>(
          "/tandem.v1.AlertIngest/PushAlerts", tokens_["agent"],
          fmt::format("batch {{ alerts {{ labels {{ name: 'alertname' value: '{}' }} }} }}",
                      alert));
      EXPECT_EQ(taken.receipt().accepted(), 1U);
    }
    rig_.Must<v1::Incident>("/tandem.v1.Incidents/ResolveIncident", tokens_["responder"],
                            "name: 'tenants/harbor/incidents/2'");
  }

  void ExpectStillServes() {
    const auto incident = rig_.Must<v1::Incident>(kGetIncident, tokens_["viewer"],
                                                  "name: 'tenants/harbor/incidents/1'");
    ASSERT_EQ(incident.state(), v1::OPEN);
    ASSERT_EQ(rig_.HeadOf("harbor"), head_) << "a refused call left something behind";
  }

  Rig rig_;
  std::map<std::string, std::string> tokens_;
  const std::uint64_t head_ = 4;  // the playbook, two batches, the resolution
};

struct Refused {
  const char* what;
  const char* method;  // below "/tandem.v1."
  const char* who;
  std::string request;
  grpc::StatusCode code;
  const char* reason;
  const char* field;
  const char* part;
};

std::string Long(std::size_t size) { return std::string(size, 'x'); }

std::vector<Refused> Names() {
  const std::string incident = "expected tenants/{tenant}/incidents/{number}";
  return {
      {"no name", "Incidents/GetIncident", "viewer", "", kInvalid, "NAME_INVALID", "name",
       "incidents/{number}"},
      {"a number alone", "Incidents/GetIncident", "viewer", "name: '1'", kInvalid, "NAME_INVALID",
       "name", "incidents/{number}"},
      {"number 0", "Incidents/GetIncident", "viewer", "name: 'tenants/harbor/incidents/0'",
       kInvalid, "NAME_INVALID", "name", "incidents/{number}"},
      {"a number with a sign", "Incidents/GetIncident", "viewer",
       "name: 'tenants/harbor/incidents/-1'", kInvalid, "NAME_INVALID", "name",
       "incidents/{number}"},
      {"a number beyond 64 bits", "Incidents/GetIncident", "viewer",
       "name: 'tenants/harbor/incidents/18446744073709551616'", kInvalid, "NAME_INVALID", "name",
       "incidents/{number}"},
      {"more behind the number", "Incidents/GetIncident", "viewer",
       "name: 'tenants/harbor/incidents/1/x'", kInvalid, "NAME_INVALID", "name",
       "incidents/{number}"},
      {"an incident that is not there", "Incidents/GetIncident", "viewer",
       "name: 'tenants/harbor/incidents/99'", kNotFound, "INCIDENT_NOT_FOUND", "",
       "no such incident"},
      {"the timeline of none", "Incidents/ListTimeline", "viewer",
       "parent: 'tenants/harbor/incidents/99'", kNotFound, "INCIDENT_NOT_FOUND", "",
       "no such incident"},
      {"the alerts of none", "Incidents/ListIncidentAlerts", "viewer",
       "parent: 'tenants/harbor/incidents/99'", kNotFound, "INCIDENT_NOT_FOUND", "",
       "no such incident"},
      {"the reasons of none", "Incidents/ExplainIncident", "viewer",
       "name: 'tenants/harbor/incidents/99'", kNotFound, "INCIDENT_NOT_FOUND", "",
       "no such incident"},
      {"no tenant among several", "Incidents/ListIncidents", "provider", "", kInvalid,
       "TENANT_AMBIGUOUS", "parent", "expected tenants/{tenant}"},
      {"a playbook without its tenant", "Playbooks/GetPlaybook", "viewer", "name: 'active'",
       kInvalid, "NAME_INVALID", "name", "tenants/{tenant}/playbooks/{digest}"},
      {"a playbook that was never live", "Playbooks/GetPlaybook", "viewer",
       "name: 'tenants/harbor/playbooks/00'", kNotFound, "PLAYBOOK_NOT_FOUND", "",
       "no such playbook"},
      {"a tenant's name with a capital", "Admin/CreateTenant", "admin",
       "tenant { name: 'tenants/Big' }", kInvalid, "NAME_INVALID", "tenant.name", "[a-z0-9-]"},
      {"a tenant that there is", "Admin/CreateTenant", "admin", "tenant { name: 'tenants/mill' }",
       grpc::StatusCode::ALREADY_EXISTS, "TENANT_EXISTS", "", "exists already"},
      {"a principal with a blank", "Admin/PutPrincipal", "admin",
       "principal { id: 'a b' role: VIEWER side: PROVIDER tenants: 'tenants/harbor' }", kInvalid,
       "NAME_INVALID", "principal.id", "[a-z0-9._@-]"},
      {"a principal without a side", "Admin/PutPrincipal", "admin",
       "principal { id: 'a' role: VIEWER tenants: 'tenants/harbor' }", kInvalid, "SIDE_MISSING",
       "principal.side", "PROVIDER or CUSTOMER"},
      {"a principal without a role", "Admin/PutPrincipal", "admin",
       "principal { id: 'a' side: PROVIDER tenants: 'tenants/harbor' }", kInvalid, "ROLE_INVALID",
       "principal.role", "expected VIEWER"},
      {"a customer of two tenants", "Admin/PutPrincipal", "admin",
       "principal { id: 'a' role: VIEWER side: CUSTOMER tenants: ['tenants/harbor', "
       "'tenants/mill'] }",
       kInvalid, "TENANTS_INVALID", "principal.tenants", "exactly one tenant"},
      {"a viewer of everything", "Admin/PutPrincipal", "admin",
       "principal { id: 'a' role: VIEWER side: PROVIDER tenants: 'tenants/-' }", kInvalid,
       "TENANTS_INVALID", "principal.tenants", "only for the roles ADMIN and SERVICE"},
      {"a principal who changes sides", "Admin/PutPrincipal", "admin",
       "principal { id: 'viewer' role: VIEWER side: CUSTOMER tenants: 'tenants/harbor' }", kInvalid,
       "SIDE_CHANGED", "principal.side", "cannot change sides"},
      {"a token of nobody", "Admin/CreateToken", "admin", "principal: 'nobody'", kNotFound,
       "PRINCIPAL_NOT_FOUND", "", "no principal nobody"},
      {"a token for ever", "Admin/CreateToken", "admin",
       "principal: 'viewer' expires_in { seconds: 34560001 }", kInvalid, "DURATION_INVALID",
       "expires_in", "at most 400 days"},
      {"a token for no time", "Admin/CreateToken", "admin",
       "principal: 'viewer' expires_in { seconds: -1 }", kInvalid, "DURATION_INVALID", "expires_in",
       "more than nothing"},
      {"a token that there is not", "Admin/RevokeToken", "admin", "id: 'tdm_aaaaaaaa'", kNotFound,
       "TOKEN_NOT_FOUND", "", "no live token tdm_aaaaaaaa"},
      {"a delivery without a tenant", "Deliveries/ReportDelivery", "service",
       "delivery_id: 'dlv-harbor-1-1' outcome: SUCCEEDED", kInvalid, "TENANT_NAME_INVALID",
       "tenant", "expected tenants/{tenant}"},
      {"a delivery of another form", "Deliveries/ReportDelivery", "service",
       "tenant: 'harbor' delivery_id: '1' outcome: SUCCEEDED", kInvalid, "NAME_INVALID",
       "delivery_id", "the id of a delivery"},
      {"a delivery without an outcome", "Deliveries/ReportDelivery", "service",
       "tenant: 'harbor' delivery_id: 'dlv-harbor-1-1'", kInvalid, "OUTCOME_INVALID", "outcome",
       "SUCCEEDED"},
  };
}

std::vector<Refused> Actions() {
  const std::string open = "name: 'tenants/harbor/incidents/1' ";
  const std::string done = "name: 'tenants/harbor/incidents/2' ";
  const std::string none = "name: 'tenants/harbor/incidents/99' ";
  return {
      {"to acknowledge none", "Incidents/AcknowledgeIncident", "responder", none, kNotFound,
       "INCIDENT_NOT_FOUND", "", "no such incident"},
      {"to acknowledge what is over", "Incidents/AcknowledgeIncident", "responder", done, kState,
       "INCIDENT_STATE", "", "incident 2 is resolved; only one that is open or acknowledged"},
      {"to acknowledge for no time", "Incidents/AcknowledgeIncident", "responder",
       open + "expires_in { nanos: 5 }", kInvalid, "DURATION_INVALID", "expires_in",
       "at least one second"},
      {"a comment of 4,097 bytes", "Incidents/AcknowledgeIncident", "responder",
       open + "comment: '" + Long(4097) + "'", kInvalid, "TEXT_TOO_LONG", "comment",
       "4097 bytes; at most 4096"},
      {"a request id of 65 bytes", "Incidents/ResolveIncident", "responder",
       open + "request_id: '" + Long(65) + "'", kInvalid, "TEXT_TOO_LONG", "request_id",
       "at most 64"},
      {"a control character", "Incidents/ResolveIncident", "responder",
       open + "comment: 'a\\033[2J'", kInvalid, "CONTROL_CHARACTER", "comment", "not allowed"},
      {"to resolve what is over", "Incidents/ResolveIncident", "responder", done, kState,
       "INCIDENT_STATE", "", "can be resolved"},
      {"to reopen what is open", "Incidents/ReopenIncident", "responder", open, kState,
       "INCIDENT_STATE", "", "can be reopened"},
      {"to answer nothing", "Incidents/AnswerRequest", "responder", open, kInvalid,
       "ANSWER_MISSING", "answer", "expected one of the request's options"},
      {"to answer what was not asked", "Incidents/AnswerRequest", "responder", open + "answer: 'a'",
       kState, "REQUEST_NONE", "", "waits for no answer"},
      {"to answer a request without a number", "Incidents/AnswerRequest", "responder",
       "name: 'tenants/harbor/incidents/1/requests/x' answer: 'a'", kInvalid, "NAME_INVALID",
       "name", "/requests/{request}"},
      {"to offer the lead to nobody", "Incidents/OfferHandover", "responder", open, kInvalid,
       "TEAM_MISSING", "team", "the team that is to lead"},
      {"to offer the lead to a team that is not there", "Incidents/OfferHandover", "responder",
       open + "team: 'nok'", kInvalid, "TEAM_NOT_FOUND", "team", "there is no team \"nok\""},
      {"to accept what is not on offer", "Incidents/ReplyHandover", "responder",
       open + "accept: true", kState, "HANDOVER_NONE", "", "is not on offer"},
      {"to note nothing", "Incidents/AddNote", "responder", open, kInvalid, "TEXT_MISSING", "text",
       "needs a text"},
      {"to note 16,385 bytes", "Incidents/AddNote", "responder",
       open + "text: '" + Long(16385) + "'", kInvalid, "TEXT_TOO_LONG", "text",
       "16385 bytes; at most 16384"},
      {"to note on none", "Incidents/AddNote", "responder", none + "text: 'a'", kNotFound,
       "INCIDENT_NOT_FOUND", "", "no such incident"},
  };
}

std::vector<Refused> Pages() {
  const std::string harbor = "parent: 'tenants/harbor' ";
  std::vector<Refused> refused = {
      {"a filter that is no term", "Incidents/ListIncidents", "viewer", harbor + "filter: 'open'",
       kInvalid, "FILTER_INVALID", "filter", "a term such as state=open"},
      {"a filter of a word that there is not", "Incidents/ListIncidents", "viewer",
       harbor + "filter: 'stat=open'", kInvalid, "FILTER_INVALID", "filter",
       "did you mean \"state\"?"},
      {"a filter of a state that there is not", "Incidents/ListIncidents", "viewer",
       harbor + "filter: 'state=opened'", kInvalid, "FILTER_INVALID", "filter",
       "open, acknowledged or resolved"},
      {"a filter that compares sides", "Feed/Subscribe", "viewer", "filter: 'side>=provider'",
       kInvalid, "FILTER_INVALID", "filter", "severity>="},
      {"a parent with something behind it", "Feed/Subscribe", "viewer",
       "parents: 'tenants/harbor/extra'", kInvalid, "TENANT_NAME_INVALID", "parents",
       "expected tenants/{tenant}"},
      {"a list of a parent with something behind it", "Incidents/ListIncidents", "viewer",
       "parent: 'tenants/harbor/extra'", kInvalid, "TENANT_NAME_INVALID", "parent",
       "expected tenants/{tenant}"},
      {"playbooks of a parent with something behind it", "Playbooks/ListPlaybooks", "viewer",
       "parent: 'tenants/harbor/'", kInvalid, "TENANT_NAME_INVALID", "parent",
       "expected tenants/{tenant}"},
      {"context of a parent with something behind it", "Context/ListEntities", "viewer",
       "parent: 'tenants/harbor/entities/site'", kInvalid, "TENANT_NAME_INVALID", "parent",
       "expected tenants/{tenant}"},
      {"alerts for a parent with something behind it", "AlertIngest/PushAlerts", "agent",
       "parent: 'tenants/harbor/extra' batch { alerts { labels { name: 'a' value: 'b' } } }",
       kInvalid, "TENANT_NAME_INVALID", "parent", "expected tenants/{tenant}"},
      {"a cursor of another making", "Feed/Subscribe", "viewer", "cursor: 'AAAA'", kInvalid,
       "CURSOR_INVALID", "cursor", "as sent"},
      {"a cursor and a beginning", "Feed/Subscribe", "viewer",
       "cursor: 'AAAA' from_beginning: true", kInvalid, "CURSOR_INVALID", "cursor",
       "from_beginning"},
      {"a page of -1 entities", "Context/ListEntities", "viewer", harbor + "page_size: -1",
       kInvalid, "PAGE_SIZE_INVALID", "page_size", "expected 1 to"},
  };
  const std::string incident = "parent: 'tenants/harbor/incidents/1' ";
  const std::vector<std::array<std::string, 3>> lists = {
      {"Incidents/ListIncidents", "viewer", harbor},
      {"Incidents/ListTimeline", "viewer", incident},
      {"Incidents/ListIncidentAlerts", "viewer", incident},
      {"Playbooks/ListPlaybooks", "viewer", harbor},
      {"Context/ListEntities", "viewer", harbor},
      {"Context/ListHistory", "viewer", harbor},
      {"Admin/ListTenants", "admin", ""},
      {"Admin/ListPrincipals", "admin", ""},
      {"Admin/ListTokens", "admin", ""}};
  static const auto& kLists = *new std::vector<std::array<std::string, 3>>(lists);
  for (const auto& [method, who, request] : kLists) {
    refused.push_back({"a page token of another making", method.c_str(), who.c_str(),
                       request + "page_token: 'AAAA'", kInvalid, "PAGE_TOKEN_INVALID", "page_token",
                       "page_token"});
  }
  return refused;
}

std::vector<Refused> All() {
  std::vector<Refused> all = Names();
  for (const auto& more : {Actions(), Pages()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST_F(BadCall, IsRefusedWithCodeReasonFieldAndWhatToDo) {
  for (const Refused& bad : All()) {
    SCOPED_TRACE(fmt::format("{}: {}", bad.method, bad.what));
    const Reply reply =
        rig_.Call(fmt::format("/tandem.v1.{}", bad.method), tokens_.at(bad.who), bad.request);
    EXPECT_EQ(reply.status.error_code(), bad.code) << reply.Text();
    EXPECT_EQ(reply.reason(), bad.reason);
    EXPECT_THAT(reply.status.error_message(), HasSubstr(bad.part));
    const auto fields = FieldsOf(reply.error());
    EXPECT_EQ(fields.empty() ? "" : fields[0].field, bad.field);
    ExpectWellFormed(reply.status);
    ASSERT_NO_FATAL_FAILURE(ExpectStillServes());
  }
}

TEST_F(BadCall, MayAskForAnySizeOfAPage) {
  for (const char* size : {"-2147483648", "-1", "0", "2147483647"}) {
    SCOPED_TRACE(size);
    for (const char* method : {"Incidents/ListIncidents", "Playbooks/ListPlaybooks"}) {
      const Reply reply = rig_.Call(fmt::format("/tandem.v1.{}", method), tokens_["viewer"],
                                    fmt::format("parent: 'tenants/harbor' page_size: {}", size));
      EXPECT_TRUE(reply.status.ok()) << reply.Text();
    }
    const Reply reply =
        rig_.Call("/tandem.v1.Admin/ListTokens", rig_.admin(), fmt::format("page_size: {}", size));
    EXPECT_TRUE(reply.status.ok()) << reply.Text();
  }
}

TEST_F(BadCall, MayNotTakeAPageTokenElsewhere) {
  const auto page = rig_.Must<v1::ListIncidentsResponse>("/tandem.v1.Incidents/ListIncidents",
                                                         tokens_["viewer"], "page_size: 1");
  ASSERT_NE(page.next_page_token(), "");
  const std::string token = fmt::format("page_token: '{}' ", page.next_page_token());
  EXPECT_EQ(rig_.Call("/tandem.v1.Incidents/ListIncidents", tokens_["viewer"],
                      token + "filter: 'state=open'")
                .reason(),
            "PAGE_TOKEN_INVALID");
  EXPECT_EQ(rig_.Call("/tandem.v1.Incidents/ListIncidents", tokens_["responder"], token).reason(),
            "PAGE_TOKEN_INVALID");
  const auto next = rig_.Must<v1::ListIncidentsResponse>("/tandem.v1.Incidents/ListIncidents",
                                                         tokens_["viewer"], token);
  EXPECT_EQ(next.incidents_size(), 1);
}

TEST_F(BadCall, IsToldWhatIsWrongWithItsToken) {
  const auto who = [&](const std::string& token) { return rig_.Call(kWhoAmI, token, ""); };
  const auto expect = [&](const Reply& reply, const char* reason, const char* part) {
    EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(reply.reason(), reason);
    EXPECT_THAT(reply.status.error_message(), HasSubstr(part));
    ExpectWellFormed(reply.status);
  };
  const std::string good = tokens_["viewer"];
  expect(who(""), "TOKEN_MISSING", "authorization: Bearer tdm_");
  expect(who("nonsense"), "TOKEN_INVALID", "");
  std::string wrong = good;
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  expect(who(wrong), "TOKEN_INVALID", "not known here");
  expect(who(good + " "), "TOKEN_INVALID", "");
  EXPECT_EQ(who(wrong).Text().find(wrong), std::string::npos) << "an answer repeats a secret";

  const std::string revoked = rig_.NewToken({"viewer", v1::VIEWER, {"harbor"}});
  EXPECT_TRUE(who(revoked).status.ok());
  rig_.Must<v1::RevokeTokenResponse>("/tandem.v1.Admin/RevokeToken", rig_.admin(),
                                     fmt::format("id: '{}'", Rig::IdOf(revoked)));
  // As if it had never been.
  EXPECT_EQ(who(revoked).Text(), who(wrong).Text());

  const auto shortly = rig_.Must<v1::CreateTokenResponse>(
      kCreateToken, rig_.admin(), "principal: 'viewer' expires_in { seconds: 60 }");
  rig_.clock().Advance(absl::Seconds(59));
  EXPECT_TRUE(who(shortly.secret()).status.ok());
  rig_.clock().Advance(absl::Seconds(1));
  expect(who(shortly.secret()), "TOKEN_EXPIRED", "expired at 2026-06-03T12:01:00Z");
  EXPECT_TRUE(who(good).status.ok());
}

TEST_F(BadCall, NeedsARoleThatMay) {
  const std::vector<std::array<const char*, 3>> calls = {
      {"viewer", "Incidents/AcknowledgeIncident", "responder, editor, admin"},
      {"responder", "Playbooks/ActivatePlaybook", "editor, admin"},
      {"responder", "Context/PutEntity", "editor, admin"},
      {"editor", "Admin/CreateToken", "admin"},
      {"agent", "Incidents/ListIncidents", "viewer, responder, editor, admin"},
      {"agent", "Feed/Subscribe", "viewer, responder, editor, admin"},
      {"viewer", "AlertIngest/PushAlerts", "editor, admin, agent"},
      {"viewer", "AlertIngest/StreamAlerts", "editor, admin, agent"},
      {"service", "Incidents/GetIncident", "viewer, responder, editor, admin"},
      {"admin", "Deliveries/ReportDelivery", "service"},
      {"admin", "Deliveries/WatchDeliveries", "service"},
  };
  for (const auto& [who, method, needed] : calls) {
    SCOPED_TRACE(fmt::format("{} calls {}", who, method));
    const Reply reply = rig_.Call(fmt::format("/tandem.v1.{}", method), tokens_[who], "");
    EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(reply.reason(), "ROLE_INSUFFICIENT");
    EXPECT_EQ(FactsOf(reply.error())["needed_roles"], needed);
    EXPECT_THAT(reply.status.error_message(), HasSubstr(fmt::format("role {}", who)));
    ExpectWellFormed(reply.status);
  }
  ExpectStillServes();
}

struct BadPlaybook {
  const char* what;
  std::string from;  // in EachAlone; "" for a source of its own
  std::string to;
  const char* field;
  const char* part;
};

TEST_F(BadCall, IsToldWhereAPlaybookIsWrongAndTheNearestName) {
  const std::vector<BadPlaybook> cases = {
      {"an unknown team", "owner: noc", "owner: nok", "source:11:12",
       "there is no team \"nok\"; did you mean \"noc\"?"},
      {"an unknown escalation", "escalation: ladder", "escalation: lader", "source:13:17",
       "there is no escalation \"lader\"; did you mean \"ladder\"?"},
      {"an unknown calendar", "rules:\n",
       "calendars:\n  night: {intervals: [{times: [\"22:00-06:00\"]}]}\nrules:\n"
       "  - {name: n, owner: noc, handling: autonomous, escalation: ladder, reason: R.,\n"
       "     when: {in: [nights]}}\n",
       "source:13:18", "there is no calendar \"nights\"; did you mean \"night\"?"},
      {"an unknown team in a step", "notify: [noc]", "notify: [noq]", "source:8:41",
       "did you mean \"noc\"?"},
      {"an unknown contact", "contacts: [desk]", "contacts: [dusk]", "source:6:36",
       "did you mean \"desk\"?"},
      {"another tenant", "tenant: harbor", "tenant: mill", "source", "the call is for \"harbor\""},
      {"no YAML", "playbook: 1", "playbook: [", "source:", ""},
      {"a source of more than 3 MiB", "reason: Each alert stands alone.",
       "reason: ok\n#" + Long(3 << 20), "source", "3145728 (3 MiB)"},
  };
  for (const BadPlaybook& bad : cases) {
    SCOPED_TRACE(bad.what);
    v1::ActivatePlaybookRequest request;
    request.set_parent("tenants/harbor");
    request.set_comment("why not");
    std::string source = EachAlone("harbor");
    const std::size_t at = source.find(bad.from);
    ASSERT_NE(at, std::string::npos);
    request.set_source(source.replace(at, bad.from.size(), bad.to));
    const Reply reply = rig_.CallBytes(kActivate, tokens_["editor"], request.SerializeAsString());
    EXPECT_EQ(reply.status.error_code(), kInvalid) << reply.Text();
    EXPECT_THAT(reply.reason(),
                ::testing::AnyOf("PLAYBOOK_INVALID", "PLAYBOOK_TENANT", "PLAYBOOK_TOO_LARGE"));
    const auto fields = FieldsOf(reply.error());
    ASSERT_FALSE(fields.empty());
    EXPECT_THAT(fields[0].field, ::testing::StartsWith(bad.field));
    EXPECT_THAT(fields[0].description, HasSubstr(bad.part));
    ExpectWellFormed(reply.status);
    ASSERT_NO_FATAL_FAILURE(ExpectStillServes());
  }
}

TEST_F(BadCall, OfAPlaybookNeedsAReasonAndATenant) {
  v1::ActivatePlaybookRequest request;
  request.set_parent("tenants/harbor");
  request.set_source(EachAlone("harbor"));
  const auto reason = [&] {
    const Reply reply = rig_.CallBytes(kActivate, tokens_["editor"], request.SerializeAsString());
    return reply.reason();
  };
  EXPECT_EQ(reason(), "COMMENT_MISSING");
  request.set_comment(Long(4097));
  EXPECT_EQ(reason(), "TEXT_TOO_LONG");
  request.set_comment("a\033[2J");
  EXPECT_EQ(reason(), "CONTROL_CHARACTER");
  request.set_comment("why");
  request.set_request_id(Long(65));
  EXPECT_EQ(reason(), "TEXT_TOO_LONG");
  request.clear_request_id();
  request.set_parent("tenants/mill");
  EXPECT_EQ(reason(), "TENANT_NOT_FOUND");
  ExpectStillServes();
}

TEST_F(BadCall, WithManyMistakesIsToldAsManyAsFitAndHowManyMore) {
  v1::ActivatePlaybookRequest request;
  request.set_parent("tenants/harbor");
  request.set_comment("why not");
  std::string source = EachAlone("harbor");
  for (int i = 0; i < 500; ++i) {
    source += fmt::format("  - {{name: r{}, owner: nobody-{}}}\n", i, i);
  }
  request.set_source(source);
  const Reply reply = rig_.CallBytes(kActivate, tokens_["editor"], request.SerializeAsString());
  EXPECT_EQ(reply.reason(), "PLAYBOOK_INVALID");
  EXPECT_GT(FieldsOf(reply.error()).size(), 10U);
  EXPECT_NE(FactsOf(reply.error())["fields_omitted"], "");
  ExpectWellFormed(reply.status);
}

}  // namespace
}  // namespace tandem::wire
