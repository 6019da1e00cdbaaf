#include "services/context/watch.h"

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
using ::testing::IsEmpty;

const TenantId kAcme("acme");
const absl::Time kNoon = absl::FromUnixSeconds(1'750'000'000);

class WatchReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::Open({.path = folder_.File("context.db")});
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  void PutSites(int first, int last, std::string_view content = "", absl::Time now = kNoon) {
    const ChangeHeader header{.tenant = kAcme, .author = {}, .comment = "", .now = now};
    const auto done = store_->Change(header, [&](Edit& edit) -> absl::Status {
      for (int i = first; i <= last; ++i) {
        const EntityKey key{EntityKind::kSite, fmt::format("s{:05}", i)};
        v1::Entity entity;
        entity.set_display_name(std::string(content));
        TANDEM_RETURN_IF_ERROR(edit.Put(key, entity.SerializeAsString()));
      }
      return absl::OkStatus();
    });
    ASSERT_TRUE(done.ok()) << done.status();
  }

  // What is sent until there is nothing more: "r5" a revision, "s5:20" a part of a snapshot with 20
  // entities, "s5:20!" the last one.
  static std::vector<std::string> ReadAll(WatchReader& reader) {
    std::vector<std::string> all;
    while (true) {
      const auto messages = reader.Next();
      EXPECT_TRUE(messages.ok()) << messages.status();
      if (!messages.ok() || messages->empty()) return all;
      for (const auto& message : *messages) {
        EXPECT_EQ(message.tenant(), "acme");
        if (message.has_revision()) all.push_back(fmt::format("r{}", message.revision().version()));
        if (!message.has_snapshot()) continue;
        const auto& part = message.snapshot();
        all.push_back(
            fmt::format("s{}:{}{}", part.version(), part.entities_size(), part.last() ? "!" : ""));
      }
    }
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(WatchReaderTest, BeginsWithASnapshotAndGoesOnWithRevisions) {
  PutSites(1, 1);
  PutSites(2, 2);
  WatchReader reader(*store_, kAcme, Version(0));
  EXPECT_THAT(ReadAll(reader), ElementsAre("s2:2!"));
  EXPECT_EQ(reader.Heartbeat().heartbeat().version(), 2u);
  PutSites(3, 3);
  PutSites(4, 4);
  EXPECT_THAT(ReadAll(reader), ElementsAre("r3", "r4"));
  EXPECT_THAT(ReadAll(reader), IsEmpty());
}

TEST_F(WatchReaderTest, BeginsWithAnEmptySnapshotForATenantWithoutContext) {
  WatchReader reader(*store_, kAcme, Version(0));
  EXPECT_THAT(ReadAll(reader), ElementsAre("s0:0!"));
  PutSites(1, 1);
  EXPECT_THAT(ReadAll(reader), ElementsAre("r1"));
}

TEST_F(WatchReaderTest, ResumesWithoutGapAndWithoutRepeat) {
  for (int i = 1; i <= 5; ++i) PutSites(i, i);
  WatchReader reader(*store_, kAcme, Version(3));
  EXPECT_THAT(ReadAll(reader), ElementsAre("r4", "r5"));
  WatchReader current(*store_, kAcme, Version(5));
  EXPECT_THAT(ReadAll(current), IsEmpty());
}

TEST_F(WatchReaderTest, SendsALargeSnapshotInPartsOfOneVersion) {
  PutSites(1, 2500);
  WatchReader reader(*store_, kAcme, Version(0));
  ASSERT_TRUE(reader.Next().ok());
  PutSites(1, 1, "changed meanwhile");
  EXPECT_THAT(ReadAll(reader), ElementsAre("s1:1000", "s1:500!", "r2"));
}

TEST_F(WatchReaderTest, SendsASnapshotInPlaceOfALargeRevision) {
  PutSites(1, 1);
  WatchReader reader(*store_, kAcme, Version(1));
  PutSites(2, 2);
  PutSites(1, 1001, "x");
  PutSites(3, 3, "y");
  EXPECT_THAT(ReadAll(reader), ElementsAre("r2", "s4:1000", "s4:1!"));
  PutSites(1, 1000, "z");
  EXPECT_THAT(ReadAll(reader), ElementsAre("r5"));
}

TEST_F(WatchReaderTest, BeginsAnewWhenItsVersionIsTooOldOrNotKnown) {
  PutSites(1, 1, "a");
  PutSites(1, 1, "b");
  PutSites(1, 1, "c", kNoon + absl::Hours(2));
  ASSERT_TRUE(store_->Prune(kNoon + absl::Hours(1), kNoon).ok());
  WatchReader old(*store_, kAcme, Version(1));
  EXPECT_THAT(ReadAll(old), ElementsAre("s3:1!"));
  WatchReader oldest(*store_, kAcme, Version(2));
  EXPECT_THAT(ReadAll(oldest), ElementsAre("r3"));
  WatchReader unknown(*store_, kAcme, Version(~std::uint64_t{0}));
  EXPECT_THAT(ReadAll(unknown), ElementsAre("s3:1!"));
}

}  // namespace
}  // namespace tandem::context
