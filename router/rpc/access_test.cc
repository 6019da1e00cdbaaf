#include "router/rpc/access.h"

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "router/base/status.h"

namespace tandem::rpc {
namespace {

// Every RPC that the files of proto/tandem/v1 declare, as protoc read them for this test: no
// descriptor can be missing because nobody linked it.
std::set<std::string> DeclaredMethods() {
  google::protobuf::FileDescriptorSet files;
  std::ifstream in(TANDEM_DESCRIPTOR_SET, std::ios::binary);
  EXPECT_TRUE(files.ParseFromIstream(&in)) << TANDEM_DESCRIPTOR_SET;
  std::set<std::string> methods;
  for (const auto& file : files.file()) {
    for (const auto& service : file.service()) {
      for (const auto& method : service.method()) {
        methods.insert("/" + file.package() + "." + service.name() + "/" + method.name());
      }
    }
  }
  return methods;
}

Caller Of(Role role, Side side = Side::kProvider) {
  Caller caller;
  caller.role = role;
  caller.side = side;
  return caller;
}

TEST(Access, HasOneRowForEachRpcAndNoOther) {
  std::set<std::string> rows;
  for (const AccessRow& row : kAccess) EXPECT_TRUE(rows.emplace(row.method).second) << row.method;

  EXPECT_EQ(rows, DeclaredMethods());
}

TEST(Access, IsSorted) {
  EXPECT_TRUE(std::is_sorted(kAccess.begin(), kAccess.end(),
                             [](const auto& a, const auto& b) { return a.method < b.method; }));
}

TEST(Access, GivesEachRoleOfAPersonWhatTheRolesBeforeItHave) {
  for (const AccessRow& row : kAccess) {
    EXPECT_LE(MayCall(Role::kViewer, row), MayCall(Role::kResponder, row)) << row.method;
    EXPECT_LE(MayCall(Role::kResponder, row), MayCall(Role::kEditor, row)) << row.method;
    EXPECT_LE(MayCall(Role::kEditor, row), MayCall(Role::kAdmin, row)) << row.method;
  }
}

TEST(Access, GivesAdminsEverythingButDeliveries) {
  for (const AccessRow& row : kAccess) {
    const bool delivery = row.method.find(".Deliveries/") != std::string_view::npos;
    EXPECT_EQ(MayCall(Role::kAdmin, row), !delivery) << row.method;
  }
}

TEST(Access, GivesAgentsOnlyAlertsAndTheirOwnName) {
  for (const AccessRow& row : kAccess) {
    const bool alerts = row.method.find(".AlertIngest/") != std::string_view::npos;
    EXPECT_EQ(MayCall(Role::kAgent, row), alerts || row.method == "/tandem.v1.Admin/WhoAmI")
        << row.method;
  }
}

TEST(Access, LetsServicesChangeNothingButDeliveries) {
  std::set<std::string_view> allowed;
  for (const AccessRow& row : kAccess) {
    if (MayCall(Role::kService, row)) allowed.insert(row.method);
  }

  EXPECT_EQ(allowed,
            (std::set<std::string_view>{
                "/tandem.v1.Admin/ListTenants", "/tandem.v1.Admin/WhoAmI",
                "/tandem.v1.Context/GetEntity", "/tandem.v1.Context/ListEntities",
                "/tandem.v1.Context/ListHistory", "/tandem.v1.Context/WatchContext",
                "/tandem.v1.Deliveries/ReportDelivery", "/tandem.v1.Deliveries/WatchDeliveries"}));
}

TEST(CheckAccess, NamesTheRolesThatWouldDo) {
  const Caller viewer = Of(Role::kViewer);
  const absl::Status denied = CheckAccess(viewer, "/tandem.v1.Incidents/AcknowledgeIncident");

  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(denied), "ROLE_INSUFFICIENT");
  EXPECT_EQ(MessageOf(denied),
            "role viewer may not call tandem.v1.Incidents/AcknowledgeIncident; it needs one of: "
            "responder, editor, admin");
  EXPECT_EQ(FactsOf(denied)["needed_roles"], "responder, editor, admin");
  EXPECT_TRUE(CheckAccess(viewer, "/tandem.v1.Incidents/ListIncidents").ok());
}

TEST(CheckAccess, DoesNotLookAtTheSide) {
  for (const AccessRow& row : kAccess) {
    const Caller provider = Of(Role::kEditor, Side::kProvider);
    const Caller customer = Of(Role::kEditor, Side::kCustomer);
    EXPECT_EQ(CheckAccess(provider, row.method), CheckAccess(customer, row.method)) << row.method;
  }
}

TEST(CheckAccess, DeniesWhatHasNoRow) {
  const Caller admin = Of(Role::kAdmin);

  EXPECT_EQ(ReasonOf(CheckAccess(admin, "/tandem.v1.Admin/Format")), "METHOD_UNKNOWN");
  EXPECT_EQ(ReasonOf(CheckAccess(admin, "")), "METHOD_UNKNOWN");
}

}  // namespace
}  // namespace tandem::rpc
