#include "services/tandemd/reloader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "router/base/clock.h"

namespace tandem::tandemd {
namespace {

using runtime::Config;
using ::testing::HasSubstr;

struct ReloaderTest : testing::Test {
  bool Reload(runtime::StartUp read) {
    next = std::move(read);
    clock.Advance(absl::Minutes(1));
    return reloader.Reload(current);
  }
  bool Reload(Config config) { return Reload(runtime::StartUp{.config = std::move(config)}); }

  Config Given() const {
    Config config;
    config.data_dir = testing::TempDir();
    return config;
  }

  ManualClock clock{absl::FromUnixSeconds(1'700'000'000)};
  runtime::Metrics metrics;
  runtime::StartUp next;
  Config current = Given();
  std::optional<Config> applied;
  Reloader reloader{{.metrics = &metrics,
                     .clock = &clock,
                     .read = [this] { return next; },
                     .apply = [this](const Config& config) { applied = config; }}};
};

TEST_F(ReloaderTest, CountsTheStartAsASuccess) {
  EXPECT_THAT(metrics.Text(), HasSubstr("tandem_config_last_reload_success 1\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("tandem_config_last_reload_success_timestamp_seconds 1700000000\n"));
}

TEST_F(ReloaderTest, TakesOverWhatCanBeTakenOver) {
  Config config = Given();
  config.log.level = runtime::LogLevel::kWarn;
  config.retention = absl::Hours(48);

  ASSERT_TRUE(Reload(config));
  EXPECT_EQ(applied->log.level, runtime::LogLevel::kWarn);
  EXPECT_EQ(applied->retention, absl::Hours(48));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("tandem_config_last_reload_success_timestamp_seconds 1700000060\n"));
}

TEST_F(ReloaderTest, AMistakeLeavesTheOldOneInForce) {
  EXPECT_FALSE(
      Reload(runtime::StartUp{.config = std::nullopt, .exit_code = 2, .err = "t.yaml:1:1: bad\n"}));
  EXPECT_FALSE(applied.has_value());
  EXPECT_THAT(metrics.Text(), HasSubstr("tandem_config_last_reload_success 0\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("tandem_config_last_reload_success_timestamp_seconds 1700000000\n"));

  EXPECT_TRUE(Reload(Given()));
  EXPECT_THAT(metrics.Text(), HasSubstr("tandem_config_last_reload_success 1\n"));
}

TEST_F(ReloaderTest, AChangeThatNeedsARestartTakesNothingOver) {
  Config config = Given();
  config.log.level = runtime::LogLevel::kWarn;
  config.grpc.listen.port = 9;

  EXPECT_FALSE(Reload(config));
  EXPECT_FALSE(applied.has_value());
}

TEST_F(ReloaderTest, AFileThatIsNotThereIsAMistake) {
  Config config = Given();
  config.peers.ca = testing::TempDir() + "/no-such-authority.pem";
  current.peers.ca = config.peers.ca;

  EXPECT_FALSE(Reload(config));
}

}  // namespace
}  // namespace tandem::tandemd
