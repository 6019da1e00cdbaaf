#include "services/runtime/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"
#include "services/runtime/readiness.h"
#include "services/runtime/rpc_observer.h"

namespace tandem::runtime {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, SaysWhichTandemThisIs) {
  EXPECT_THAT(Metrics().Text(), HasSubstr("tandem_build_info{"));
  EXPECT_THAT(Metrics().Text(), HasSubstr("version=\"0."));
}

TEST(Metrics, WritesInTheOrderOfNamesAndLabels) {
  Metrics metrics;
  auto& family = metrics.Counters("b_total", "B");
  for (const char* label : {"z", "a", "m"}) family.Add({{"kind", label}}).Increment();
  metrics.Gauges("a", "A").Add({}).Set(1);
  const std::string text = metrics.Text();

  EXPECT_LT(text.find("tandem_a 1"), text.find("tandem_b_total{kind=\"a\"} 1"));
  EXPECT_LT(text.find("kind=\"a\""), text.find("kind=\"m\""));
  EXPECT_LT(text.find("kind=\"m\""), text.find("kind=\"z\""));
}

TEST(Metrics, GivesTheSameFamilyTwice) {
  Metrics metrics;
  metrics.Counters("x_total", "X").Add({}).Increment();
  metrics.Counters("x_total", "X").Add({}).Increment();

  EXPECT_THAT(metrics.Text(), HasSubstr("tandem_x_total 2\n"));
}

TEST(Metrics, AsksForAGaugeWhenSomebodyLooks) {
  Metrics metrics;
  double depth = 3;
  metrics.GaugeFrom("mailbox_depth", "Waiting", [&] { return depth; });
  EXPECT_THAT(metrics.Text(), HasSubstr("tandem_mailbox_depth 3\n"));
  depth = 4;

  EXPECT_THAT(metrics.Text(), HasSubstr("# TYPE tandem_mailbox_depth gauge\n"
                                        "tandem_mailbox_depth 4\n"));
}

TEST(RpcObserver, CountsCallsByMethodAndCode) {
  Metrics metrics;
  RpcObserver observer(metrics);
  const rpc::Call call{.method = "/tandem.v1.Admin/WhoAmI",
                       .caller = {},
                       .request_id = "r",
                       .trace = std::nullopt,
                       .peer = "",
                       .received = absl::UnixEpoch(),
                       .deadline = absl::InfiniteFuture()};
  for (int i = 0; i < 3; ++i) observer.Started(call.method);
  observer.Finished(call, absl::OkStatus(), absl::Milliseconds(3));
  observer.Finished(call, Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "no"),
                    absl::Seconds(1));
  const std::string text = metrics.Text();

  EXPECT_THAT(text, HasSubstr("tandem_rpc_handled_total{code=\"OK\",method=\"/tandem.v1.Admin/"
                              "WhoAmI\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("code=\"UNAUTHENTICATED\",method=\"/tandem.v1.Admin/WhoAmI\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tandem_rpc_in_flight{method=\"/tandem.v1.Admin/WhoAmI\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tandem_rpc_seconds_count{method=\"/tandem.v1.Admin/WhoAmI\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("tandem_rpc_refused_total{reason=\"unauthenticated\"} 1\n"));
}

TEST(Readiness, WaitsForEveryPartAndEndsWithADrain) {
  Readiness readiness;
  EXPECT_EQ(readiness.WhyNot(), "process: starts");
  readiness.NotReady("journal", "recovers");
  readiness.Ready("process");
  EXPECT_EQ(readiness.WhyNot(), "journal: recovers");
  readiness.Ready("journal");
  EXPECT_EQ(readiness.WhyNot(), "");
  readiness.Draining();
  readiness.Ready("journal");

  EXPECT_EQ(readiness.WhyNot(), "process: stops");
}

}  // namespace
}  // namespace tandem::runtime
