// Nothing of a tenant is visible from another: what is somebody else's is answered byte for byte
// as what does not exist, by every RPC there is.
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <set>

#include "router/api/cursor.h"
#include "router/rpc/access.h"
#include "tandem/v1/deliveries.grpc.pb.h"
#include "tandem/v1/feed.grpc.pb.h"
#include "tandem/v1/incidents.pb.h"
#include "tests/wire/calls.h"

namespace tandem::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// Everything that a caller can see of an answer, with the name that it sent written over.
std::string Seen(const Reply& reply, std::string_view name) {
  std::string seen =
      fmt::format("{}\n{}\n{}\n{}", static_cast<int>(reply.status.error_code()),
                  reply.status.error_message(), reply.status.error_details(), reply.body);
  for (std::size_t at; (at = seen.find(name)) != std::string::npos;) {
    seen.replace(at, name.size(), name.size(), '*');
  }
  return seen;
}

class Isolation : public ::testing::Test {
 protected:
  Reply Call(const NamedCall& call, std::string_view name) {
    return rig_.Call(fmt::format("/tandem.v1.{}", call.method), callers_.tokens.at(call.who),
                     Filled(call, name));
  }

  Rig rig_;
  const Callers callers_{rig_};
};

TEST_F(Isolation, HasACaseForEveryRpc) {
  std::set<std::string> covered(kNamelessCalls.begin(), kNamelessCalls.end());
  for (const NamedCall& call : NamedCalls(callers_)) {
    covered.insert(fmt::format("/tandem.v1.{}", call.method));
  }
  std::set<std::string> declared;
  std::set<std::string> services;
  for (const rpc::AccessRow& row : rpc::kAccess) {
    services.emplace(row.method.substr(1, row.method.rfind('/') - 1));
  }
  for (const std::string& name : services) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      declared.insert(fmt::format("/{}/{}", name, service->method(i)->name()));
    }
  }
  EXPECT_EQ(covered, declared) << "an RPC without a case here may show one tenant to another";
}

TEST_F(Isolation, AnswersForAnotherTenantAsForNone) {
  for (const NamedCall& call : NamedCalls(callers_)) {
    SCOPED_TRACE(fmt::format("{} {}", call.method, call.request));
    ASSERT_EQ(call.foreign.size(), call.absent.size());
    const std::uint64_t before = rig_.HeadOf("mill");
    const Reply foreign = Call(call, call.foreign);
    const Reply absent = Call(call, call.absent);
    EXPECT_EQ(Seen(foreign, call.foreign), Seen(absent, call.absent)) << foreign.Text() << "\n"
                                                                      << absent.Text();
    EXPECT_EQ(rig_.HeadOf("mill"), before) << "a stranger's call changed a tenant";
    // The same call for something of one's own is served: the case is about something.
    EXPECT_EQ(Call(call, call.own).reason(), call.reason);
  }
}

TEST_F(Isolation, ShowsAnAdministratorOfATenantOnlyWhatHeManages) {
  const std::string& token = callers_.tokens.at("admin");
  const auto tenants =
      rig_.Must<v1::ListTenantsResponse>("/tandem.v1.Admin/ListTenants", token, "");
  ASSERT_EQ(tenants.tenants_size(), 1);
  EXPECT_EQ(tenants.tenants(0).name(), "tenants/harbor");
  rig_.NewToken({"ida", v1::VIEWER, {"harbor"}, v1::CUSTOMER});
  rig_.NewToken({"both", v1::VIEWER, {"harbor", "mill"}});
  std::vector<std::string> principals;
  const auto managed =
      rig_.Must<v1::ListPrincipalsResponse>("/tandem.v1.Admin/ListPrincipals", token, "");
  for (const v1::Principal& principal : managed.principals()) {
    principals.push_back(principal.id());
  }
  EXPECT_THAT(principals,
              UnorderedElementsAre("admin.harbor", "agent.harbor", "editor.harbor", "harbor-agent",
                                   "responder.harbor", "service.harbor", "viewer.harbor"));
  const auto tokens = rig_.Must<v1::ListTokensResponse>("/tandem.v1.Admin/ListTokens", token, "");
  for (const v1::Token& one : tokens.tokens()) {
    EXPECT_THAT(principals, ::testing::Contains(one.principal()));
  }
}

TEST_F(Isolation, LetsNoAdministratorOfATenantBecomeMore) {
  const auto put = [&](const std::string& principal) {
    return rig_.Call("/tandem.v1.Admin/PutPrincipal", callers_.tokens.at("admin"),
                     fmt::format("principal {{ {} }}", principal));
  };
  const std::string harbor = " side: PROVIDER tenants: 'tenants/harbor'";
  EXPECT_EQ(put("id: 'x' role: ADMIN side: PROVIDER tenants: 'tenants/-'").reason(),
            "INSTALLATION_ADMIN_NEEDED");
  EXPECT_EQ(put("id: 'x' role: SERVICE" + harbor).reason(), "INSTALLATION_ADMIN_NEEDED");
  EXPECT_EQ(put("id: 'x' role: VIEWER side: CUSTOMER tenants: 'tenants/harbor'").reason(),
            "OTHER_SIDE");
  EXPECT_EQ(put("id: 'x' role: VIEWER tenants: ['tenants/harbor', 'tenants/mill'] side: PROVIDER")
                .reason(),
            "TENANT_NOT_FOUND");
  // Ids are names in the whole installation, as e-mail addresses are: one that is taken is refused.
  EXPECT_EQ(put("id: 'admin' role: VIEWER" + harbor).reason(), "PRINCIPAL_ID_TAKEN");
  EXPECT_EQ(put("id: 'mill-agent' role: AGENT" + harbor).reason(), "PRINCIPAL_ID_TAKEN");
  EXPECT_EQ(
      rig_.Call("/tandem.v1.Admin/CreateToken", callers_.tokens.at("admin"), "principal: 'admin'")
          .reason(),
      "PRINCIPAL_NOT_FOUND");
  EXPECT_EQ(put("id: 'x' role: ADMIN" + harbor).reason(), "OK");
}

// The tenants of the deliveries that a worker is shown at the start.
std::set<std::string> TenantsOfDeliveries(Rig& rig, const std::string& token) {
  Context context(token);
  const auto stub = v1::Deliveries::NewStub(rig.channel());
  const auto reader = stub->WatchDeliveries(context.get(), {});
  std::set<std::string> tenants;
  v1::DeliveryEvent event;
  while (reader->Read(&event) && event.has_open()) tenants.insert(event.open().tenant());
  EXPECT_TRUE(event.has_snapshot_end());
  context->TryCancel();
  return tenants;
}

TEST_F(Isolation, ShowsAServiceOfATenantOnlyItsDeliveries) {
  EXPECT_THAT(TenantsOfDeliveries(rig_, callers_.tokens.at("service")), ElementsAre("harbor"));
  EXPECT_THAT(TenantsOfDeliveries(rig_, callers_.mill_service), ElementsAre("mill"));
  const std::string all = rig_.NewToken({"notifier", v1::SERVICE, {"-"}});
  EXPECT_THAT(TenantsOfDeliveries(rig_, all), ElementsAre("harbor", "mill"));
}

TEST_F(Isolation, TakesAllTenantsToBeThoseOfTheCaller) {
  const std::string& viewer = callers_.tokens.at("viewer");
  const auto list = rig_.Must<v1::ListIncidentsResponse>("/tandem.v1.Incidents/ListIncidents",
                                                         viewer, "parent: 'tenants/-'");
  ASSERT_EQ(list.incidents_size(), 1);
  EXPECT_THAT(list.incidents(0).name(), HasSubstr("tenants/harbor/"));
  const auto beat = rig_.Must<v1::FeedEvent>("/tandem.v1.Feed/Subscribe", viewer,
                                             "parents: 'tenants/-' from_beginning: true");
  const auto positions = api::ReadCursor(beat.cursor());
  ASSERT_TRUE(positions.ok());
  EXPECT_EQ(positions->size(), 1U);
  EXPECT_EQ(positions->count(TenantId("harbor")), 1U);
}

TEST_F(Isolation, RefusesACursorOfAnotherTenantAsItRefusesOneOfNone) {
  const auto of_mill =
      rig_.Must<v1::FeedEvent>("/tandem.v1.Feed/Subscribe", callers_.mill_viewer, "");
  const std::string& viewer = callers_.tokens.at("viewer");
  const auto subscribe = [&](const std::string& cursor, const char* parents = "") {
    return rig_.Call("/tandem.v1.Feed/Subscribe", viewer,
                     fmt::format("{} cursor: '{}'", parents, cursor));
  };
  const Reply foreign = subscribe(of_mill.cursor());
  EXPECT_EQ(foreign.reason(), "CURSOR_OTHER_TENANT");
  ExpectWellFormed(foreign.status);
  const auto at = [](const char* tenant) {
    return api::MakeCursor({{TenantId("harbor"), {}}, {TenantId(tenant), {}}});
  };
  const std::string there_is = subscribe(at("mill"), "parents: 'tenants/harbor'").Text();
  std::string there_is_none = subscribe(at("mall"), "parents: 'tenants/harbor'").Text();
  ASSERT_THAT(there_is_none, HasSubstr("mall"));
  for (std::size_t found; (found = there_is_none.find("mall")) != std::string::npos;) {
    there_is_none.replace(found, 4, "mill");
  }
  EXPECT_EQ(there_is_none, there_is);
}

}  // namespace
}  // namespace tandem::wire
