#include "services/runtime/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace tandem::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// Sends the lines of this process into a string for as long as it lives.
class Capture {
 public:
  explicit Capture(std::unique_ptr<spdlog::formatter> formatter,
                   spdlog::level::level_enum level = spdlog::level::info)
      : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_));
    logger->set_formatter(std::move(formatter));
    logger->set_level(level);
    spdlog::set_default_logger(std::move(logger));
  }
  ~Capture() { spdlog::set_default_logger(before_); }
  std::string text() const { return out_.str(); }
  nlohmann::json json() const { return nlohmann::json::parse(out_.str()); }

 private:
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST(Logging, WritesOneJsonObjectALine) {
  const Capture capture(MakeJsonFormatter());
  Log(LogLevel::kWarn, "delivery failed",
      {{"tenant", "acme"},
       {"incident", 7u},
       {"offset", -3},
       {"seconds", 0.25},
       {"final", true},
       {"request_id", std::string("r-1")}});

  const nlohmann::json line = capture.json();
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["message"], "delivery failed");
  EXPECT_EQ(line["tenant"], "acme");
  EXPECT_EQ(line["incident"], 7);
  EXPECT_EQ(line["offset"], -3);
  EXPECT_EQ(line["seconds"], 0.25);
  EXPECT_EQ(line["final"], true);
  EXPECT_EQ(line["request_id"], "r-1");
  EXPECT_THAT(line["time"].get<std::string>(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]{6})?Z"));
}

TEST(Logging, LetsNothingForgeALineOfJson) {
  const Capture capture(MakeJsonFormatter());
  const std::string evil = "x\",\"level\":\"info\"}\n{\"\\\x01\x7f\x1b[31m\xff\xc3(ü";
  Log(LogLevel::kInfo, evil, {{"peer", evil}});

  const std::string text = capture.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(capture.json()["peer"],
            "x\",\"level\":\"info\"}\n{\"\\\x01\x7f\x1b[31m\xEF\xBF\xBD\xEF\xBF\xBD(ü");
  EXPECT_EQ(capture.json()["message"], capture.json()["peer"]);
}

TEST(Logging, LetsNothingForgeALineForPeople) {
  const Capture capture(MakeHumanFormatter());
  Log(LogLevel::kError, "no\nroute", {{"peer", "a\x1b[2J b\"c"}, {"empty", ""}});

  EXPECT_THAT(capture.text(), MatchesRegex("[0-9:.]{12} error no.x0aroute  "
                                           "peer=\"a.x1b.2J b.\"c\"  empty=\"\"\n"));
}

TEST(Logging, WritesForPeopleWhatTheyNeed) {
  const Capture capture(MakeHumanFormatter());
  Log(LogLevel::kInfo, "listens", {{"address", "127.0.0.1:7443"}, {"port", 7443}});

  EXPECT_THAT(capture.text(), HasSubstr(" info  listens  address=127.0.0.1:7443  port=7443\n"));
}

TEST(Logging, NeverShowsASecret) {
  const Capture capture(MakeJsonFormatter());
  Log(LogLevel::kInfo, "configured", {{"token", Secret("hunter2")}});

  EXPECT_EQ(capture.json()["token"], "***");
  EXPECT_THAT(capture.text(), Not(HasSubstr("hunter2")));
}

TEST(Logging, LeavesOutWhatIsBelowItsLevel) {
  const Capture capture(MakeJsonFormatter(), spdlog::level::warn);
  Log(LogLevel::kInfo, "quiet");

  EXPECT_EQ(capture.text(), "");
  EXPECT_FALSE(Logs(LogLevel::kInfo));
  EXPECT_TRUE(Logs(LogLevel::kError));
}

TEST(Logging, FormatsTheLinesOfOthersToo) {
  const Capture capture(MakeJsonFormatter());
  spdlog::warn("from a library, {}", 1);

  EXPECT_EQ(capture.json()["message"], "from a library, 1");
}

TEST(Logging, WritesNumbersThatJsonHasNot) {
  const Capture capture(MakeJsonFormatter());
  Log(LogLevel::kInfo, "odd", {{"ratio", std::numeric_limits<double>::infinity()}});

  EXPECT_TRUE(capture.json()["ratio"].is_null());
}

}  // namespace
}  // namespace tandem::runtime
