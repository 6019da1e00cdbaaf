#include "router/rpc/credential_watch.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <mutex>

#include "router/base/status.h"
#include "router/rpc/server.h"

namespace tandem::rpc {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'800'000'000);

// Answers what it was told to, and counts the questions.
class Directory final : public Authenticator {
 public:
  absl::StatusOr<Caller> Authenticate(std::string_view token, absl::Time) const override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    return answers_.at(std::string(token));
  }
  bool TenantExists(const TenantId&) const override { return true; }

  void Set(const std::string& token, absl::StatusOr<Caller> answer) {
    const std::lock_guard lock(mutex_);
    answers_.insert_or_assign(token, std::move(answer));
  }
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  mutable std::mutex mutex_;
  mutable int asked_ = 0;
  std::map<std::string, absl::StatusOr<Caller>> answers_;
};

class Stream final : public DrainableStream {
 public:
  Stream(std::string token, Caller caller)
      : call_{.method = "/tandem.v1.Incidents/AddNote",
              .caller = std::move(caller),
              .credential = {.token = std::move(token)},
              .request_id = {},
              .trace = {},
              .peer = {},
              .received = {},
              .deadline = {}} {}
  void End(absl::Status status) override { ended_.set_value(ReasonOf(status)); }
  const Call* call() const override { return &call_; }

  std::string AwaitEnd() {
    auto ended = ended_.get_future();
    return ended.wait_for(std::chrono::seconds(60)) == std::future_status::ready ? ended.get()
                                                                                 : "open";
  }

 private:
  Call call_;
  std::promise<std::string> ended_;
};

Caller Responder(std::vector<TenantId> tenants) {
  return {.principal = "ann", .role = Role::kResponder, .tenants = std::move(tenants)};
}

struct CredentialWatchTest : testing::Test {
  CredentialWatchTest() { directory.Set("t", before); }

  std::string Judged() {
    const Stream stream("t", before);
    return ReasonOf(CredentialWatch::Judge(*stream.call(), directory, kNoon));
  }

  const Caller before = Responder({TenantId("a"), TenantId("b")});
  Directory directory;
  ManualClock clock{kNoon};
  StreamRegistry registry{10};
};

TEST_F(CredentialWatchTest, LetsACallGoOnThatStillHasWhatItHad) {
  EXPECT_EQ(Judged(), "OK");
  directory.Set("t", Responder({TenantId("a"), TenantId("b"), TenantId("c")}));
  EXPECT_EQ(Judged(), "OK");
}

TEST_F(CredentialWatchTest, NamesWhatWasLost) {
  directory.Set("t", Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "not known"));
  EXPECT_EQ(Judged(), "TOKEN_REVOKED");
  directory.Set("t", Error(absl::StatusCode::kUnauthenticated, "TOKEN_EXPIRED", "expired"));
  EXPECT_EQ(Judged(), "TOKEN_EXPIRED");
  directory.Set("t", Responder({TenantId("b")}));
  EXPECT_EQ(Judged(), "TENANT_LOST");
  Caller viewer = before;
  viewer.role = Role::kViewer;
  directory.Set("t", viewer);
  EXPECT_EQ(Judged(), "ROLE_INSUFFICIENT");
}

TEST_F(CredentialWatchTest, EndsNothingWhileNobodyCanTell) {
  directory.Set("t", Error(absl::StatusCode::kUnavailable, "ROUTER_UNREACHABLE", "away"));
  EXPECT_EQ(Judged(), "OK");
}

TEST_F(CredentialWatchTest, TakesAllTenantsForEachOfThemAndNotTheOtherWayRound) {
  Caller all = before;
  all.tenants.clear();
  all.all_tenants = true;
  directory.Set("t", all);
  EXPECT_EQ(Judged(), "OK");
  const Stream stream("t", all);
  directory.Set("t", before);
  EXPECT_EQ(ReasonOf(CredentialWatch::Judge(*stream.call(), directory, kNoon)), "TENANT_LOST");
}

TEST_F(CredentialWatchTest, EndsTheStreamsOfTheLostTokenAtOnceWhenWoken) {
  directory.Set("other", before);
  const auto lost = std::make_shared<Stream>("t", before);
  const auto same = std::make_shared<Stream>("t", before);
  const auto other = std::make_shared<Stream>("other", before);
  const auto first = registry.Add(lost), second = registry.Add(same), third = registry.Add(other);
  directory.Set("t", Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "not known"));
  CredentialWatch watch({.registry = &registry,
                         .authenticator = &directory,
                         .clock = &clock,
                         .look_every = absl::Hours(1)});
  watch.Wake();

  EXPECT_EQ(lost->AwaitEnd(), "TOKEN_REVOKED");
  EXPECT_EQ(same->AwaitEnd(), "TOKEN_REVOKED");
  watch.Stop();
  EXPECT_EQ(directory.asked(), 2);  // once a token
  other->End(absl::OkStatus());
  EXPECT_EQ(other->AwaitEnd(), "OK");  // nobody had ended it before
}

TEST_F(CredentialWatchTest, LooksByItselfToo) {
  const auto stream = std::make_shared<Stream>("t", before);
  const auto registration = registry.Add(stream);
  directory.Set("t", Error(absl::StatusCode::kUnauthenticated, "TOKEN_EXPIRED", "expired"));
  const CredentialWatch watch({.registry = &registry,
                               .authenticator = &directory,
                               .clock = &clock,
                               .look_every = absl::Milliseconds(5)});

  EXPECT_EQ(stream->AwaitEnd(), "TOKEN_EXPIRED");
}

}  // namespace
}  // namespace tandem::rpc
