#include "router/rpc/stream_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "router/base/status.h"

namespace tandem::rpc {
namespace {

using ::testing::ElementsAre;

class FakeStream final : public DrainableStream {
 public:
  FakeStream(std::string token, std::vector<std::string>* log)
      : token_(std::move(token)), log_(log) {}
  void End(absl::Status status) override { log_->push_back(token_ + " " + ReasonOf(status)); }
  const Call* call() const override { return nullptr; }
  const std::string& token() const { return token_; }

 private:
  std::string token_;
  std::vector<std::string>* log_;
};

const absl::Status kStopping = Error(absl::StatusCode::kUnavailable, "STOPPING", "stops");
const absl::Status kRevoked = Error(absl::StatusCode::kUnauthenticated, "TOKEN_REVOKED", "gone");

struct StreamRegistryTest : testing::Test {
  StreamRegistry registry{3};
  std::vector<std::string> log;
  std::shared_ptr<FakeStream> Make(std::string token) {
    return std::make_shared<FakeStream>(std::move(token), &log);
  }
};

TEST_F(StreamRegistryTest, EndsAllInTheOrderOfTheirOpening) {
  const auto a = Make("a"), b = Make("b");
  const auto first = registry.Add(a), second = registry.Add(b);
  registry.EndAll(kStopping);

  EXPECT_THAT(log, ElementsAre("a STOPPING", "b STOPPING"));
}

TEST_F(StreamRegistryTest, TakesNoneAfterTheEnd) {
  registry.EndAll(kStopping);

  EXPECT_EQ(registry.Add(Make("a")).status(), kStopping);
}

TEST_F(StreamRegistryTest, EndsOnlyTheStreamsOfARevokedToken) {
  const auto a = Make("a"), b = Make("b"), again = Make("a");
  const auto first = registry.Add(a), second = registry.Add(b), third = registry.Add(again);

  const auto judge = [&](const DrainableStream& stream) {
    return static_cast<const FakeStream&>(stream).token() == "a" ? kRevoked : absl::OkStatus();
  };
  EXPECT_EQ(registry.EndEach(judge), 2u);
  EXPECT_THAT(log, ElementsAre("a TOKEN_REVOKED", "a TOKEN_REVOKED"));
  EXPECT_EQ(registry.open(), 3u);
}

TEST_F(StreamRegistryTest, RefusesMoreThanItsLimitWithARetryDelay) {
  const auto stream = Make("a");
  auto one = registry.Add(stream), two = registry.Add(stream), three = registry.Add(stream);
  const auto four = registry.Add(stream);

  EXPECT_EQ(ReasonOf(four.status()), "STREAMS_EXHAUSTED");
  EXPECT_EQ(RetryOf(four.status()), absl::Seconds(1));
  two->Release();
  EXPECT_TRUE(registry.Add(stream).ok());
}

TEST_F(StreamRegistryTest, ForgetsAStreamWithItsRegistration) {
  const auto a = Make("a");
  { const auto registration = registry.Add(a); }
  registry.EndAll(kStopping);

  EXPECT_THAT(log, ElementsAre());
  EXPECT_EQ(registry.open(), 0u);
}

TEST_F(StreamRegistryTest, SkipsAStreamThatIsGone) {
  auto a = Make("a");
  const auto registration = registry.Add(a);
  a.reset();
  registry.EndAll(kStopping);

  EXPECT_THAT(log, ElementsAre());
}

TEST_F(StreamRegistryTest, AllowsAStreamToLeaveWhileItIsEnded) {
  struct Leaver final : DrainableStream {
    StreamRegistry::Registration registration;
    void End(absl::Status) override { registration.Release(); }
    const Call* call() const override { return nullptr; }
  };
  const auto leaver = std::make_shared<Leaver>();
  leaver->registration = *registry.Add(leaver);
  registry.EndAll(kStopping);

  EXPECT_EQ(registry.open(), 0u);
}

TEST_F(StreamRegistryTest, WaitsUntilTheLastHasLeft) {
  const auto a = Make("a");
  auto registration = *registry.Add(a);
  EXPECT_EQ(registry.WaitUntilEmpty(absl::ZeroDuration()), 1u);
  std::thread leaver([&] { registration.Release(); });

  EXPECT_EQ(registry.WaitUntilEmpty(absl::Seconds(60)), 0u);
  leaver.join();
}

}  // namespace
}  // namespace tandem::rpc
