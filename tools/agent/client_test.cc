// The client against a router that loses connections, refuses, and comes back.
#include "tools/agent/client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <random>
#include <set>
#include <tuple>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "router/base/status.h"
#include "tests/support/temporary_folder.h"
#include "tools/agent/fake_router.h"
#include "tools/agent/random.h"
#include "tools/agent/refusal.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr absl::Duration kLong = absl::Seconds(30);

v1::Alert MakeAlert(int n) {
  v1::Alert alert;
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>("alertname", "Down"), {"n", std::to_string(n)}}) {
    v1::Label* label = alert.add_labels();
    label->set_name(name);
    label->set_value(value);
  }
  return alert;
}

std::vector<v1::Alert> MakeAlerts(int first, int count) {
  std::vector<v1::Alert> alerts;
  alerts.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) alerts.push_back(MakeAlert(first + i));
  return alerts;
}

// Strings that the client's thread tells and the test waits for.
class Told {
 public:
  void Say(const std::string& what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(what);
    changed_.notify_all();
  }
  bool Await(const std::string& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      return std::find(all_.begin(), all_.end(), what) != all_.end();
    });
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    options_.connection.address = router_.address();
    options_.client_id = "a";
    options_.linger = absl::Milliseconds(1);
    options_.backoff = {.first = absl::Milliseconds(1), .max = absl::Milliseconds(20)};
    options_.events.disconnected = [this](const LostStream& lost) {
      told_.Say(fmt::format("disconnected {}", ReasonOf(lost.why)));
    };
    options_.events.dropped = [this](const DroppedAlerts& dropped) {
      told_.Say(fmt::format("dropped {} {}", dropped.reason, dropped.alerts));
    };
  }

  std::unique_ptr<AlertClient> Start() {
    auto client = AlertClient::Start(options_);
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }

  // Every alert exactly once.
  void ExpectAll(int count) {
    std::vector<std::string> expected;
    expected.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) expected.push_back(AlertKey(MakeAlert(i)));
    EXPECT_THAT(router_.keys("a"), ::testing::UnorderedElementsAreArray(expected));
  }

  FakeRouter router_;
  tandem::testing::TemporaryFolder folder_;
  Told told_;
  ClientOptions options_;
};

TEST_F(ClientTest, DeliversInOrderAndSaysWhoItIs) {
  options_.tenant = "acme";
  options_.connection.token = "secret";
  options_.batch_alerts = 3;
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 10)).ok());
  ASSERT_TRUE(client->Stop(kLong).ok());

  ExpectAll(10);
  const auto batches = router_.taken("a");
  ASSERT_EQ(batches.size(), 4u);
  EXPECT_EQ(batches[0].alerts_size(), 3);
  EXPECT_EQ(batches[3].alerts_size(), 1);
  EXPECT_EQ(batches[3].number(), 4u);
  EXPECT_TRUE(batches[0].alerts(0).has_starts_at());
  EXPECT_EQ(router_.last_hello().parent(), "tenants/acme");
  EXPECT_EQ(router_.last_token(), "Bearer secret");
  const ClientStats stats = client->stats();
  EXPECT_EQ(stats.sent, 10u);
  EXPECT_EQ(stats.accepted, 10u);
  EXPECT_EQ(stats.receipts, 4u);
  EXPECT_EQ(stats.waiting_alerts, 0u);
}

TEST_F(ClientTest, TakesNothingAfterStop) {
  auto client = Start();
  ASSERT_TRUE(client->Stop(kLong).ok());
  EXPECT_EQ(ReasonOf(client->Send(MakeAlert(0))), "STOPPED");
}

TEST_F(ClientTest, SpoolsWhileTheRouterIsAway) {
  router_.Stop();
  options_.spool.directory = folder_.File("spool");
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 200)).ok());
  const absl::Status stopped = client->Stop(absl::ZeroDuration());
  EXPECT_TRUE(absl::IsDeadlineExceeded(stopped));
  EXPECT_THAT(MessageOf(stopped), HasSubstr("without a receipt yet: 200; the spool keeps them"));
  client.reset();

  router_.Start();
  client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(200, 5)).ok());
  ASSERT_TRUE(client->Flush(kLong).ok());
  ExpectAll(205);
}

TEST_F(ClientTest, NeitherLosesNorDoublesWhenConnectionsBreakAtRandom) {
  const char* given = std::getenv("TANDEM_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE(fmt::format("TANDEM_SEED={}", seed));
  fmt::print("seed {}\n", seed);
  // Guarded by the router's mutex, under which a judge is called.
  auto dice = std::make_shared<Dice>(seed);
  router_.SetJudge([dice](const v1::AlertBatch&) {
    FakeRouter::Verdict verdict;
    const std::uint64_t roll = dice->Below(10);
    verdict.take = roll != 0;
    if (roll < 2) verdict.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "as told");
    verdict.cut = roll == 2;
    return verdict;
  });
  options_.spool.directory = folder_.File("spool");
  options_.batch_alerts = 7;
  options_.seed = seed + 1;
  Dice life(seed + 2);
  int sent = 0;
  for (int round = 0; round < 6; ++round) {
    auto client = Start();
    for (int i = 0; i < 20; ++i) {
      const int count = 1 + static_cast<int>(life.Below(12));
      ASSERT_TRUE(client->Send(MakeAlerts(sent, count)).ok());
      sent += count;
      if (life.Below(25) == 0) {
        router_.Stop();
        router_.Start();
      }
    }
    if (round == 5) {
      ASSERT_TRUE(client->Flush(kLong).ok());
    }
  }
  ExpectAll(sent);
}

TEST_F(ClientTest, TellsWhichAlertsWereRefusedAndWhy) {
  router_.SetJudge([](const v1::AlertBatch&) {
    FakeRouter::Verdict verdict;
    v1::Refusal refusal;
    refusal.set_index(1);
    refusal.set_reason("LABEL_NAME_INVALID");
    refusal.set_field("labels[0].name");
    verdict.refusals.push_back(refusal);
    return verdict;
  });
  options_.events.refused = [this](const RefusedAlert& refused) {
    told_.Say(fmt::format("{} {} {}", AlertKey(refused.alert), refused.reason, refused.field));
  };
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 3)).ok());
  ASSERT_TRUE(client->Stop(kLong).ok());

  EXPECT_THAT(told_.all(),
              ElementsAre(R"({alertname="Down",n="1"} LABEL_NAME_INVALID labels[0].name)"));
  EXPECT_EQ(client->stats().accepted, 2u);
  EXPECT_THAT(client->stats().refused, ElementsAre(Pair("LABEL_NAME_INVALID", 1)));
}

// RESOURCE_EXHAUSTED with RetryInfo, as the router sends it.
grpc::Status Overloaded(absl::Duration retry) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(retry)));
  google::rpc::Status rich;
  rich.set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
  rich.add_details()->PackFrom(info);
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "queue full", rich.SerializeAsString());
}

TEST_F(ClientTest, WaitsAsLongAsAnOverloadedRouterAsks) {
  auto refusals = std::make_shared<int>(2);
  router_.SetJudge([refusals](const v1::AlertBatch&) {
    FakeRouter::Verdict verdict;
    if ((*refusals)-- > 0) {
      verdict.take = false;
      verdict.status = Overloaded(absl::Milliseconds(50));
    }
    return verdict;
  });
  std::vector<absl::Duration> waits;
  options_.events.disconnected = [&](const LostStream& lost) {
    EXPECT_EQ(lost.why.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_FALSE(lost.turned_away);
    waits.push_back(lost.retry_in);
  };
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 3)).ok());
  ASSERT_TRUE(client->Stop(kLong).ok());

  ExpectAll(3);
  ASSERT_EQ(waits.size(), 2u);
  for (const absl::Duration wait : waits) EXPECT_GE(wait, absl::Milliseconds(50));
}

TEST_F(ClientTest, WaitsForNoReceiptOfARouterThatTurnedItAway) {
  router_.SetGreeting(grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not you"));
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 3)).ok());
  EXPECT_EQ(ReasonOf(client->Stop(absl::InfiniteDuration())), "NOT_FLUSHED");
}

TEST_F(ClientTest, GoesOnWhenAPersonHasMendedWhyItWasTurnedAway) {
  router_.SetGreeting(grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "unknown token"));
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 3)).ok());
  ASSERT_TRUE(told_.Await("disconnected UNAUTHENTICATED"));
  router_.SetGreeting(grpc::Status::OK);
  ASSERT_TRUE(client->Flush(kLong).ok());
  ASSERT_TRUE(client->Stop(kLong).ok());
  ExpectAll(3);
}

TEST(IsFinalRefusal, TellsWhatPassesByItselfFromWhatAPersonMustMend) {
  const EndedStream first;
  const EndedStream later{.welcomed = true, .welcomed_before = true};
  const EndedStream rotated{.welcomed_before = true, .token_from_file = true};
  for (const auto& [status, at_first, after_a_welcome, while_a_token_is_rotated] :
       std::vector<std::tuple<absl::Status, bool, bool, bool>>{
           {absl::OkStatus(), false, false, false},
           {absl::UnavailableError("away"), false, false, false},
           {absl::ResourceExhaustedError("full"), false, false, false},
           {absl::PermissionDeniedError("no"), true, false, true},
           {absl::UnauthenticatedError("who?"), true, false, false},
           {absl::NotFoundError("tenant"), true, false, false},
           {absl::InvalidArgumentError("client_id"), true, false, false},
           {absl::UnimplementedError("no router"), true, false, false}}) {
    EXPECT_EQ(IsFinalRefusal(status, first), at_first) << status;
    EXPECT_EQ(IsFinalRefusal(status, later), after_a_welcome) << status;
    EXPECT_EQ(IsFinalRefusal(status, rotated), while_a_token_is_rotated) << status;
  }
  const EndedStream patient{.tenant_may_come = true};
  const absl::Status missing = Error(absl::StatusCode::kNotFound, "TENANT_NOT_FOUND", "no acme");
  EXPECT_TRUE(IsFinalRefusal(missing, first));
  EXPECT_FALSE(IsFinalRefusal(missing, patient));
  EXPECT_TRUE(IsFinalRefusal(absl::NotFoundError("the token's file"), patient));
  EXPECT_TRUE(IsFinalRefusal(absl::UnauthenticatedError("who?"), patient));
}

TEST_F(ClientTest, RefusesWhatAFullSpoolCannotHold) {
  router_.Stop();
  options_.spool.max_bytes = 400;
  options_.batch_alerts = 1;
  auto client = Start();
  int taken = 0;
  absl::Status status;
  while ((status = client->Send(MakeAlert(taken))).ok()) ++taken;
  EXPECT_EQ(ReasonOf(status), "SPOOL_FULL");
  EXPECT_TRUE(RetryOf(status).has_value());
  EXPECT_LE(client->stats().waiting_bytes, 400u);
  EXPECT_EQ(ReasonOf(client->Send(MakeAlerts(0, 50))), "ALERT_TOO_LARGE");

  router_.Start();
  ASSERT_TRUE(client->Flush(kLong).ok());
  ExpectAll(taken);
  EXPECT_TRUE(client->Send(MakeAlert(taken)).ok());
}

TEST_F(ClientTest, GivesUpTheOldestWhenItIsToldTo) {
  router_.Stop();
  options_.spool.max_bytes = 400;
  options_.spool.overflow = Overflow::kDropOldest;
  options_.batch_alerts = 1;
  auto client = Start();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(client->Send(MakeAlert(i)).ok());
  EXPECT_TRUE(told_.Await("dropped SPOOL_FULL 1"));
  router_.Start();
  ASSERT_TRUE(client->Stop(kLong).ok());

  const ClientStats stats = client->stats();
  EXPECT_EQ(stats.accepted + stats.dropped.at("SPOOL_FULL"), 50u);
  EXPECT_EQ(router_.keys("a").back(), AlertKey(MakeAlert(49)));
}

TEST_F(ClientTest, BlocksUntilThereIsRoomWhenItIsToldTo) {
  options_.spool.max_bytes = 400;
  options_.spool.overflow = Overflow::kBlock;
  options_.spool.durable = false;
  options_.batch_alerts = 1;
  auto client = Start();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client->Send(MakeAlert(i)).ok());
  ASSERT_TRUE(client->Stop(kLong).ok());
  ExpectAll(100);
}

TEST_F(ClientTest, GivesUpWhatIsTooOldToMatter) {
  router_.Stop();
  ManualClock clock(absl::FromUnixSeconds(1'760'000'000));
  options_.clock = &clock;
  options_.spool.max_age = absl::Hours(1);
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 2)).ok());
  clock.Advance(absl::Hours(2));
  ASSERT_TRUE(client->Send(MakeAlert(2)).ok());
  EXPECT_TRUE(told_.Await("dropped TOO_OLD 2"));
  router_.Start();
  ASSERT_TRUE(client->Stop(kLong).ok());
  EXPECT_THAT(router_.keys("a"), ElementsAre(AlertKey(MakeAlert(2))));
}

TEST_F(ClientTest, RepeatsAFiringAlertUntilItIsResolved) {
  options_.resend_interval = absl::Milliseconds(20);
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlert(0)).ok());
  ASSERT_TRUE(router_.AwaitAlerts("a", 4));
  v1::Alert over = MakeAlert(0);
  over.mutable_ends_at()->set_seconds(1'760'000'000);
  ASSERT_TRUE(client->Send(over).ok());
  EXPECT_EQ(client->stats().active, 0u);
  ASSERT_TRUE(client->Stop(kLong).ok());

  const auto batches = router_.taken("a");
  EXPECT_EQ(client->stats().resent + 2, router_.keys("a").size());
  EXPECT_TRUE(batches.back().alerts(batches.back().alerts_size() - 1).has_ends_at())
      << "nothing fires again behind its own end";
}

TEST_F(ClientTest, RepeatsFiringAlertsWhileItIsNeverIdle) {
  options_.resend_interval = absl::Milliseconds(20);
  router_.WithholdReceipts(1);
  auto client = Start();
  // Each receipt comes with the next batch only, and there is no next one but of repeats.
  ASSERT_TRUE(client->Send(MakeAlert(0)).ok());
  ASSERT_TRUE(client->Send(MakeAlert(1)).ok());
  ASSERT_TRUE(router_.AwaitAlerts("a", 20));
  EXPECT_GT(client->stats().waiting_alerts, 0u);
  EXPECT_EQ(client->stats().dropped.size(), 0u);
  const std::vector<std::string> keys = router_.keys("a");
  for (const v1::Alert& alert : MakeAlerts(0, 2)) {
    EXPECT_GT(std::count(keys.begin(), keys.end(), AlertKey(alert)), 4) << AlertKey(alert);
  }
}

TEST_F(ClientTest, RepeatsTakeAtMostHalfOfTheWindowAndLetNewAlertsPass) {
  options_.resend_interval = absl::Microseconds(1);
  options_.window = 8;
  options_.batch_alerts = 2;
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlerts(0, 20)).ok());
  ASSERT_TRUE(client->Flush(kLong).ok());
  router_.WithholdReceipts(1000);
  const std::size_t before = router_.keys("a").size();
  ASSERT_TRUE(client->Send(MakeAlert(77)).ok());
  const auto arrived = [&] {
    const std::vector<std::string> keys = router_.keys("a");
    return std::count(keys.begin(), keys.end(), AlertKey(MakeAlert(77))) > 0;
  };
  for (std::size_t n = before + 1; !arrived(); ++n) {
    ASSERT_TRUE(router_.AwaitAlerts("a", n));
  }
  EXPECT_LE(client->stats().waiting_alerts, 4u * 2 + 1) << "four lots of two, and the new one";
}

TEST_F(ClientTest, RepeatsAfterAThirdOfTheResolveTimeoutThatTheRouterTells) {
  router_.SetResolveTimeout(std::chrono::milliseconds(60));
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlert(0)).ok());
  EXPECT_TRUE(router_.AwaitAlerts("a", 4));
  EXPECT_EQ(client->stats().active, 1u);
}

TEST_F(ClientTest, RepeatsNothingWhenToldSo) {
  router_.SetResolveTimeout(std::chrono::milliseconds(3));
  options_.resend_interval = absl::ZeroDuration();
  auto client = Start();
  ASSERT_TRUE(client->Send(MakeAlert(0)).ok());
  EXPECT_EQ(client->stats().active, 0u) << "nothing is kept for it";
  ASSERT_TRUE(client->Stop(kLong).ok());
  EXPECT_EQ(client->stats().resent, 0u);
}

TEST_F(ClientTest, ReportsWhyItCannotConnect) {
  router_.Stop();
  auto client = Start();
  EXPECT_TRUE(told_.Await("disconnected UNAVAILABLE"));
  EXPECT_TRUE(absl::IsUnavailable(client->stats().last_error));
}

TEST_F(ClientTest, RefusesOptionsThatCannotWork) {
  options_.client_id = "no spaces";
  EXPECT_THAT(MessageOf(AlertClient::Start(options_).status()), HasSubstr("client_id"));
  options_.client_id = "a";
  options_.batch_alerts = 513;
  EXPECT_THAT(MessageOf(AlertClient::Start(options_).status()), HasSubstr("batch_alerts"));
  options_.batch_alerts = 64;
  options_.resend_interval = absl::Seconds(-1);
  EXPECT_THAT(MessageOf(AlertClient::Start(options_).status()), HasSubstr("resend_interval"));
}

}  // namespace
}  // namespace tandem::client
