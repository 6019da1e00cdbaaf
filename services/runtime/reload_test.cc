#include "services/runtime/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/runtime/config_options.h"

namespace tandem::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(ChangesBetween, IsEmptyForTheSameConfiguration) {
  EXPECT_THAT(ChangesBetween({}, {}), IsEmpty());
}

TEST(ChangesBetween, NamesEachSettingWithItsOldAndItsNewValue) {
  Config after;
  after.log.level = LogLevel::kDebug;
  after.retention = absl::InfiniteDuration();
  const auto changes = ChangesBetween({}, after);

  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_TRUE(changes[0].live && changes[1].live);
  EXPECT_EQ(TextOf(changes), "retention: 400d → forever; log.level: info → debug");
}

TEST(ChangesBetween, SaysWhatNeedsARestart) {
  Config after;
  after.grpc.listen.port = 9;
  after.data_dir = "elsewhere";
  const auto changes = ChangesBetween({}, after);

  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_FALSE(changes[0].live || changes[1].live);
}

TEST(ChangesBetween, NoticesAnotherSecretWithoutShowingIt) {
  Config before, after;
  before.notifier.secrets["t/hook"] = {Secret("whsec_one")};
  after.notifier.secrets["t/hook"] = {Secret("whsec_two")};
  after.peers.token = Secret("tdm_three");
  const auto changes = ChangesBetween(before, after);

  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_TRUE(changes[0].live);  // the secrets
  EXPECT_THAT(TextOf(changes), HasSubstr("***"));
  for (const char* secret : {"one", "two", "three"}) {
    EXPECT_THAT(TextOf(changes), Not(HasSubstr(secret)));
  }
}

TEST(IsLive, NamesOnlySettingsThatExist) {
  int live = 0;
  for (const Option& option : Options()) live += IsLive(option.path) ? 1 : 0;

  EXPECT_EQ(live, 5);
  EXPECT_FALSE(IsLive("grpc.listen"));
}

}  // namespace
}  // namespace tandem::runtime
