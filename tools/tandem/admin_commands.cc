// `tandem admin …` and `tandem whoami`.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tandem/v1/admin.grpc.pb.h"
#include "tools/tandem/age.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/doctor_probes.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/incident_view.h"
#include "tools/tandem/names.h"
#include "tools/tandem/pages.h"
#include "tools/tandem/table.h"
#include "tools/tandem/words.h"

namespace tandem::cli {
namespace {

using Stub = v1::Admin::Stub;

std::string TenantsText(const v1::Principal& principal) {
  std::string text;
  for (const std::string& name : principal.tenants()) {
    text += (text.empty() ? "" : ",") + (name == "tenants/-" ? std::string("all") : TenantOf(name));
  }
  return text.empty() ? "–" : text;
}

// Prints `message` as JSON, or `text`.
absl::StatusOr<int> Answer(Session& session, const google::protobuf::Message& message,
                           const std::string& text) {
  if (session.options.json) {
    session.PrintJson(message);
  } else {
    session.out() << text;
  }
  return kExitOk;
}

absl::StatusOr<int> CreateTenant(Session& session, const std::string& id,
                                 const std::string& display_name) {
  v1::CreateTenantRequest request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_tenant()->mutable_name(), TenantName(id));
  request.mutable_tenant()->set_display_name(display_name);
  request.set_request_id(NewRequestId());
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::Tenant tenant,
                          client->Call("Admin/CreateTenant", &Stub::CreateTenant, request));
  return Answer(session, tenant,
                fmt::format("tenant {} created\n", Printable(TenantOf(tenant.name()))));
}

absl::StatusOr<int> ListTenants(Session& session) {
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(
      const v1::ListTenantsResponse list,
      ReadPages<v1::ListTenantsResponse>(
          *client, "Admin/ListTenants", &Stub::ListTenants, v1::ListTenantsRequest(),
          [](v1::ListTenantsResponse& page) { return page.mutable_tenants(); },
          {.page_size_max = 1000}));
  const Look look = session.look();
  Table table({{"TENANT"}, {"NAME", false, true}, {"CREATED", true}});
  for (const v1::Tenant& tenant : list.tenants()) {
    table.Row({{TenantOf(tenant.name())},
               {tenant.display_name()},
               {AgeText(look, ToTime(tenant.create_time()))}});
  }
  return Answer(session, list, table.empty() ? "No tenants.\n" : table.Text(look));
}

struct PrincipalOptions {
  std::string id;
  std::string display_name;
  std::string side;
  std::string role;
  std::vector<std::string> tenants;
};

absl::StatusOr<int> PutPrincipal(Session& session, const PrincipalOptions& options) {
  v1::PutPrincipalRequest request;
  v1::Principal& principal = *request.mutable_principal();
  principal.set_id(options.id);
  principal.set_display_name(options.display_name);
  if (const auto side = ParseSide(options.side)) principal.set_side(static_cast<v1::Side>(*side));
  principal.set_role(ParseRole(options.role).value_or(v1::ROLE_UNSPECIFIED));
  std::vector<std::string> tenants = options.tenants;
  if (tenants.empty() && !session.options.tenant.empty()) tenants = {session.options.tenant};
  for (const std::string& tenant : tenants) {
    TANDEM_ASSIGN_OR_RETURN(*principal.add_tenants(), TenantName(tenant));
  }
  request.set_request_id(NewRequestId());
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::Principal stored,
                          client->Call("Admin/PutPrincipal", &Stub::PutPrincipal, request));
  return Answer(session, stored,
                fmt::format("{}: {} of the {} side, tenants: {}\n", Printable(stored.id()),
                            RoleText(stored.role()), SideText(ToSide(stored.side())),
                            Printable(TenantsText(stored))));
}

absl::StatusOr<int> ListPrincipals(Session& session) {
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(
      const v1::ListPrincipalsResponse list,
      ReadPages<v1::ListPrincipalsResponse>(
          *client, "Admin/ListPrincipals", &Stub::ListPrincipals, v1::ListPrincipalsRequest(),
          [](v1::ListPrincipalsResponse& page) { return page.mutable_principals(); },
          {.page_size_max = 1000}));
  Table table({{"PRINCIPAL"}, {"ROLE"}, {"SIDE"}, {"TENANTS", false, true}, {"NAME", false, true}});
  for (const v1::Principal& principal : list.principals()) {
    table.Row({{principal.id()},
               {RoleText(principal.role())},
               {SideText(ToSide(principal.side()))},
               {TenantsText(principal)},
               {principal.display_name()}});
  }
  return Answer(session, list, table.empty() ? "No principals.\n" : table.Text(session.look()));
}

absl::StatusOr<int> CreateToken(Session& session, const std::string& principal,
                                const std::string& expires_in) {
  v1::CreateTokenRequest request;
  request.set_principal(principal);
  if (!expires_in.empty()) {
    const absl::StatusOr<absl::Duration> life = ReadDuration(expires_in);
    if (!life.ok()) return UsageError(fmt::format("--expires-in: {}", MessageOf(life.status())));
    *request.mutable_expires_in() = ToProto(*life);
  }
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::CreateTokenResponse made,
                          client->Call("Admin/CreateToken", &Stub::CreateToken, request));
  if (!session.options.json) {
    const std::string until = made.token().has_expire_time()
                                  ? FullTimeText(session.look(), ToTime(made.token().expire_time()))
                                  : "for ever";
    // Only the secret goes to stdout: `tandem admin token create ana > ana.token`.
    session.err() << fmt::format("token {} of {}, valid until {}; it is shown only now\n",
                                 Printable(made.token().id()), Printable(principal), until);
  }
  return Answer(session, made, Printable(made.secret()) + "\n");
}

absl::StatusOr<int> RevokeToken(Session& session, const std::string& id) {
  v1::RevokeTokenRequest request;
  request.set_id(id);
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::RevokeTokenResponse answer,
                          client->Call("Admin/RevokeToken", &Stub::RevokeToken, request));
  return Answer(session, answer, fmt::format("token {} revoked\n", Printable(id)));
}

absl::StatusOr<int> ListTokens(Session& session, const std::string& principal) {
  v1::ListTokensRequest request;
  request.set_principal(principal);
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::ListTokensResponse list,
                          ReadPages<v1::ListTokensResponse>(
                              *client, "Admin/ListTokens", &Stub::ListTokens, request,
                              [](v1::ListTokensResponse& page) { return page.mutable_tokens(); },
                              {.page_size_max = 1000}));
  const Look look = session.look();
  Table table({{"TOKEN"}, {"PRINCIPAL"}, {"CREATED", true}, {"EXPIRES", true}});
  for (const v1::Token& token : list.tokens()) {
    const bool expires = token.has_expire_time();
    const bool over = expires && ToTime(token.expire_time()) <= look.now;
    table.Row({{token.id()},
               {token.principal()},
               {AgeText(look, ToTime(token.create_time()))},
               {expires ? AgeText(look, ToTime(token.expire_time())) : "never",
                over ? Tint::kRed : Tint::kPlain}});
  }
  return Answer(session, list, table.empty() ? "No tokens.\n" : table.Text(look));
}

std::string WhoAmIText(const v1::WhoAmIResponse& me, const Look& look) {
  const v1::Principal& principal = me.principal();
  std::string text =
      fmt::format("{} ({} of the {} side)\n  tenants: {}\n", Printable(principal.id()),
                  RoleText(principal.role()), SideText(ToSide(principal.side())),
                  Printable(TenantsText(principal)));
  if (me.token_id().empty()) return text;
  text += fmt::format("  token:   {}\n", Printable(me.token_id()));
  if (!me.has_token_expire_time()) return text + "  expires: never\n";
  text += fmt::format("  expires: {}\n", FullTimeText(look, ToTime(me.token_expire_time())));
  const Check check = TokenCheck(me, look);
  if (check.level != Check::Level::kGood) {
    text += Painted(look, Tint::kYellow, fmt::format("  ! {}", Printable(check.advice))) + "\n";
  }
  return text;
}

absl::StatusOr<int> WhoAmI(Session& session) {
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::WhoAmIResponse me,
                          client->Call("Admin/WhoAmI", &Stub::WhoAmI, v1::WhoAmIRequest()));
  return Answer(session, me, WhoAmIText(me, session.look()));
}

void AddTenants(const Command& admin, Session& session) {
  const Command tenant = admin.Sub("tenant", "Customers");
  auto id = std::make_shared<std::string>();
  auto display_name = std::make_shared<std::string>();
  const Command create = tenant.Sub("create", "Add a tenant");
  create.Add({.names = "id",
              .help = "1 to 63 of [a-z0-9-], a letter first",
              .value = "ID",
              .required = true},
             *id);
  create.Add({"--display-name", "For people", "TEXT"}, *display_name);
  create.Runs([&session, id, display_name] { return CreateTenant(session, *id, *display_name); });
  tenant.Sub("list", "All tenants").Runs([&session] { return ListTenants(session); });
}

void AddPrincipals(const Command& admin, Session& session) {
  const Command principal = admin.Sub("principal", "People, agents and integrations");
  auto options = std::make_shared<PrincipalOptions>();
  const Command put = principal.Sub("put", "Add a principal or change it");
  put.Add({.names = "id", .help = "1 to 63 of [a-z0-9._@-]", .value = "ID", .required = true},
          options->id);
  put.Add({.names = "--side",
           .help = "For whom it acts",
           .value = "SIDE",
           .required = true,
           .choices = {"provider", "customer"}},
          options->side);
  put.Add({.names = "--role",
           .help = "What it may do",
           .value = "ROLE",
           .required = true,
           .choices = RoleWords()},
          options->role);
  put.Add({"--member", "A tenant it acts in; repeat for several (default: --tenant)", "TENANT"},
          options->tenants);
  put.Add({"--display-name", "For people", "TEXT"}, options->display_name);
  put.Runs([&session, options] { return PutPrincipal(session, *options); });
  principal.Sub("list", "All principals").Runs([&session] { return ListPrincipals(session); });
}

void AddTokens(const Command& admin, Session& session) {
  const Command token = admin.Sub("token", "What principals call with");
  auto principal = std::make_shared<std::string>();
  auto expires_in = std::make_shared<std::string>();
  const Command create = token.Sub("create", "Make a token; its secret is printed once, to stdout");
  create.Add({.names = "principal", .help = "Whose", .value = "PRINCIPAL", .required = true},
             *principal);
  create.Add({"--expires-in", "At most 400d (default 90d)", "DURATION"}, *expires_in);
  create.Runs(
      [&session, principal, expires_in] { return CreateToken(session, *principal, *expires_in); });

  auto id = std::make_shared<std::string>();
  const Command revoke = token.Sub("revoke", "End a token at once, open streams too");
  revoke.Add(
      {.names = "id", .help = "tdm_…, as `token list` shows it", .value = "ID", .required = true},
      *id);
  revoke.Runs([&session, id] { return RevokeToken(session, *id); });

  auto whose = std::make_shared<std::string>();
  const Command list = token.Sub("list", "All tokens, without their secrets");
  list.Add({"--principal", "Only this one's", "PRINCIPAL"}, *whose);
  list.Runs([&session, whose] { return ListTokens(session, *whose); });
}

}  // namespace

void AddAdminCommands(const Command& root, Session& session) {
  const Command admin = root.Sub("admin", "Tenants, principals and tokens");
  AddTenants(admin, session);
  AddPrincipals(admin, session);
  AddTokens(admin, session);
  root.Sub("whoami", "Who you are to the router").Runs([&session] { return WhoAmI(session); });
}

}  // namespace tandem::cli
