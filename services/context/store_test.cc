#include "services/context/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "router/base/status.h"
#include "services/context/testing.h"

namespace tandem::context {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const TenantId kAcme("acme");
const TenantId kOther("other");
const absl::Time kNoon = absl::FromUnixSeconds(1'750'000'000);

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen(Store::Options options = {}) {
    store_.reset();
    options.path = folder_.File("context.db");
    auto opened = Store::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  static ChangeHeader Header(absl::Time now = kNoon, std::string request_id = "") {
    return {.tenant = kAcme,
            .author = {"ann", Side::kCustomer},
            .comment = "why",
            .now = now,
            .request_id = std::move(request_id),
            .request_digest = "digest"};
  }

  static EntityKey Site(std::string id) { return {EntityKind::kSite, std::move(id)}; }

  absl::StatusOr<Outcome> Put(const EntityKey& key, std::string_view content,
                              const ChangeHeader& header = Header()) {
    return store_->Change(header, [&](Edit& edit) { return edit.Put(key, content); });
  }
  absl::StatusOr<Outcome> Delete(const EntityKey& key, const ChangeHeader& header = Header()) {
    return store_->Change(header, [&](Edit& edit) { return edit.Delete(key); });
  }

  // The content at a version; "-" when it is not there.
  std::string ContentAt(const EntityKey& key, Version at = {}) {
    auto found = store_->Find(kAcme, key, at);
    if (!found.ok()) return ReasonOf(found.status());
    return *found ? (*found)->content : "-";
  }

  std::vector<std::string> Ids(const Store::ListQuery& query) {
    std::vector<std::string> ids;
    auto page = store_->List(kAcme, query);
    EXPECT_TRUE(page.ok()) << page.status();
    for (const StoredEntity& entity : page->entities) ids.push_back(ToText(entity.key));
    return ids;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, GivesEachChangeTheNextVersionOfItsTenant) {
  EXPECT_EQ(Put(Site("a"), "1")->version, Version(1));
  EXPECT_EQ(Put(Site("b"), "1")->version, Version(2));
  ChangeHeader other = Header();
  other.tenant = kOther;
  EXPECT_EQ(Put(Site("a"), "x", other)->version, Version(1));
  EXPECT_EQ(ContentAt(Site("a")), "1");
  EXPECT_EQ(store_->Range(kAcme)->newest, Version(2));
}

TEST_F(StoreTest, MakesNoVersionOfAChangeThatChangesNothing) {
  ASSERT_TRUE(Put(Site("a"), "1").ok());
  EXPECT_EQ(*Put(Site("a"), "1"), (Outcome{.version = Version(1), .unchanged = 1}));
  EXPECT_EQ(*Delete(Site("nowhere")), (Outcome{.version = Version(1)}));
}

TEST_F(StoreTest, ReadsAnOldVersionAsItWas) {
  ASSERT_TRUE(Put(Site("a"), "1").ok());
  ASSERT_TRUE(Put(Site("b"), "1").ok());
  ASSERT_TRUE(Put(Site("a"), "2").ok());
  ASSERT_TRUE(Delete(Site("b")).ok());

  EXPECT_EQ(ContentAt(Site("a"), Version(1)), "1");
  EXPECT_EQ(ContentAt(Site("a"), Version(3)), "2");
  EXPECT_EQ(ContentAt(Site("b"), Version(3)), "1");
  EXPECT_EQ(ContentAt(Site("b")), "-");
  EXPECT_EQ(ContentAt(Site("a"), Version(5)), "VERSION_UNKNOWN");
  EXPECT_THAT(Ids({.at = Version(1)}), ElementsAre("site/a"));
  EXPECT_THAT(Ids({.at = Version(3)}), ElementsAre("site/a", "site/b"));
  EXPECT_THAT(Ids({}), ElementsAre("site/a"));
}

TEST_F(StoreTest, ListsByKindAndIdFromWhereItStopped) {
  ASSERT_TRUE(store_
                  ->Change(Header(),
                           [&](Edit& edit) -> absl::Status {
                             TANDEM_RETURN_IF_ERROR(edit.Put({EntityKind::kDevice, "a"}, "x"));
                             TANDEM_RETURN_IF_ERROR(edit.Put(Site("b"), "x"));
                             TANDEM_RETURN_IF_ERROR(edit.Put({EntityKind::kService, "z"}, "x"));
                             return edit.Put(Site("a"), "x");
                           })
                  .ok());

  EXPECT_THAT(Ids({}), ElementsAre("site/a", "site/b", "service/z", "device/a"));
  EXPECT_THAT(Ids({.limit = {.rows = 2}}), ElementsAre("site/a", "site/b"));
  EXPECT_THAT(Ids({.after = Site("b")}), ElementsAre("service/z", "device/a"));
  EXPECT_THAT(Ids({.kind = EntityKind::kService}), ElementsAre("service/z"));
  EXPECT_THAT(Ids({.kind = EntityKind::kSite, .after = Site("a")}), ElementsAre("site/b"));
  EXPECT_TRUE(store_->List(kAcme, {.limit = {.rows = 3}})->more);
  EXPECT_FALSE(store_->List(kAcme, {.limit = {.rows = 4}})->more);
}

TEST_F(StoreTest, EndsAPageEarlyWhenItsBytesAreEnough) {
  ASSERT_TRUE(Put(Site("a"), std::string(1000, 'x')).ok());
  ASSERT_TRUE(Put(Site("b"), std::string(1000, 'x')).ok());
  EXPECT_THAT(Ids({.limit = {.rows = 100, .bytes = 10}}), ElementsAre("site/a"));
  auto history = store_->History(kAcme, {.limit = {.rows = 100, .bytes = 10}});
  EXPECT_THAT(history->revisions, SizeIs(1));
  EXPECT_TRUE(history->more);
}

TEST_F(StoreTest, ChangesNothingWhenAnEditFails) {
  ASSERT_TRUE(Put(Site("a"), "1").ok());
  auto failed = store_->Change(Header(), [&](Edit& edit) -> absl::Status {
    TANDEM_RETURN_IF_ERROR(edit.Put(Site("b"), "1"));
    return InvalidField("TEST", "field", "is wrong");
  });
  EXPECT_EQ(ReasonOf(failed.status()), "TEST");
  EXPECT_EQ(ContentAt(Site("b")), "-");
  EXPECT_EQ(Put(Site("c"), "1")->version, Version(2));
}

TEST_F(StoreTest, KeepsTheHistoryOfATenantAndOfAnEntityNewestFirst) {
  ASSERT_TRUE(Put(Site("a"), "1").ok());
  ASSERT_TRUE(Put(Site("b"), "1").ok());
  ASSERT_TRUE(Delete(Site("a")).ok());

  auto all = store_->History(kAcme, {});
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_THAT(all->revisions, SizeIs(3));
  EXPECT_EQ(all->revisions[0].version, Version(3));
  EXPECT_EQ(all->revisions[0].author, (Author{"ann", Side::kCustomer}));
  EXPECT_EQ(all->revisions[0].comment, "why");
  EXPECT_EQ(all->revisions[0].time, kNoon);
  EXPECT_EQ(all->revisions[0].changes[0].content, std::nullopt);

  auto of_a = store_->History(kAcme, {.entity = Site("a")});
  ASSERT_THAT(of_a->revisions, SizeIs(2));
  EXPECT_EQ(of_a->revisions[1].changes[0].content, "1");

  auto rest = store_->History(kAcme, {.before = Version(2)});
  ASSERT_THAT(rest->revisions, SizeIs(1));
  EXPECT_FALSE(rest->more);
}

TEST_F(StoreTest, NamesHowManyEntitiesALargeRevisionChanged) {
  ASSERT_TRUE(store_
                  ->Change(Header(),
                           [&](Edit& edit) -> absl::Status {
                             for (int i = 0; i < 10; ++i) {
                               TANDEM_RETURN_IF_ERROR(edit.Put(Site("s" + std::to_string(i)), "x"));
                             }
                             return absl::OkStatus();
                           })
                  .ok());
  auto page = store_->After(kAcme, {.after = Version(0), .changes_max = 3});
  ASSERT_THAT(page->revisions, SizeIs(1));
  EXPECT_THAT(page->revisions[0].changes, SizeIs(3));
  EXPECT_EQ(page->revisions[0].change_count, 10u);
}

TEST_F(StoreTest, AnswersARepeatedRequestWithItsFirstOutcome) {
  const ChangeHeader header = Header(kNoon, "id-1");
  const Outcome first = *Put(Site("a"), "1", header);
  ASSERT_TRUE(Put(Site("a"), "2").ok());

  Outcome repeat = *Put(Site("a"), "1", header);
  EXPECT_TRUE(repeat.repeated);
  repeat.repeated = false;
  EXPECT_EQ(repeat, first);
  EXPECT_EQ(ContentAt(Site("a")), "2");

  ChangeHeader other = header;
  other.request_digest = "another";
  EXPECT_EQ(ReasonOf(Put(Site("a"), "3", other).status()), "REQUEST_ID_REUSED");
  ChangeHeader tenant = header;
  tenant.tenant = kOther;
  EXPECT_FALSE(Put(Site("a"), "1", tenant)->repeated);
}

TEST_F(StoreTest, ForgetsARequestAfterADay) {
  ASSERT_TRUE(Put(Site("a"), "1", Header(kNoon, "id-1")).ok());
  EXPECT_TRUE(Put(Site("a"), "1", Header(kNoon + absl::Hours(23), "id-1"))->repeated);
  EXPECT_FALSE(Put(Site("a"), "1", Header(kNoon + absl::Hours(25), "id-1"))->repeated);
}

TEST_F(StoreTest, RefusesARequestIdWhenTooManyAreRemembered) {
  Reopen({.requests_max = 2});
  ASSERT_TRUE(Put(Site("a"), "1", Header(kNoon, "1")).ok());
  ASSERT_TRUE(Put(Site("a"), "2", Header(kNoon, "2")).ok());
  EXPECT_EQ(ReasonOf(Put(Site("a"), "3", Header(kNoon, "3")).status()), "REQUEST_MEMORY_FULL");
  EXPECT_EQ(ContentAt(Site("a")), "2");
  EXPECT_TRUE(Put(Site("a"), "3", Header()).ok());
  EXPECT_TRUE(Put(Site("a"), "4", Header(kNoon + absl::Hours(25), "4")).ok());
}

TEST_F(StoreTest, RefusesMoreEntitiesThanTheLimitButLetsTheRestBeChanged) {
  Reopen({.entities_max = 2});
  ASSERT_TRUE(Put(Site("a"), "1").ok());
  ASSERT_TRUE(Put(Site("b"), "1").ok());
  const absl::Status full = Put(Site("c"), "1").status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(full), "ENTITY_LIMIT");
  EXPECT_TRUE(Put(Site("b"), "2").ok());
  ASSERT_TRUE(Delete(Site("a")).ok());
  EXPECT_TRUE(Put(Site("c"), "1").ok());
}

TEST_F(StoreTest, FindsEverythingAgainAfterItWasOpenedAnew) {
  ASSERT_TRUE(Put(Site("a"), "1", Header(kNoon, "id-1")).ok());
  ASSERT_TRUE(Put(Site("a"), "2").ok());
  Reopen();
  EXPECT_EQ(ContentAt(Site("a")), "2");
  EXPECT_EQ(ContentAt(Site("a"), Version(1)), "1");
  EXPECT_THAT(store_->History(kAcme, {})->revisions, SizeIs(2));
  EXPECT_TRUE(Put(Site("a"), "1", Header(kNoon, "id-1"))->repeated);
  EXPECT_EQ(Put(Site("a"), "3")->version, Version(3));
}

TEST_F(StoreTest, IsDurable) {
  auto connection = Connection::Open(folder_.File("context.db"), Connection::Mode::kReadWrite);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(*(*connection)->Ask("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(*(*connection)->Ask("PRAGMA synchronous"), "2");
}

TEST_F(StoreTest, DoesNotGoBackInTimeWithTheClock) {
  ASSERT_TRUE(Put(Site("a"), "1", Header(kNoon)).ok());
  ASSERT_TRUE(Put(Site("a"), "2", Header(kNoon - absl::Hours(1))).ok());
  EXPECT_EQ(store_->History(kAcme, {})->revisions[0].time, kNoon);
}

TEST_F(StoreTest, ForgetsReplacedVersionsButNotWhatIs) {
  ASSERT_TRUE(Put(Site("a"), "1", Header(kNoon)).ok());
  ASSERT_TRUE(Put(Site("a"), "2", Header(kNoon)).ok());
  ASSERT_TRUE(Put(Site("b"), "1", Header(kNoon)).ok());
  ASSERT_TRUE(Delete(Site("b"), Header(kNoon)).ok());
  ASSERT_TRUE(Put(Site("c"), "1", Header(kNoon + absl::Hours(2))).ok());

  ASSERT_TRUE(store_->Prune(kNoon + absl::Hours(1), kNoon).ok());
  EXPECT_EQ(store_->Range(kAcme)->oldest, Version(4));
  EXPECT_EQ(ContentAt(Site("a"), Version(3)), "VERSION_TOO_OLD");
  EXPECT_EQ(ContentAt(Site("a"), Version(4)), "2");
  EXPECT_EQ(ContentAt(Site("b"), Version(4)), "-");
  EXPECT_EQ(ContentAt(Site("a")), "2");
  EXPECT_THAT(Ids({}), ElementsAre("site/a", "site/c"));
  EXPECT_THAT(store_->History(kAcme, {})->revisions, SizeIs(1));
  EXPECT_THAT(store_->History(kAcme, {.entity = Site("a")})->revisions, IsEmpty());
}

TEST_F(StoreTest, SaysWhatToDoAboutAFileOfANewerRelease) {
  store_.reset();
  {
    auto connection = Connection::Open(folder_.File("context.db"), Connection::Mode::kReadWrite);
    ASSERT_TRUE((*connection)->Execute("PRAGMA user_version=99").ok());
  }
  auto opened = Store::Open({.path = folder_.File("context.db")});
  EXPECT_EQ(ReasonOf(opened.status()), "STORE_FORMAT_UNKNOWN");
}

TEST_F(StoreTest, SaysThatAFileIsDamaged) {
  std::ofstream(folder_.File("broken.db")) << std::string(8192, 'x');
  auto opened = Store::Open({.path = folder_.File("broken.db")});
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
}

// While it is there, no file grows: a write past a file's size fails with EFBIG, as a dying disk
// would.
class FilesDoNotGrow {
 public:
  FilesDoNotGrow() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    TANDEM_CHECK(::getrlimit(RLIMIT_FSIZE, &before_) == 0, "limits can be read");
    rlimit none = before_;
    none.rlim_cur = 0;
    TANDEM_CHECK(::setrlimit(RLIMIT_FSIZE, &none) == 0, "a soft limit can be lowered");
  }
  ~FilesDoNotGrow() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_ = {};
};

TEST_F(StoreTest, TakesNoChangesAfterAnIoErrorButGoesOnReading) {
  ASSERT_TRUE(Put(Site("a"), "1").ok());
  ASSERT_EQ(ContentAt(Site("a")), "1");
  {
    const FilesDoNotGrow limit;
    const absl::Status failed = Put(Site("a"), std::string(100'000, 'x')).status();
    EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable) << failed;
    EXPECT_EQ(ReasonOf(failed), "STORE_FAILED");
  }
  EXPECT_FALSE(store_->writable());
  EXPECT_EQ(ReasonOf(Put(Site("a"), "2").status()), "STORE_FAILED");
  EXPECT_EQ(ContentAt(Site("a")), "1");
  Reopen();
  EXPECT_TRUE(store_->writable());
  EXPECT_EQ(Put(Site("a"), "2")->version, Version(2));
}

TEST_F(StoreTest, ReadersSeeAChangeEntirelyOrNotAtAll) {
  // Every change puts the same content into two sites; a reader that found them different would
  // have seen half of one.
  const auto put_both = [&](int round) {
    return store_->Change(Header(), [&](Edit& edit) -> absl::Status {
      TANDEM_RETURN_IF_ERROR(edit.Put(Site("a"), std::to_string(round)));
      return edit.Put(Site("b"), std::to_string(round));
    });
  };
  ASSERT_TRUE(put_both(0).ok());
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int round = 1; round < 100; ++round) ASSERT_TRUE(put_both(round).ok());
    stop = true;
  });
  std::uint64_t last = 0;
  while (!stop) {
    auto page = store_->List(kAcme, {});
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_THAT(page->entities, SizeIs(2));
    EXPECT_EQ(page->entities[0].content, page->entities[1].content);
    EXPECT_GE(page->version.value, last);
    last = page->version.value;
  }
  writer.join();
}

}  // namespace
}  // namespace tandem::context
