#include "tools/agent/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"
#include "tools/agent/memory_spool.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    options_.client_id = std::string("a");
    options_.window = 2;
    options_.events.receipt = [this](const BatchReceipt& r) { told_.push_back(r.batch.number); };
    options_.events.notice = [this](const absl::Status& s) { notices_.push_back(ReasonOf(s)); };
    options_.events.dropped = [this](const DroppedAlerts& d) { dropped_.push_back(d.reason); };
  }

  void Spool(int batches) {
    for (int i = 0; i < batches; ++i) {
      v1::Alert alert;
      v1::Label* label = alert.add_labels();
      label->set_name("n");
      label->set_value(std::to_string(i));
      std::string bytes;
      AppendAlert(alert, bytes);
      ASSERT_TRUE(spool_.Append({.bytes = bytes, .alerts = 1, .time = {}}).ok());
    }
  }

  absl::Status Welcome(std::uint64_t last_durable) {
    (void)session_.Begin();
    v1::StreamAlertsResponse response;
    response.mutable_welcome()->set_last_durable_batch(last_durable);
    return session_.OnResponse(response);
  }

  static v1::StreamAlertsResponse ReceiptFor(std::uint64_t number) {
    v1::StreamAlertsResponse response;
    response.mutable_receipt()->set_batch_number(number);
    response.mutable_receipt()->set_accepted(1);
    return response;
  }
  absl::Status Receipt(std::uint64_t number) { return session_.OnResponse(ReceiptFor(number)); }

  // The numbers of the batches that the session would write now.
  std::vector<std::uint64_t> Pump() {
    std::vector<std::uint64_t> numbers;
    while (auto message = session_.NextMessage()) {
      std::vector<grpc::Slice> slices;
      EXPECT_TRUE(message->Dump(&slices).ok());
      v1::StreamAlertsRequest request;
      EXPECT_TRUE(request.ParseFromArray(slices[0].begin(), static_cast<int>(slices[0].size())));
      numbers.push_back(request.batch().number());
    }
    return numbers;
  }

  ClientOptions options_;
  MemorySpool spool_;
  Session session_{options_, spool_};
  std::vector<std::uint64_t> told_;
  std::vector<std::string> notices_;
  std::vector<std::string> dropped_;
};

TEST_F(SessionTest, SendsNothingBeforeTheWelcome) {
  Spool(1);
  (void)session_.Begin();
  EXPECT_THAT(Pump(), IsEmpty());
  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_THAT(Pump(), ElementsAre(1));
}

TEST_F(SessionTest, KeepsToItsWindow) {
  Spool(4);
  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_THAT(Pump(), ElementsAre(1, 2));
  ASSERT_TRUE(Receipt(1).ok());
  EXPECT_THAT(Pump(), ElementsAre(3));
  EXPECT_THAT(told_, ElementsAre(1));
  EXPECT_EQ(spool_.alerts(), 3u);
}

TEST_F(SessionTest, SendsAgainWhatHasNoReceiptAndIsNotDurable) {
  Spool(3);
  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_THAT(Pump(), ElementsAre(1, 2));
  session_.OnEnd(absl::UnavailableError("gone"));

  ASSERT_TRUE(Welcome(1).ok());
  EXPECT_THAT(told_, ElementsAre(1));
  EXPECT_EQ(session_.counters().confirmed_on_resume, 1u);
  EXPECT_THAT(Pump(), ElementsAre(2, 3));
}

TEST_F(SessionTest, BeginsANewSpoolAboveWhatTheRouterHolds) {
  Spool(2);
  ASSERT_TRUE(Welcome(500).ok());
  EXPECT_THAT(Pump(), ElementsAre(501, 502));
  EXPECT_THAT(notices_, IsEmpty());
}

TEST_F(SessionTest, TakesNoStrangersBatchesForItsOwn) {
  Spool(2);
  ASSERT_TRUE(Welcome(0).ok());
  session_.OnEnd(absl::UnavailableError("gone"));

  ASSERT_TRUE(Welcome(900).ok());
  EXPECT_THAT(notices_, ElementsAre("CLIENT_ID_SHARED"));
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(Pump(), ElementsAre(901, 902));
}

TEST_F(SessionTest, NoticesAStrangerInTheMiddleOfAStream) {
  Spool(2);
  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_THAT(Pump(), ElementsAre(1, 2));
  v1::StreamAlertsResponse response = ReceiptFor(1);
  response.mutable_receipt()->set_already_durable(true);
  EXPECT_EQ(ReasonOf(session_.OnResponse(response)), "CLIENT_ID_SHARED");

  ASSERT_TRUE(Welcome(2).ok());
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(Pump(), ElementsAre(3, 4));
}

TEST_F(SessionTest, RefusesAReceiptOutOfOrder) {
  Spool(2);
  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_FALSE(Receipt(1).ok());
  EXPECT_THAT(Pump(), ElementsAre(1, 2));
  EXPECT_EQ(ReasonOf(Receipt(2)), "PROTOCOL_BROKEN");
  EXPECT_EQ(spool_.alerts(), 2u);
}

TEST_F(SessionTest, FindsTheBatchThatTheRouterWillNotRead) {
  const absl::Status bad = absl::InvalidArgumentError("batch of 600 alerts");
  Spool(3);
  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_THAT(Pump(), ElementsAre(1, 2));
  session_.OnEnd(bad);

  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_THAT(Pump(), ElementsAre(1)) << "one by one, to see which it is";
  ASSERT_TRUE(Receipt(1).ok());
  EXPECT_THAT(Pump(), ElementsAre(2));
  session_.OnEnd(bad);
  EXPECT_THAT(dropped_, ElementsAre("REFUSED_WHOLE"));

  ASSERT_TRUE(Welcome(1).ok());
  EXPECT_THAT(Pump(), ElementsAre(3));
  EXPECT_THAT(session_.counters().dropped, ElementsAre(Pair("REFUSED_WHOLE", 1)));
}

TEST_F(SessionTest, ForgetsAReceiptForWhatWasGivenUpMeanwhile) {
  Spool(2);
  ASSERT_TRUE(Welcome(0).ok());
  EXPECT_THAT(Pump(), ElementsAre(1, 2));
  spool_.RemoveThrough(BatchNumber(1));
  ASSERT_TRUE(Receipt(1).ok());
  EXPECT_EQ(session_.counters().accepted, 0u);
  ASSERT_TRUE(Receipt(2).ok());
  EXPECT_EQ(session_.counters().accepted, 1u);
}

}  // namespace
}  // namespace tandem::client
