#include "services/runtime/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tandem::runtime {
namespace {

using ::testing::HasSubstr;

StartUp StartWith(std::vector<const char*> arguments,
                  const std::map<std::string, std::string>& environment = {}) {
  arguments.insert(arguments.begin(), "tandemd");
  return ReadCommandLine(static_cast<int>(arguments.size()), arguments.data(), environment);
}

TEST(CommandLine, StartsWithDefaultsWhenNothingIsGiven) {
  const StartUp start = StartWith({});

  ASSERT_TRUE(start.config.has_value()) << start.err;
  EXPECT_EQ(start.out + start.err, "");
}

TEST(CommandLine, TakesAFlagForEachSetting) {
  const StartUp start =
      StartWith({"--grpc.listen", "127.0.0.1:0", "--roles=router,context", "--grpc.insecure",
                 "--grpc.reflection=false", "--retention", "7d"});

  ASSERT_TRUE(start.config.has_value()) << start.err;
  EXPECT_EQ(start.config->grpc.listen.port, 0);
  EXPECT_FALSE(start.config->roles.gateway);
  EXPECT_TRUE(start.config->grpc.insecure);
  EXPECT_FALSE(start.config->grpc.reflection);
  EXPECT_EQ(start.config->retention, absl::Hours(7 * 24));
}

TEST(CommandLine, NamesTheNearestFlag) {
  const StartUp start = StartWith({"--grpc.listne=127.0.0.1:0", "extra"});

  EXPECT_EQ(start.exit_code, 2);
  EXPECT_EQ(start.err,
            "--grpc.listne: unknown argument; did you mean --grpc.listen?\n"
            "extra: unknown argument; see --help\n");
}

TEST(CommandLine, RefusesAFlagWithoutItsValue) {
  const StartUp start = StartWith({"--grpc.listen"});

  EXPECT_EQ(start.exit_code, 2);
  EXPECT_THAT(start.err, HasSubstr("--grpc.listen"));
}

TEST(CommandLine, PrintsHelpAndVersion) {
  const StartUp help = StartWith({"--help"}), version = StartWith({"--version"});

  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--router.resolve_timeout DURATION"));
  EXPECT_THAT(version.out, HasSubstr("tandemd 0."));
  EXPECT_FALSE(version.config.has_value());
}

TEST(CommandLine, ChecksAFile) {
  const std::string file = testing::TempDir() + "/tandem_command_line.yaml";
  std::ofstream(file) << "log: {level: loud}\n";
  const StartUp bad = StartWith({"--check-config", "--config", file.c_str()});
  const StartUp start = StartWith({}, {{"TANDEM_CONFIG", file}});
  std::ofstream(file) << "log: {level: warn}\n";
  const StartUp good = StartWith({"--check-config", "--config", file.c_str()});
  std::filesystem::remove(file);

  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(bad.err,
            file + ":1:14: log.level: \"loud\" is none of: trace, debug, info, warn, error\n");
  EXPECT_EQ(start.exit_code, 2);
  EXPECT_EQ(start.err, bad.err);
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.out, file + ": the configuration is right\n");
}

TEST(CommandLine, PrintsTheConfigurationThatTakesEffect) {
  const StartUp start = StartWith({"--print-config", "--log.level", "error"});

  EXPECT_FALSE(start.config.has_value());
  EXPECT_THAT(start.out, HasSubstr("log:\n  level: error\n"));
}

}  // namespace
}  // namespace tandem::runtime
