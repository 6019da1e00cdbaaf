// The whole notifier against a router and receivers in this process, over real sockets.
#include "services/notifier/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>

#include "router/base/status.h"
#include "services/notifier/fake_router.h"
#include "tests/support/webhook_receiver.h"

namespace tandem::notifier {
namespace {

using tandem::testing::ReceivedWebhook;
using tandem::testing::ReceiverManners;
using tandem::testing::ReceiverOptions;
using tandem::testing::WebhookReceiver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

class WaitingObserver final : public NotifierObserver {
 public:
  void OnDeliveryEnded(std::string_view, DeliveryFate fate) override {
    std::lock_guard lock(mutex_);
    fates_.push_back(fate);
    changed_.notify_all();
  }
  bool WaitForFate(DeliveryFate fate) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::find(fates_.begin(), fates_.end(), fate) != fates_.end();
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<DeliveryFate> fates_;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerOptions Options() {
    WorkerOptions options;
    options.link.channel = router_.Channel();
    options.dispatch.retry.first = absl::Milliseconds(20);
    options.dispatch.retry.shortest = absl::Milliseconds(1);
    options.http.policy = {.allow_private_addresses = true, .allow_http = true};
    options.secrets["acme/hook"] = {*SigningSecret::Parse(kSecret)};
    options.observer = &observer_;
    return options;
  }
  static std::unique_ptr<WebhookReceiver> Receiver(
      const ReceiverManners& manners = {},
      std::function<void(const ReceivedWebhook&)> on_request = nullptr) {
    ReceiverOptions options;
    options.secrets = {*SigningSecret::Parse(kSecret)};
    options.manners = manners;
    options.on_request = std::move(on_request);
    return *WebhookReceiver::Start(std::move(options));
  }
  static v1::Delivery Delivery(const std::string& id, const std::string& url) {
    v1::Delivery delivery;
    delivery.set_tenant("acme");
    delivery.set_delivery_id(id);
    delivery.set_channel("webhook");
    delivery.set_address(url);
    delivery.set_secret_name("hook");
    delivery.set_event_type("incident.opened");
    delivery.mutable_incident()->set_name("tenants/acme/incidents/" + id);  // each its own
    delivery.mutable_incident()->set_title("MES is down");
    return delivery;
  }
  static void ExpectOneMessage(const std::vector<ReceivedWebhook>& received,
                               const std::string& id) {
    for (const ReceivedWebhook& webhook : received) {
      EXPECT_EQ(webhook.webhook_id, id);
      EXPECT_EQ(webhook.idempotency_key, id);
      EXPECT_EQ(webhook.body, received.front().body);
      EXPECT_TRUE(webhook.signature_valid) << webhook.signature_problem;
    }
  }

  WaitingObserver observer_;
  FakeRouter router_;
};

TEST_F(WorkerTest, RetriesWithTheSameIdAndBytesUntilTheReceiverHasIt) {
  const auto receiver = Receiver({.fail_first = 2});
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));
  const auto worker = DeliveryWorker::Start(Options());
  ASSERT_TRUE(worker.ok()) << worker.status();

  ASSERT_TRUE(router_.WaitUntilNothingIsOpen());
  EXPECT_THAT(router_.Story(),
              ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 FAILED 1", "dlv-1 ATTEMPTING 2",
                          "dlv-1 FAILED 2", "dlv-1 ATTEMPTING 3", "dlv-1 SUCCEEDED 3"));
  EXPECT_EQ(router_.reports()[1].detail(), "HTTP 503");
  ASSERT_EQ(receiver->received().size(), 3u);
  ExpectOneMessage(receiver->received(), "dlv-1");
}

TEST_F(WorkerTest, ASecretThatIsGivenLateLetsTheDeliveryGoOut) {
  const auto receiver = Receiver();
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));
  WorkerOptions options = Options();
  options.secrets.clear();
  // So long that only the new secret can be what hastens it.
  options.dispatch.retry.first = options.dispatch.retry.shortest = absl::Minutes(1);
  const auto worker = DeliveryWorker::Start(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE(router_.WaitUntil([](const FakeRouter::Reports& reports) {
    return !reports.empty() && reports.back().outcome() == v1::ReportDeliveryRequest::FAILED;
  }));
  EXPECT_THAT(router_.reports().back().detail(),
              ::testing::HasSubstr("add acme/hook to notifier.secrets"));
  EXPECT_TRUE(receiver->received().empty());

  (*worker)->SetSecrets({{"acme/hook", {*SigningSecret::Parse(kSecret)}}});
  ASSERT_TRUE(router_.WaitUntilNothingIsOpen());
  ASSERT_EQ(receiver->received().size(), 1u);
  ExpectOneMessage(receiver->received(), "dlv-1");
}

TEST_F(WorkerTest, AReceiverThatClosesBeforeReplyingGetsItAgain) {
  const auto receiver = Receiver({.close_before_reply_first = 2});
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));
  const auto worker = DeliveryWorker::Start(Options());

  ASSERT_TRUE(router_.WaitUntilNothingIsOpen());
  ASSERT_EQ(receiver->received().size(), 3u);
  ExpectOneMessage(receiver->received(), "dlv-1");
  EXPECT_EQ(router_.reports().back().outcome(), v1::ReportDeliveryRequest::SUCCEEDED);
}

TEST_F(WorkerTest, TheAttemptIsRecordedBeforeTheReceiverSeesIt) {
  std::promise<std::vector<std::string>> seen;
  const auto receiver =
      Receiver({}, [&](const ReceivedWebhook&) { seen.set_value(router_.Story()); });
  const auto worker = DeliveryWorker::Start(Options());
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));

  EXPECT_THAT(seen.get_future().get(), ElementsAre("dlv-1 ATTEMPTING 1"));
}

TEST_F(WorkerTest, AHangingEndpointDoesNotDelayAnother) {
  const auto hanging = Receiver({.hang = true});
  const auto good = Receiver();
  for (int i = 0; i < 50; ++i) {
    router_.Add(Delivery("dlv-1" + std::to_string(i), hanging->Url("/hook")));
  }
  for (int i = 0; i < 50; ++i) {
    router_.Add(Delivery("dlv-2" + std::to_string(i), good->Url("/hook")));
  }
  WorkerOptions options = Options();
  options.stop_timeout = absl::ZeroDuration();
  auto worker = DeliveryWorker::Start(std::move(options));

  EXPECT_TRUE(good->WaitUntil([](const auto& received) { return received.size() == 50; },
                              absl::Seconds(9)))  // below one time-out of the hanging one
      << good->received().size();
  EXPECT_LE(hanging->received().size(), 4u) << "the limit for one endpoint";
  (*worker)->Stop();
}

TEST_F(WorkerTest, AsksTheRouterAgainForWhatItDidNotHold) {
  const auto receiver = Receiver();
  for (int i = 0; i < 50; ++i) {
    router_.Add(Delivery("dlv-" + std::to_string(i), receiver->Url("/hook")));
  }
  WorkerOptions options = Options();
  options.dispatch.hold.per_endpoint_max = 5;
  options.dispatch.refill_pause = absl::Milliseconds(1);
  const auto worker = DeliveryWorker::Start(std::move(options));

  ASSERT_TRUE(router_.WaitUntilNothingIsOpen());
  std::set<std::string> keys;
  for (const ReceivedWebhook& webhook : receiver->received()) keys.insert(webhook.idempotency_key);
  EXPECT_EQ(keys.size(), 50u);
  EXPECT_EQ(receiver->received().size(), 50u) << "each exactly once";
}

TEST_F(WorkerTest, AnEndedDeliveryIsNotTriedAgain) {
  const auto receiver = Receiver({.fail_first = 1});
  WorkerOptions options = Options();
  options.dispatch.retry.shortest = absl::Minutes(1);  // so that the end comes first
  options.dispatch.retry.longest = absl::Minutes(1);
  const auto worker = DeliveryWorker::Start(std::move(options));
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));
  ASSERT_TRUE(router_.WaitUntil([](const auto& reports) { return reports.size() == 2; }));
  router_.End("dlv-1");

  EXPECT_TRUE(observer_.WaitForFate(DeliveryFate::kWithdrawn));
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 FAILED 1"));
}

TEST_F(WorkerTest, AWorkerThatRestartsSendsWhatIsOpenAgainWithTheSameId) {
  const auto receiver = Receiver({.hang = true});
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));
  WorkerOptions options = Options();
  options.stop_timeout = absl::ZeroDuration();
  auto first = DeliveryWorker::Start(std::move(options));
  ASSERT_TRUE(receiver->WaitUntil([](const auto& received) { return received.size() == 1; }));
  (*first)->Stop();
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 1"));

  receiver->SetManners({});
  const auto second = DeliveryWorker::Start(Options());
  ASSERT_TRUE(router_.WaitUntilNothingIsOpen());
  EXPECT_THAT(router_.Story(),
              ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 ATTEMPTING 2", "dlv-1 SUCCEEDED 2"));
  ASSERT_EQ(receiver->received().size(), 2u);
  ExpectOneMessage(receiver->received(), "dlv-1");
}

TEST_F(WorkerTest, ARouterThatRestartsDuringACallGetsTheResultAndCausesNoSecondCall) {
  std::promise<void> arrived;
  std::promise<void> go_on;
  const auto receiver = Receiver({}, [&, go = go_on.get_future().share()](const ReceivedWebhook&) {
    arrived.set_value();
    go.wait();
  });
  const auto worker = DeliveryWorker::Start(Options());
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));
  arrived.get_future().wait();
  router_.Stop();
  go_on.set_value();
  router_.Start();

  ASSERT_TRUE(router_.WaitUntilNothingIsOpen());
  EXPECT_EQ(router_.reports().back().outcome(), v1::ReportDeliveryRequest::SUCCEEDED);
  EXPECT_EQ(router_.reports().back().attempt(), 1u);
  EXPECT_EQ(receiver->received().size(), 1u);
}

TEST_F(WorkerTest, AWorkerMayStartBeforeItsRouter) {
  const auto receiver = Receiver();
  router_.Stop();
  const auto worker = DeliveryWorker::Start(Options());
  router_.Start();
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));

  EXPECT_TRUE(router_.WaitUntilNothingIsOpen());
}

TEST_F(WorkerTest, ARefusedAddressIsGivenUpAndNeverConnectedTo) {
  const auto canary = Receiver();
  WorkerOptions options = Options();
  options.http.policy = {.allow_http = true, .allowed_ports = {canary->port()}};
  const auto worker = DeliveryWorker::Start(std::move(options));
  router_.Add(Delivery("dlv-1", canary->Url("/hook")));

  ASSERT_TRUE(router_.WaitUntilNothingIsOpen());
  EXPECT_EQ(router_.reports().back().outcome(), v1::ReportDeliveryRequest::GIVEN_UP);
  EXPECT_THAT(router_.reports().back().detail(), HasSubstr("private address"));
  EXPECT_EQ(canary->connections(), 0u);
}

TEST_F(WorkerTest, SpeaksThroughAnInProcessChannelAndShowsItsToken) {
  const auto receiver = Receiver();
  WorkerOptions options = Options();
  options.link.channel = router_.InProcessChannel();
  options.link.token = "tdm_x";
  const auto worker = DeliveryWorker::Start(std::move(options));
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));

  EXPECT_TRUE(router_.WaitUntilNothingIsOpen());
  EXPECT_EQ(router_.authorization(), "Bearer tdm_x");
  (*worker)->Stop();
}

TEST_F(WorkerTest, StoppingWaitsForTheAnswerAndItsReport) {
  std::promise<void> arrived;
  std::promise<void> go_on;
  const auto receiver = Receiver({}, [&, go = go_on.get_future().share()](const ReceivedWebhook&) {
    arrived.set_value();
    go.wait();
  });
  const auto worker = DeliveryWorker::Start(Options());
  router_.Add(Delivery("dlv-1", receiver->Url("/hook")));
  arrived.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { (*worker)->Stop(); });
  go_on.set_value();
  stopped.wait();

  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 SUCCEEDED 1"));
}

TEST(DeliveryWorker, SaysWhichOptionIsWrong) {
  EXPECT_EQ(ReasonOf(DeliveryWorker::Start({}).status()), "CHANNEL_MISSING");
}

}  // namespace
}  // namespace tandem::notifier
