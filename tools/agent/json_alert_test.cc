#include "tools/agent/json_alert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

using ::testing::HasSubstr;

TEST(ReadJsonAlert, ReadsWhatAlertmanagerTakes) {
  const auto alert = ReadJsonAlert(
      R"({"labels":{"alertname":"Down","site":"plant-7"},"annotations":{"summary":"é"},)"
      R"("startsAt":"2026-01-02T03:04:05.5+01:00","endsAt":"0001-01-01T00:00:00Z",)"
      R"("generatorURL":"http://x","fingerprint":"00"})");
  ASSERT_TRUE(alert.ok()) << alert.status();
  EXPECT_EQ(AlertKey(*alert), R"({alertname="Down",site="plant-7"})");
  EXPECT_EQ(alert->annotations(0).value(), "é");
  EXPECT_EQ(alert->starts_at().seconds(), 1767319445);
  EXPECT_EQ(alert->starts_at().nanos(), 500'000'000);
  EXPECT_FALSE(alert->has_ends_at());
  EXPECT_EQ(alert->generator_url(), "http://x");
}

TEST(ReadJsonAlert, SaysWhatIsWrong) {
  const auto problem = [](std::string_view line) {
    return MessageOf(ReadJsonAlert(line).status());
  };
  EXPECT_THAT(problem("{"), HasSubstr("one JSON object"));
  EXPECT_THAT(problem("[]"), HasSubstr("one JSON object"));
  EXPECT_THAT(problem("{}"), HasSubstr("labels: an object with at least one label"));
  EXPECT_THAT(problem(R"({"labels":[]})"), HasSubstr("labels: an object of strings"));
  EXPECT_THAT(problem(R"({"labels":{"a":1}})"), HasSubstr("labels.a: a string"));
  EXPECT_THAT(problem(R"({"labels":{"a":"b"},"startsAt":"now"})"), HasSubstr("startsAt: a time"));
  EXPECT_THAT(problem(R"({"labels":{"a":"b"},"endsAt":3})"), HasSubstr("endsAt: a time"));
  EXPECT_THAT(problem(std::string(kJsonLineMaxBytes + 1, ' ')), HasSubstr("at most"));
  EXPECT_THAT(problem(std::string(100'000, '[')), HasSubstr("one JSON object"));
}

}  // namespace
}  // namespace tandem::client
