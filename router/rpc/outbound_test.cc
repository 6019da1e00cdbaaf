#include "router/rpc/outbound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tandem::rpc {
namespace {

using ::testing::ElementsAre;

struct Text {
  std::string text;
  std::size_t ByteSizeLong() const { return text.size(); }
};

// Writes down what it is told, as gRPC would do it.
struct FakeReactor {
  std::vector<std::string> log;
  void StartWrite(const Text* message, grpc::WriteOptions options) {
    log.push_back("write " + message->text + (options.get_buffer_hint() ? ", more" : ""));
  }
  void Finish(grpc::Status status) { log.push_back("finish " + status.error_message()); }
};

const grpc::Status kBye(grpc::StatusCode::UNAVAILABLE, "bye");

struct OutboundTest : testing::Test {
  FakeReactor reactor;
  Outbound<Text, FakeReactor> outbound{&reactor, {.messages_max = 2, .bytes_max = 10}};
};

TEST_F(OutboundTest, HasOneWriteInFlightAndKeepsTheOrder) {
  EXPECT_EQ(outbound.Push({"a"}), Offer::kTaken);
  EXPECT_EQ(outbound.Push({"b"}), Offer::kTaken);
  EXPECT_EQ(outbound.Push({"c"}), Offer::kTaken);
  EXPECT_THAT(reactor.log, ElementsAre("write a"));
  EXPECT_EQ(outbound.queued(), 2u);

  outbound.OnWriteDone(true);
  outbound.OnWriteDone(true);
  outbound.OnWriteDone(true);
  outbound.Push({"d"});

  EXPECT_THAT(reactor.log, ElementsAre("write a", "write b, more", "write c", "write d"));
}

TEST_F(OutboundTest, ReportsAnOverflowByCountAndQueuesNothing) {
  for (const char* text : {"a", "b", "c"}) EXPECT_EQ(outbound.Push({text}), Offer::kTaken);

  EXPECT_EQ(outbound.Push({"d"}), Offer::kOverflow);
  EXPECT_EQ(outbound.queued(), 2u);
  outbound.OnWriteDone(true);
  EXPECT_EQ(outbound.Push({"e"}), Offer::kTaken);
}

TEST_F(OutboundTest, ReportsAnOverflowByBytesButSendsALargeMessageAlone) {
  EXPECT_EQ(outbound.Push({"much larger than ten"}), Offer::kTaken);
  EXPECT_EQ(outbound.Push({"123456789"}), Offer::kTaken);
  EXPECT_EQ(outbound.Push({"12"}), Offer::kOverflow);
  EXPECT_EQ(outbound.Push({"1"}), Offer::kTaken);
}

TEST_F(OutboundTest, SendsTogetherWhatIsPushedWhileItIsHeld) {
  outbound.Hold();
  EXPECT_EQ(outbound.Push({"much larger than ten"}), Offer::kTaken);
  EXPECT_EQ(outbound.Push({"b"}), Offer::kOverflow);
  EXPECT_THAT(reactor.log, ElementsAre());
  outbound.Release();
  EXPECT_EQ(outbound.Push({"b"}), Offer::kTaken);
  outbound.OnWriteDone(true);
  outbound.OnWriteDone(true);

  outbound.Hold();
  outbound.Push({"c"});
  outbound.Push({"d"});
  outbound.Release();
  outbound.OnWriteDone(true);
  outbound.OnWriteDone(true);

  EXPECT_THAT(reactor.log,
              ElementsAre("write much larger than ten", "write b", "write c, more", "write d"));
}

TEST_F(OutboundTest, EndsAfterTheReleaseWhenItIsHeld) {
  outbound.Hold();
  outbound.Push({"a"});
  outbound.EndAfterQueue(kBye);
  EXPECT_THAT(reactor.log, ElementsAre());
  outbound.Release();
  EXPECT_THAT(reactor.log, ElementsAre("write a"));
  outbound.OnWriteDone(true);

  EXPECT_THAT(reactor.log, ElementsAre("write a", "finish bye"));
}

TEST_F(OutboundTest, AnImmediateEndWhileHeldDropsWhatIsQueuedAndFinishesOnce) {
  outbound.Hold();
  outbound.Push({"a"});
  outbound.EndAfterQueue(kBye);
  outbound.End({grpc::StatusCode::CANCELLED, "too late"});
  outbound.Release();
  outbound.Hold();
  outbound.Release();

  EXPECT_THAT(reactor.log, ElementsAre("finish bye"));
}

TEST(OutboundOrder, IsThatOfThePushesWhoeverIsDoneWithAWriteMeanwhile) {
  // Hands each write to the thread that is done with it, as gRPC does.
  struct Reactor {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> writes;
    void StartWrite(const Text* message, grpc::WriteOptions) {
      const std::lock_guard lock(mutex);
      writes.push_back(message->text);
      changed.notify_one();
    }
    void Finish(grpc::Status) {}
  };
  constexpr int kCount = 20'000;
  Reactor reactor;
  Outbound<Text, Reactor> outbound(&reactor, {.messages_max = kCount, .bytes_max = 1 << 24});
  std::vector<std::string> written;
  std::thread done([&] {
    while (written.size() < kCount) {
      {
        std::unique_lock lock(reactor.mutex);
        reactor.changed.wait(lock, [&] { return !reactor.writes.empty(); });
        written.push_back(reactor.writes.front());
        reactor.writes.pop_front();
      }
      outbound.OnWriteDone(true);
    }
  });
  std::vector<std::string> pushed;
  for (int i = 0; i < kCount; ++i) {
    pushed.push_back(std::to_string(i));
    if (i % 7 == 0) outbound.Hold();
    outbound.Push({pushed.back()});
    if (i % 7 == 3) outbound.Release();
  }
  outbound.Release();
  done.join();
  EXPECT_EQ(written, pushed);
}

TEST_F(OutboundTest, TellsOnceThatHalfOfTheRoomIsThereAgain) {
  Outbound<Text, FakeReactor> paced(
      &reactor, {.messages_max = 9, .bytes_max = 100, .messages_low = 4, .bytes_low = 40});
  EXPECT_TRUE(paced.HasRoom());
  for (int i = 0; i < 5; ++i) paced.Push({"a"});  // one in flight, four wait
  EXPECT_FALSE(paced.HasRoom());
  paced.OnWriteDone(true);
  paced.OnWriteDone(true);
  EXPECT_FALSE(paced.MadeRoom()) << "two wait: only half of it has gone";
  paced.OnWriteDone(true);
  EXPECT_TRUE(paced.MadeRoom());
  EXPECT_FALSE(paced.MadeRoom());

  paced.Push({std::string(45, 'b')});
  EXPECT_FALSE(paced.HasRoom()) << "by bytes";
  paced.End(kBye);
  EXPECT_TRUE(paced.HasRoom()) << "whoever waited is told by Push";
}

TEST_F(OutboundTest, EndsAtOnceWhenNothingIsInFlight) {
  outbound.End(kBye);

  EXPECT_THAT(reactor.log, ElementsAre("finish bye"));
  EXPECT_EQ(outbound.Push({"a"}), Offer::kEnded);
}

TEST_F(OutboundTest, EndsAfterTheWriteInFlightAndDropsTheRest) {
  outbound.Push({"a"});
  outbound.Push({"b"});
  outbound.End(kBye);
  EXPECT_THAT(reactor.log, ElementsAre("write a"));
  outbound.OnWriteDone(true);

  EXPECT_THAT(reactor.log, ElementsAre("write a", "finish bye"));
}

TEST_F(OutboundTest, SendsWhatIsQueuedFirstWhenItIsAskedTo) {
  outbound.Push({"a"});
  outbound.Push({"b"});
  outbound.EndAfterQueue(kBye);
  EXPECT_EQ(outbound.Push({"c"}), Offer::kEnded);
  outbound.OnWriteDone(true);
  outbound.OnWriteDone(true);

  EXPECT_THAT(reactor.log, ElementsAre("write a", "write b", "finish bye"));
}

TEST_F(OutboundTest, DropsTheQueueOfAPoliteEndWhenAnImmediateOneFollows) {
  outbound.Push({"a"});
  outbound.Push({"b"});
  outbound.EndAfterQueue(kBye);
  outbound.End({grpc::StatusCode::CANCELLED, "too late"});
  outbound.OnWriteDone(true);

  EXPECT_THAT(reactor.log, ElementsAre("write a", "finish bye"));
}

TEST_F(OutboundTest, FinishesOnceWhateverIsAsked) {
  outbound.End(kBye);
  outbound.End(kBye);
  outbound.EndAfterQueue(kBye);

  EXPECT_THAT(reactor.log, ElementsAre("finish bye"));
}

TEST_F(OutboundTest, FinishesWhenTheReaderHasGone) {
  outbound.Push({"a"});
  outbound.Push({"b"});
  outbound.OnWriteDone(false);

  EXPECT_THAT(reactor.log, ElementsAre("write a", "finish the reader has gone"));
  EXPECT_EQ(outbound.Push({"c"}), Offer::kEnded);
}

}  // namespace
}  // namespace tandem::rpc
