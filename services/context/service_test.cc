#include "services/context/service.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "router/base/status.h"
#include "services/context/testing.h"

namespace tandem::context {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNoon = absl::FromUnixSeconds(1'750'000'000);
const rpc::Caller kAnn = FakeAuthenticator::Editor("ann", "acme");
const rpc::Caller kEve = FakeAuthenticator::Editor("eve", "other");

std::string Name(const std::string& key) { return "tenants/acme/entities/" + key; }

class ContextApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::Open({.path = folder_.File("context.db")});
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    api_ = std::make_unique<ContextApi>(
        *store_, clock_, authenticator_, [this](const TenantId& tenant, Version version) {
          told_.push_back(fmt::format("{} {}", tenant.value, version.value));
        });
  }

  static v1::PutEntityRequest PutRequest(const std::string& key, const std::string& display_name) {
    v1::PutEntityRequest request;
    request.mutable_entity()->set_name(Name(key));
    request.mutable_entity()->set_display_name(display_name);
    return request;
  }
  absl::StatusOr<v1::Entity> Put(const std::string& key, const std::string& display_name) {
    return api_->PutEntity(kAnn, PutRequest(key, display_name));
  }
  absl::StatusOr<v1::Entity> Get(const std::string& key, std::uint64_t version = 0) {
    v1::GetEntityRequest request;
    request.set_name(Name(key));
    request.set_version(version);
    return api_->GetEntity(kAnn, request);
  }
  absl::StatusOr<v1::DeleteEntityResponse> Delete(const std::string& key) {
    v1::DeleteEntityRequest request;
    request.set_name(Name(key));
    return api_->DeleteEntity(kAnn, request);
  }
  static v1::ImportEntitiesRequest ImportRequest(v1::ImportEntitiesRequest::Format format,
                                                 const std::string& content) {
    v1::ImportEntitiesRequest request;
    request.set_parent("tenants/acme");
    request.set_format(format);
    request.set_content(content);
    return request;
  }
  absl::StatusOr<v1::ImportEntitiesResponse> ImportCsv(const std::string& content) {
    return api_->ImportEntities(kAnn, ImportRequest(v1::ImportEntitiesRequest::CSV, content));
  }
  std::vector<std::string> ListAll(int page_size, const std::string& kind = "") {
    std::vector<std::string> names;
    v1::ListEntitiesRequest request;
    request.set_parent("tenants/acme");
    request.set_page_size(page_size);
    request.set_kind(kind);
    do {
      const auto page = api_->ListEntities(kAnn, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const auto& entity : page->entities()) names.push_back(entity.name().substr(22));
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return names;
  }

  TemporaryFolder folder_;
  ManualClock clock_{kNoon};
  FakeAuthenticator authenticator_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ContextApi> api_;
  std::vector<std::string> told_;
};

TEST_F(ContextApiTest, TakesAuthorSideTimeAndVersionFromTheCallNotFromThePayload) {
  v1::PutEntityRequest request = PutRequest("site/a", "A");
  request.mutable_entity()->set_version(99);
  request.mutable_entity()->mutable_author()->set_principal("mallory");
  const auto entity = api_->PutEntity(kAnn, request);
  ASSERT_TRUE(entity.ok()) << entity.status();
  EXPECT_EQ(entity->version(), 1u);
  EXPECT_EQ(entity->author().principal(), "ann");
  EXPECT_EQ(entity->author().side(), v1::CUSTOMER);
  EXPECT_EQ(entity->update_time().seconds(), absl::ToUnixSeconds(kNoon));
  EXPECT_EQ(Get("site/a")->SerializeAsString(), entity->SerializeAsString());
}

TEST_F(ContextApiTest, ReplacesOnlyTheNamedParts) {
  v1::PutEntityRequest first = PutRequest("site/a", "A");
  (*first.mutable_entity()->mutable_attributes())["kind"] = "factory";
  ASSERT_TRUE(api_->PutEntity(kAnn, first).ok());

  v1::PutEntityRequest request = PutRequest("site/a", "B");
  request.mutable_update_mask()->add_paths("display_name");
  const auto entity = api_->PutEntity(kAnn, request);
  ASSERT_TRUE(entity.ok()) << entity.status();
  EXPECT_EQ(entity->display_name(), "B");
  EXPECT_EQ(entity->attributes().at("kind"), "factory");

  request.mutable_update_mask()->set_paths(0, "atributes");
  const absl::Status wrong = api_->PutEntity(kAnn, request).status();
  EXPECT_EQ(FieldsOf(wrong).at(0).field, "update_mask.paths[0]");
  EXPECT_THAT(MessageOf(wrong), HasSubstr("nearest: \"attributes\""));

  request = PutRequest("site/unknown", "B");
  request.mutable_update_mask()->add_paths("display_name");
  EXPECT_EQ(ReasonOf(api_->PutEntity(kAnn, request).status()), "ENTITY_NOT_FOUND");
}

TEST_F(ContextApiTest, MakesNoVersionOfAPutThatChangesNothing) {
  v1::PutEntityRequest request = PutRequest("site/a", "A");
  for (int i = 0; i < 20; ++i) {
    (*request.mutable_entity()->mutable_attributes())[fmt::format("a{}", i)] = "x";
  }
  ASSERT_TRUE(api_->PutEntity(kAnn, request).ok());
  // What was read can be put back: the order of a map's entries does not matter.
  *request.mutable_entity() = *Get("site/a");
  clock_.Advance(absl::Hours(1));
  const auto again = api_->PutEntity(kAnn, request);
  EXPECT_EQ(again->version(), 1u);
  EXPECT_EQ(again->update_time().seconds(), absl::ToUnixSeconds(kNoon));
}

TEST_F(ContextApiTest, NamesEveryFieldThatIsWrong) {
  v1::PutEntityRequest request = PutRequest("site/a", "A\n");
  request.mutable_entity()->add_matchers("x");
  const absl::Status status = api_->PutEntity(kAnn, request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_THAT(FieldsOf(status), SizeIs(2));
  EXPECT_EQ(FieldsOf(status)[0].field, "entity.display_name");
  EXPECT_EQ(FieldsOf(status)[1].field, "entity.matchers[0]");
  EXPECT_THAT(ListAll(0), IsEmpty());
}

TEST_F(ContextApiTest, RefusesNamesOfAnotherForm) {
  for (const std::string key : {"sit/a", "site/", "site", "site/a b", "site/a/b"}) {
    EXPECT_EQ(Get(key).status().code(), absl::StatusCode::kInvalidArgument) << key;
  }
  v1::ListEntitiesRequest request;
  request.set_parent("tenants/acme/entities");
  EXPECT_EQ(ReasonOf(api_->ListEntities(kAnn, request).status()), "TENANT_NAME_INVALID");
}

TEST_F(ContextApiTest, AnswersARepeatedPutWithItsFirstResult) {
  v1::PutEntityRequest request = PutRequest("site/a", "A");
  request.set_request_id("4fa1d1a2-4f5b-4a0e-8c1e-6a0f2f1b7d11");
  const auto first = api_->PutEntity(kAnn, request);
  ASSERT_TRUE(Put("site/a", "B").ok());
  const auto repeat = api_->PutEntity(kAnn, request);
  ASSERT_TRUE(repeat.ok()) << repeat.status();
  EXPECT_EQ(repeat->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Get("site/a")->display_name(), "B");

  request.mutable_entity()->set_display_name("C");
  EXPECT_EQ(ReasonOf(api_->PutEntity(kAnn, request).status()), "REQUEST_ID_REUSED");
}

TEST_F(ContextApiTest, AnswersARepeatedDeleteWithItsFirstResult) {
  ASSERT_TRUE(Put("site/a", "A").ok());
  v1::DeleteEntityRequest request;
  request.set_name(Name("site/a"));
  request.set_request_id("r");
  EXPECT_EQ(api_->DeleteEntity(kAnn, request)->version(), 2u);
  EXPECT_EQ(api_->DeleteEntity(kAnn, request)->version(), 2u);
  request.clear_request_id();
  EXPECT_EQ(ReasonOf(api_->DeleteEntity(kAnn, request).status()), "ENTITY_NOT_FOUND");
}

TEST_F(ContextApiTest, ReadsAnOldVersionAndSaysWhenThereIsNone) {
  ASSERT_TRUE(Put("site/a", "A").ok());
  ASSERT_TRUE(Put("site/a", "B").ok());
  ASSERT_TRUE(Delete("site/a").ok());
  EXPECT_EQ(Get("site/a", 1)->display_name(), "A");
  EXPECT_EQ(Get("site/a", 2)->display_name(), "B");
  EXPECT_EQ(ReasonOf(Get("site/a").status()), "ENTITY_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Get("site/a", 9).status()), "VERSION_UNKNOWN");
  EXPECT_EQ(ReasonOf(Get("site/a", ~std::uint64_t{0}).status()), "VERSION_UNKNOWN");
}

TEST_F(ContextApiTest, ListsPageAfterPageAndStaysWithTheVersionOfTheFirst) {
  for (const char* key : {"device/d", "site/a", "service/s", "site/b", "application/x"}) {
    ASSERT_TRUE(Put(key, "x").ok());
  }
  EXPECT_THAT(ListAll(2),
              ElementsAre("site/a", "site/b", "service/s", "device/d", "application/x"));
  EXPECT_THAT(ListAll(1, "site"), ElementsAre("site/a", "site/b"));

  v1::ListEntitiesRequest request;
  request.set_parent("tenants/acme");
  request.set_page_size(1);
  request.set_page_token(api_->ListEntities(kAnn, request)->next_page_token());
  ASSERT_TRUE(Delete("site/b").ok());
  const auto second = api_->ListEntities(kAnn, request);
  EXPECT_EQ(second->entities(0).name(), Name("site/b"));
  EXPECT_EQ(second->version(), 5u);

  request.set_kind("site");
  EXPECT_EQ(ReasonOf(api_->ListEntities(kAnn, request).status()), "PAGE_TOKEN_INVALID");
  request.set_kind("sites");
  EXPECT_EQ(ReasonOf(api_->ListEntities(kAnn, request).status()), "KIND_INVALID");
  request.set_kind("");
  request.set_page_size(-1);
  EXPECT_EQ(ReasonOf(api_->ListEntities(kAnn, request).status()), "PAGE_SIZE_INVALID");
}

TEST_F(ContextApiTest, KeepsHistoryOfTenantAndEntity) {
  v1::PutEntityRequest put = PutRequest("site/a", "A");
  put.set_comment("first");
  ASSERT_TRUE(api_->PutEntity(kAnn, put).ok());
  ASSERT_TRUE(Put("site/b", "B").ok());
  ASSERT_TRUE(Delete("site/a").ok());

  v1::ListHistoryRequest request;
  request.set_parent("tenants/acme");
  request.set_page_size(2);
  auto page = api_->ListHistory(kAnn, request);
  ASSERT_EQ(page->revisions_size(), 2);
  EXPECT_EQ(page->revisions(0).version(), 3u);
  EXPECT_FALSE(page->revisions(0).changes(0).has_after());
  EXPECT_EQ(page->revisions(0).author().principal(), "ann");
  request.set_page_token(page->next_page_token());
  page = api_->ListHistory(kAnn, request);
  ASSERT_EQ(page->revisions_size(), 1);
  EXPECT_EQ(page->revisions(0).comment(), "first");
  EXPECT_EQ(page->revisions(0).change_count(), 1u);
  EXPECT_EQ(page->revisions(0).changes(0).after().display_name(), "A");
  EXPECT_THAT(page->next_page_token(), IsEmpty());

  request.clear_page_token();
  request.set_parent(Name("site/a"));
  EXPECT_EQ(api_->ListHistory(kAnn, request)->revisions_size(), 2);
  request.set_parent(Name("site/nowhere"));
  EXPECT_EQ(ReasonOf(api_->ListHistory(kAnn, request).status()), "ENTITY_NOT_FOUND");
}

TEST_F(ContextApiTest, ImportsAsOneVersion) {
  ASSERT_TRUE(Put("site/a", "A").ok());
  ASSERT_TRUE(Put("site/b", "old").ok());
  ASSERT_TRUE(Put("site/z", "Z").ok());
  const std::string csv = "kind,id,name\nsite,a,A\nsite,b,B\nsite,c,C\n";

  v1::ImportEntitiesRequest request = ImportRequest(v1::ImportEntitiesRequest::CSV, csv);
  request.set_replace_all(true);
  request.set_validate_only(true);
  for (int i = 0; i < 2; ++i) {
    const auto imported = api_->ImportEntities(kAnn, request);
    ASSERT_TRUE(imported.ok()) << imported.status();
    EXPECT_EQ(imported->version(), request.validate_only() ? 3u : 4u);
    EXPECT_EQ(imported->created(), 1u);
    EXPECT_EQ(imported->updated(), 1u);
    EXPECT_EQ(imported->unchanged(), 1u);
    EXPECT_EQ(imported->deleted(), 1u);
    request.set_validate_only(false);
  }
  EXPECT_THAT(ListAll(0), ElementsAre("site/a", "site/b", "site/c"));
  EXPECT_EQ(ImportCsv(csv)->version(), 4u);
  EXPECT_EQ(ImportCsv(csv)->unchanged(), 3u);
}

TEST_F(ContextApiTest, TakesNothingOfAFileWithABadRow) {
  const absl::Status status = ImportCsv("kind,id\nsite,a\nsit,b\nsite,c d\n").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(status), SizeIs(2));
  EXPECT_EQ(FieldsOf(status)[0].field, "row 3, column \"kind\"");
  EXPECT_THAT(ListAll(0), IsEmpty());
}

TEST_F(ContextApiTest, KeepsWhatCsvCannotSay) {
  v1::PutEntityRequest put = PutRequest("site/a", "A");
  put.mutable_entity()->add_matchers("x=\"y\"");
  (*put.mutable_entity()->mutable_calendars())["c"].add_intervals()->add_times("08:00-17:00");
  ASSERT_TRUE(api_->PutEntity(kAnn, put).ok());
  EXPECT_EQ(ImportCsv("kind,id,name\nsite,a,A\n")->unchanged(), 1u);
  EXPECT_EQ(ImportCsv("kind,id,name\nsite,a,B\n")->updated(), 1u);
  EXPECT_THAT(Get("site/a")->matchers(), SizeIs(1));
  EXPECT_THAT(Get("site/a")->calendars(), SizeIs(1));
  // YAML can, and says by silence that there are none.
  const std::string yaml = "entities: [{kind: site, id: a, name: B}]";
  ASSERT_TRUE(
      api_->ImportEntities(kAnn, ImportRequest(v1::ImportEntitiesRequest::YAML, yaml)).ok());
  EXPECT_THAT(Get("site/a")->matchers(), IsEmpty());
}

TEST_F(ContextApiTest, TakesARelationToNothingAndWarnsOfIt) {
  const std::string rows =
      "kind,id,relation:runs_at\nservice,mes,site/plant-7; site/plant-77\nsite,plant-7,\n";
  v1::ImportEntitiesRequest request = ImportRequest(v1::ImportEntitiesRequest::CSV, rows);
  for (const bool validate_only : {true, false}) {
    request.set_validate_only(validate_only);
    const auto response = api_->ImportEntities(kAnn, request);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->created(), 2u);
    EXPECT_EQ(response->warning_count(), 1u);
    ASSERT_EQ(response->warnings_size(), 1);
    EXPECT_EQ(response->warnings(0).entity(), "service/mes");
    EXPECT_EQ(response->warnings(0).field(), "relations[1].target");
    EXPECT_THAT(response->warnings(0).description(), HasSubstr("runs_at site/plant-77"));
  }

  v1::PutEntityRequest put = PutRequest("device/plc-1", "PLC");
  v1::Relation& relation = *put.mutable_entity()->add_relations();
  relation.set_kind("runs_at");
  relation.set_target("site/plant-77");
  EXPECT_EQ(api_->PutEntity(kAnn, put)->warnings_size(), 1);
  EXPECT_EQ(Get("device/plc-1")->warnings_size(), 0);
  ASSERT_TRUE(Put("site/plant-77", "Plant 77").ok());
  EXPECT_EQ(api_->PutEntity(kAnn, put)->warnings_size(), 0);
  EXPECT_EQ(ImportCsv(rows)->warning_count(), 0u);
}

TEST_F(ContextApiTest, WarnsOfTheRelationsThatADeleteLeavesWithoutTarget) {
  ASSERT_TRUE(ImportCsv("kind,id,name,relation:runs_at,relation:depends_on\n"
                        "site,plant-7,Plant 7,,\nsite,plant-77,Near site/plant-7,,\n"
                        "service,mes,MES,site/plant-77;site/plant-7,\n"
                        "service,erp,ERP,,service/mes;site/plant-7\n")
                  .ok());

  const auto response = Delete("site/plant-7");

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->warning_count(), 2u);
  ASSERT_EQ(response->warnings_size(), 2);
  EXPECT_EQ(response->warnings(0).entity(), "service/erp");
  EXPECT_EQ(response->warnings(0).field(), "relations[1].target");
  EXPECT_EQ(response->warnings(1).entity(), "service/mes");
  EXPECT_EQ(response->warnings(1).field(), "relations[1].target");
  EXPECT_THAT(response->warnings(1).description(), HasSubstr("runs_at site/plant-7: there is no"));
  EXPECT_EQ(Delete("site/plant-77")->warning_count(), 1u);
  EXPECT_EQ(Delete("service/erp")->warning_count(), 0u);
}

TEST_F(ContextApiTest, WarnsOfAColumnThatIsNearlyAKnownOne) {
  const auto first = ImportCsv("kind,id,nmae,critcality,rack_unit\nsite,a,A,high,7\n");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->created(), 1u);
  EXPECT_EQ(first->warning_count(), 2u);
  ASSERT_EQ(first->warnings_size(), 2);
  EXPECT_EQ(first->warnings(0).entity(), "");
  EXPECT_EQ(first->warnings(0).field(), "column \"nmae\"");
  EXPECT_THAT(first->warnings(0).description(), HasSubstr("did you mean \"name\"?"));
  EXPECT_THAT(first->warnings(1).description(), HasSubstr("did you mean \"criticality\"?"));

  EXPECT_EQ(ImportCsv("kind,id,rack_unit,critcality\nsite,b,8,low\n")->warning_count(), 0u)
      << "some entity has it, and it is known";
  const auto third = ImportCsv("kind,id,rack_unti\nsite,c,9\n");
  ASSERT_EQ(third->warnings_size(), 1);
  EXPECT_THAT(third->warnings(0).description(), HasSubstr("did you mean \"rack_unit\"?"));
  EXPECT_EQ(ImportCsv("kind,id,attribute:rack_unix\nsite,d,9\n")->warning_count(), 0u)
      << "said expressly";
}

TEST_F(ContextApiTest, CountsEveryRelationToNothingAndTellsTheFirstHundred) {
  std::string rows = "kind,id,relation:runs_at\n";
  for (int i = 0; i < 150; ++i) rows += fmt::format("device,d{},site/nowhere\n", i);
  const auto response = ImportCsv(rows);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->warning_count(), 150u);
  EXPECT_EQ(response->warnings_size(), 100);
}

TEST_F(ContextApiTest, RefusesAnImportThatIsTooLargeOrOfNoFormat) {
  v1::ImportEntitiesRequest request =
      ImportRequest(v1::ImportEntitiesRequest::YAML, std::string(kImportBytesMax + 1, ' '));
  EXPECT_EQ(ReasonOf(api_->ImportEntities(kAnn, request).status()), "IMPORT_TOO_LARGE");
  request.set_content("");
  request.clear_format();
  EXPECT_EQ(ReasonOf(api_->ImportEntities(kAnn, request).status()), "FORMAT_INVALID");
}

TEST_F(ContextApiTest, TellsOfEachNewVersion) {
  ASSERT_TRUE(Put("site/a", "A").ok());
  ASSERT_TRUE(Delete("site/a").ok());
  EXPECT_THAT(told_, ElementsAre("acme 1", "acme 2"));
}

TEST_F(ContextApiTest, AnswersForAnotherTenantAsForOneThatDoesNotExist) {
  ASSERT_TRUE(Put("site/a", "A").ok());
  // What eve gets for acme's name, and what for nobody's, with the name itself written over.
  const auto answer = [&](const std::string& tenant, auto call) {
    const absl::Status status = call("tenants/" + tenant);
    std::string text = fmt::format("{} {} {}", static_cast<int>(status.code()), ReasonOf(status),
                                   MessageOf(status));
    for (const auto& [key, value] : FactsOf(status)) text += fmt::format(" {}={}", key, value);
    for (std::size_t at; (at = text.find(tenant)) != std::string::npos;) {
      text.replace(at, tenant.size(), "*");
    }
    return text;
  };
  const auto get = [&](const std::string& tenant) {
    v1::GetEntityRequest request;
    request.set_name(tenant + "/entities/site/a");
    return api_->GetEntity(kEve, request).status();
  };
  const auto put = [&](const std::string& tenant) {
    v1::PutEntityRequest request;
    request.mutable_entity()->set_name(tenant + "/entities/site/a");
    return api_->PutEntity(kEve, request).status();
  };
  const auto list = [&](const std::string& tenant) {
    v1::ListEntitiesRequest request;
    request.set_parent(tenant);
    return api_->ListEntities(kEve, request).status();
  };
  const auto history = [&](const std::string& tenant) {
    v1::ListHistoryRequest request;
    request.set_parent(tenant + "/entities/site/a");
    return api_->ListHistory(kEve, request).status();
  };
  const auto import = [&](const std::string& tenant) {
    v1::ImportEntitiesRequest request;
    request.set_parent(tenant);
    request.set_content("nonsense");
    return api_->ImportEntities(kEve, request).status();
  };
  const auto watch = [&](const std::string& tenant) {
    v1::WatchContextRequest request;
    request.set_parent(tenant);
    return api_->ResolveWatch(kEve, request).status();
  };
  EXPECT_THAT(answer("acme", get), HasSubstr("TENANT_NOT_FOUND"));
  EXPECT_EQ(answer("acme", get), answer("nobody", get));
  EXPECT_EQ(answer("acme", put), answer("nobody", put));
  EXPECT_EQ(answer("acme", list), answer("nobody", list));
  EXPECT_EQ(answer("acme", history), answer("nobody", history));
  EXPECT_EQ(answer("acme", import), answer("nobody", import));
  EXPECT_EQ(answer("acme", watch), answer("nobody", watch));
}

}  // namespace
}  // namespace tandem::context
