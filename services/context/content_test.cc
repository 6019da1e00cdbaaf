#include "router/context/content.h"

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

#include "router/base/status.h"
#include "services/context/stored_proto.h"

namespace tandem::context {
namespace {

v1::Entity Plant() {
  v1::Entity entity;
  entity.set_display_name("Plant 7");
  (*entity.mutable_attributes())["kind"] = "factory";
  return entity;
}

// The example of FORMAT.md.
TEST(PackContent, IsAsTheFormatSays) {
  EXPECT_EQ(absl::BytesToHexString(PackContent(Plant())),
            "1207506c616e742037"
            "1a0f0a046b696e641207666163746f7279");
  v1::Entity mes;
  mes.add_relations()->set_kind("runs_at");
  mes.mutable_relations(0)->set_target("site/plant-7");
  EXPECT_EQ(absl::BytesToHexString(PackContent(mes)),
            "22170a0772756e735f6174120c736974652f706c616e742d37");
}

TEST(PackContent, LeavesOutWhatStandsInColumns) {
  v1::Entity entity = Plant();
  entity.set_name("tenants/acme/entities/site/plant-7");
  entity.set_version(7);
  entity.mutable_update_time()->set_seconds(1);
  entity.mutable_author()->set_principal("ann");
  EXPECT_EQ(PackContent(entity), PackContent(Plant()));
}

TEST(UnpackContent, GivesBackWhatWasPacked) {
  const auto entity = UnpackContent(PackContent(Plant()));
  ASSERT_TRUE(entity.ok()) << entity.status();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*entity, Plant()));
}

TEST(UnpackContent, SaysThatBytesAreDamaged) {
  EXPECT_EQ(UnpackContent("\x12\xff").status().code(), absl::StatusCode::kDataLoss);
}

TEST(ToProto, PutsTheColumnsBack) {
  const auto entity = ToProto(TenantId("acme"), {.key = {EntityKind::kSite, "plant-7"},
                                                 .version = Version(3),
                                                 .time = absl::FromUnixMicros(1'500'000),
                                                 .author = {"ann", Side::kCustomer},
                                                 .content = PackContent(Plant())});
  ASSERT_TRUE(entity.ok()) << entity.status();
  EXPECT_EQ(entity->name(), "tenants/acme/entities/site/plant-7");
  EXPECT_EQ(entity->version(), 3u);
  EXPECT_EQ(entity->update_time().seconds(), 1);
  EXPECT_EQ(entity->update_time().nanos(), 500'000'000);
  EXPECT_EQ(entity->author().principal(), "ann");
  EXPECT_EQ(entity->author().side(), v1::CUSTOMER);
  EXPECT_EQ(entity->display_name(), "Plant 7");
}

}  // namespace
}  // namespace tandem::context
