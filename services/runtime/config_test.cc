#include "services/runtime/config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "router/base/status.h"
#include "router/base/text.h"
#include "services/runtime/config_options.h"

namespace tandem::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string ErrorOf(std::string_view yaml) {
  const auto loaded = LoadConfigText("t.yaml", yaml);
  return loaded.ok() ? "" : MessageOf(loaded.status());
}

Config Loaded(std::string_view yaml, const ConfigSources& sources = {}) {
  const auto loaded = LoadConfigText("t.yaml", yaml, sources);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? loaded->config : Config();
}

Given Flag(std::string path, std::string value) {
  return {.path = path,
          .key = "",
          .items = {std::move(value)},
          .where = "--" + path,
          .base = "",
          .on_command_line = true};
}

TEST(Config, StartsANewcomerWithoutAnySetting) {
  const auto loaded = LoadConfig({});

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->config.roles, Roles());
  EXPECT_EQ(ToText(loaded->config.grpc.listen), "127.0.0.1:7443");
  EXPECT_EQ(loaded->config.drain.lameduck, absl::ZeroDuration());
}

TEST(Config, TakesEverySettingFromTheFile) {
  const Config config = Loaded(R"(
# A comment.
roles: [router, context]
data_dir: /var/lib/tandem
retention: 30d
grpc:
  listen: 0.0.0.0:443
  tls: {cert: c.pem, key: /k.pem, client_ca: ca.pem, require_client_cert: true}
  reflection: false
  max_message: 8MiB
admin: {listen: "[::1]:9000"}
router:
  resolve_timeout: 10m
  mailbox_max: 10
notifier:
  secrets:
    # a comment
    acme/plant-7: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
log: {level: debug, format: json}
drain: {timeout: 1m}
context:
)");

  EXPECT_FALSE(config.roles.notifier);
  EXPECT_EQ(config.data_dir, "/var/lib/tandem");
  EXPECT_EQ(config.retention, absl::Hours(30 * 24));
  EXPECT_EQ(config.grpc.tls.key, "/k.pem");
  EXPECT_TRUE(config.grpc.tls.require_client_cert);
  EXPECT_FALSE(config.grpc.reflection);
  EXPECT_EQ(config.grpc.max_message, 8u << 20);
  EXPECT_EQ(config.admin.listen, (Endpoint{"::1", 9000}));
  EXPECT_EQ(config.router.mailbox_max, 10u);
  EXPECT_THAT(config.notifier.secrets.at("acme/plant-7"), ElementsAre(Secret(kSecret)));
  EXPECT_EQ(config.log.level, LogLevel::kDebug);
  EXPECT_EQ(config.drain.lameduck, absl::Seconds(5));  // Others may connect.
}

TEST(Config, PrefersFlagsToEnvironmentToFileToDefaults) {
  const ConfigSources environment{
      .file = "",
      .environment = {{"TANDEM_LOG_LEVEL", "warn"}, {"TANDEM_ROUTER_MAILBOX_MAX", "7"}},
      .flags = {}};
  ConfigSources both = environment;
  both.flags = {Flag("log.level", "error")};
  const char* yaml = "log: {level: debug, format: json}";

  EXPECT_EQ(Loaded(yaml).log.level, LogLevel::kDebug);
  EXPECT_EQ(Loaded(yaml, environment).log.level, LogLevel::kWarn);
  EXPECT_EQ(Loaded(yaml, both).log.level, LogLevel::kError);
  EXPECT_EQ(Loaded(yaml, both).log.format, LogFormat::kJson);
  EXPECT_EQ(Loaded(yaml, both).router.mailbox_max, 7u);
  EXPECT_EQ(Loaded(yaml, both).router.group_max, 64u);
}

TEST(Config, CountsRelativePathsFromTheFileThatNamesThem) {
  const auto loaded =
      LoadConfigText("/etc/tandem/tandemd.yaml", "grpc: {tls: {cert: c.pem, key: ../k.pem}}",
                     {.file = "", .environment = {{"TANDEM_DATA_DIR", "here"}}, .flags = {}});

  EXPECT_EQ(loaded->config.grpc.tls.cert, "/etc/tandem/c.pem");
  EXPECT_EQ(loaded->config.data_dir, "here");
}

TEST(Config, TakesListsAndSecretsAsOneTextToo) {
  const std::string file = testing::TempDir() + "/tandem_config_secret";
  std::ofstream(file) << kSecret << "\n";
  const Config config = Loaded(
      "roles: router,context",
      {.file = "",
       .environment = {{"TANDEM_NOTIFIER_SECRETS", std::string("t/a=") + kSecret + ",t/b=" + file}},
       .flags = {Flag("roles", "router,context,notifier")}});

  EXPECT_TRUE(config.roles.notifier);
  EXPECT_FALSE(config.roles.gateway);
  EXPECT_THAT(config.notifier.secrets.at("t/a"), ElementsAre(Secret(kSecret)));
  EXPECT_THAT(config.notifier.secrets.at("t/b"), ElementsAre(Secret(kSecret)));
  std::filesystem::remove(file);
}

struct BadConfig {
  const char* yaml;
  const char* message;
};

TEST(Config, SaysExactlyWhatIsWrongAndWhere) {
  for (const BadConfig& bad : {
           BadConfig{"grpc:\n  listne: 127.0.0.1:1",
                     "t.yaml:2:3: unknown setting grpc.listne; did you mean grpc.listen?"},
           {"grp: {listen: 127.0.0.1:1}", "t.yaml:1:1: unknown setting grp; did you mean grpc?"},
           {"telemetry: [1, {a: 2}]\nlog: {level: info}",
            "t.yaml:1:1: unknown setting telemetry; expected roles, data_dir, retention, grpc, "
            "admin, router, context, notifier, peers, log, drain"},
           {"grpc: {listen: localhost}",
            "t.yaml:1:16: grpc.listen: \"localhost\" is no address; expected HOST:PORT, such as "
            "127.0.0.1:7443 or [::1]:7443"},
           {"retention: 400",
            "t.yaml:1:12: retention: \"400\" is not a duration; expected a form "
            "such as 30s, 10m, 1h30m or 2d"},
           {"retention: 1h",
            "t.yaml:1:12: retention: 1h is out of range; expected 1d to 3650d, or "
            "forever"},
           {"retention: 0s",
            "t.yaml:1:12: retention: 0s is out of range; expected 1d to 3650d, or forever"},
           {"router:\n  mailbox_max: 0",
            "t.yaml:2:16: router.mailbox_max: 0 is out of range; expected 1 to 65536"},
           {"router: {mailbox_max: many}",
            "t.yaml:1:23: router.mailbox_max: \"many\" is not a whole number"},
           {"router: {min_free_disk: 64MB}",
            "t.yaml:1:25: router.min_free_disk: \"64MB\" is not a size; expected a form such as "
            "64MiB, 512KiB or 4096B"},
           {"grpc: {max_message: 1KiB}",
            "t.yaml:1:21: grpc.max_message: 1KiB is out of range; expected 64KiB to 64MiB"},
           {"grpc: {insecure: yes}", "t.yaml:1:18: grpc.insecure: \"yes\" is not true or false"},
           {"roles: [router, contxt]",
            "t.yaml:1:8: roles: \"contxt\" is no role; expected some of: router, context, gateway, "
            "notifier"},
           {"roles: []",
            "t.yaml:1:8: roles: names no role; expected some of: router, context, "
            "gateway, notifier"},
           {"roles: [router, router]", "t.yaml:1:8: roles: router is named twice"},
           {"roles: {router: true}", "t.yaml:1:8: roles: expected a list, not a mapping"},
           {"log: {level: loud}",
            "t.yaml:1:14: log.level: \"loud\" is none of: trace, debug, info, warn, error"},
           {"log: debug", "t.yaml:1:6: log: expected a section, not one value"},
           {"log: [debug]", "t.yaml:1:6: log: expected a section, not a list"},
           {"data_dir: [a]", "t.yaml:1:11: data_dir: expected one value, not a list"},
           {"data_dir:", "t.yaml:1:1: data_dir has no value; leave it out, or write \"\""},
           {"data_dir: a\ndata_dir: b", "t.yaml:2:1: data_dir stands here a second time"},
           {"data_dir: &d a",
            "t.yaml:1:11: anchors are not taken; write the value out where it is "
            "needed"},
           {"data_dir: !!str a", "t.yaml:1:11: tags are not taken; leave it out"},
           {"just a text",
            "t.yaml:1:1: expected a mapping of settings, such as `data_dir: "
            "./data`"},
           {"data_dir: b: c", "t.yaml:1:12: is not YAML: illegal map value"},
           {"---\ndata_dir: a\n---\ndata_dir: b",
            "t.yaml:1:1: holds several documents; expected one"},
           {"data_dir: \xff", "t.yaml:1:1: expected UTF-8 of at most 1 MiB"},
           {"notifier: {secrets: {hook: whsec_x}}",
            "t.yaml:1:28: notifier.secrets.hook: does not say whose secret it is; expected "
            "TENANT/hook, which that tenant's playbook alone may sign with, or \"*/hook\", which "
            "every tenant's may"},
           {"notifier: {secrets: {Plant/a: whsec_x}}",
            "t.yaml:1:31: notifier.secrets.Plant/a: \"Plant/a\" is no name of a secret; expected "
            "TENANT/NAME or */NAME, the name 1 to 64 of A-Z, a-z, 0-9, - and _"},
           {"notifier: {secrets: {t/a: whsec_short}}",
            "t.yaml:1:27: notifier.secrets.t/a: is not a Standard Webhooks secret; expected whsec_ "
            "and padded base64 of 24 to 64 bytes"},
           {"notifier: {secrets: {t/a: nowhere.key}}",
            "t.yaml:1:27: notifier.secrets.t/a: cannot read the file \"nowhere.key\"; expected a "
            "secret that begins with whsec_, or a file that holds one"},
           {"notifier: {secrets: {t/a: []}}",
            "t.yaml:1:27: notifier.secrets.t/a: 0 secrets; expected one, or a list of up to 4, the "
            "newest first"},
           {"notifier: {secrets: {t/a: {b: c}}}",
            "t.yaml:1:27: notifier.secrets.t/a: expected one value or a list, not a mapping"},
           {"router: {address: \"10.0.0.1:0\"}",
            "t.yaml:1:19: router.address: port 0 cannot be called; expected 1 to 65535"},
           {"grpc: {listen: 0.0.0.0:7443}",
            "grpc.listen: 0.0.0.0:7443 can be reached from the network, and there is no TLS; give "
            "grpc.tls.cert and grpc.tls.key, listen on 127.0.0.1, or set grpc.insecure: true if "
            "something in front ends TLS"},
           {"grpc: {tls: {cert: c.pem}}",
            "grpc.tls: cert and key go together; expected both or neither"},
           {"grpc: {tls: {require_client_cert: true}}",
            "grpc.tls.require_client_cert: needs grpc.tls.client_ca to check certificates by"},
           {"roles: [notifier]",
            "router.address: is needed, because this process does not run the role router"},
           {"roles: [notifier]\nrouter: {address: r:1}",
            "peers.token: is needed to call router.address"},
           {"router: {address: r:1}",
            "router.address: is given, but this process runs the role router itself; leave out the "
            "address, or router in roles"},
           {"admin: {listen: 127.0.0.1:7443}",
            "admin.listen: is the same as grpc.listen; expected another port"},
           {"drain: {lameduck: 30s}", "drain.lameduck: 30s is not shorter than drain.timeout, 30s"},
       }) {
    EXPECT_EQ(ErrorOf(bad.yaml), bad.message) << bad.yaml;
  }
}

TEST(Config, ReportsEveryMistakeWithItsPlace) {
  const auto loaded = LoadConfigText("t.yaml", "data_dirr: a\nrouter:\n  mailbox_max: 0\n",
                                     {.file = "",
                                      .environment = {{"TANDEM_LOG_FORMAT", "xml"}},
                                      .flags = {Flag("drain.timeout", "soon")}});

  std::vector<std::string> places;
  for (const FieldError& error : FieldsOf(loaded.status())) places.push_back(error.field);
  EXPECT_EQ(ReasonOf(loaded.status()), "CONFIG_INVALID");
  EXPECT_THAT(places,
              ElementsAre("t.yaml:1:1", "t.yaml:3:16", "TANDEM_LOG_FORMAT", "--drain.timeout"));
}

TEST(Config, RefusesAnAliasAndSkipsWhatItStandsFor) {
  EXPECT_EQ(ErrorOf("data_dir: &d a\nretention: *d\nlog: {level: info}"),
            "t.yaml:1:11: anchors are not taken; write the value out where it is needed\n"
            "t.yaml:2:12: aliases are not taken; write the value out, or put a text that begins "
            "with * in "
            "quotes");
}

TEST(Config, NeverRepeatsASecret) {
  const std::string secret = "c2VjcmV0LXNlY3JldA";
  ConfigSources flags{.file = "",
                      .environment = {{"TANDEM_NOTIFIER_SECRETS", "whsec_" + secret}},
                      .flags = {Flag("notifier.secrets", "t/a=whsec_" + secret)}};
  const auto loaded = LoadConfigText("t.yaml", "", flags);

  EXPECT_THAT(MessageOf(loaded.status()), Not(HasSubstr(secret)));
  EXPECT_THAT(MessageOf(loaded.status()), HasSubstr("--notifier.secrets: notifier.secrets.t/a: a "
                                                    "secret on the command line is seen by every "
                                                    "user of the machine"));
}

TEST(Config, TakesSeveralSecretsOfOneNameTheNewestFirst) {
  const std::string other = "whsec_" + std::string(32, 'A');
  const Config file = Loaded("notifier: {secrets: {t/a: [" + other + ", " + kSecret + "]}}");
  const Config both =
      Loaded("notifier: {secrets: {t/a: [" + other + ", " + kSecret + "], \"*/b\": " + other + "}}",
             {.file = "",
              .environment = {{"TANDEM_NOTIFIER_SECRETS",
                               fmt::format("t/a={0},*/c={0},t/a={1}", kSecret, other)}},
              .flags = {}});

  EXPECT_THAT(file.notifier.secrets.at("t/a"), ElementsAre(Secret(other), Secret(kSecret)));
  // The environment's list stands for the file's, and what it does not name stays.
  EXPECT_THAT(both.notifier.secrets.at("t/a"), ElementsAre(Secret(kSecret), Secret(other)));
  EXPECT_EQ(both.notifier.secrets.size(), 3u);
}

TEST(Config, SaysThatASharedSecretIsNamedInQuotes) {
  EXPECT_THAT(ErrorOf("notifier: {secrets: {*/hook: a.key}}"),
              HasSubstr("put a text that begins with * in quotes"));
}

TEST(Config, OnlyWarnsOfAVariableThatIsNearlyASetting) {
  const auto loaded = LoadConfigText("", "",
                                     {.file = "",
                                      .environment = {{"TANDEM_GRPC_LISTNE", "x"},
                                                      {"TANDEM_PORT_80_TCP", "tcp://10.0.0.1:80"},
                                                      {"PATH", "/bin"}},
                                      .flags = {}});

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->warnings, ElementsAre("TANDEM_GRPC_LISTNE in the environment is no setting; "
                                            "did you mean TANDEM_GRPC_LISTEN?"));
}

TEST(Config, SaysThatItsFileCannotBeRead) {
  const auto missing =
      LoadConfig({.file = "/nonexistent/tandemd.yaml", .environment = {}, .flags = {}});
  const auto folder = LoadConfig({.file = testing::TempDir(), .environment = {}, .flags = {}});

  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(MessageOf(missing.status()),
            "cannot read the configuration file \"/nonexistent/tandemd.yaml\": is the path right, "
            "and may this user read it?");
  EXPECT_FALSE(folder.ok());
}

TEST(Config, SurvivesDeepNesting) {
  EXPECT_NE(ErrorOf("a: " + std::string(100'000, '[')), "");
  EXPECT_NE(ErrorOf(std::string(100'000, '{')), "");
}

TEST(PrintConfig, GivesBackWhatWasLoadedWithoutTheSecrets) {
  const Config config = Loaded(std::string("grpc: {listen: \"[::1]:0\"}\ndata_dir: \"a b\"\n"
                                           "notifier: {secrets: {\"*/b\": ") +
                               kSecret + ", t/c: [" + kSecret + ", " + kSecret + "]}}");
  const std::string printed = PrintConfig(config);

  EXPECT_THAT(printed, HasSubstr("grpc:\n  listen: \"[::1]:0\"\n  tls:\n    cert: \"\"\n"));
  EXPECT_THAT(printed, HasSubstr("data_dir: \"a b\"\n"));
  EXPECT_THAT(printed, HasSubstr("  secrets:\n    \"*/b\": \"***\"\n"
                                 "    t/c: [\"***\", \"***\"]\n"));
  EXPECT_THAT(printed, Not(HasSubstr("MfKQ9r8")));
}

TEST(PrintConfig, IsAConfigurationThatMeansTheSame) {
  const std::string printed = PrintConfig(Loaded("retention: 2d\nlog: {format: json}"));

  EXPECT_EQ(PrintConfig(Loaded(printed)), printed);
}

TEST(Options, HaveNamesThatDifferInEveryForm) {
  std::set<std::string> paths, variables;
  for (const Option& option : Options()) {
    EXPECT_TRUE(paths.insert(option.path).second) << option.path;
    EXPECT_TRUE(variables.insert(EnvironmentName(option)).second) << option.path;
    EXPECT_FALSE(option.help.empty()) << option.path;
    EXPECT_NE(option.help.back(), '.') << option.path;
  }
}

TEST(Secret, IsNeverPrinted) {
  const Secret secret("hunter2");
  std::ostringstream stream;
  stream << secret;

  EXPECT_EQ(fmt::format("{}", secret), "***");
  EXPECT_EQ(stream.str(), "***");
}

TEST(Endpoint, KnowsWhatOnlyThisMachineReaches) {
  EXPECT_TRUE(IsLoopback(*ParseEndpoint("127.9.9.9:1")));
  EXPECT_TRUE(IsLoopback(*ParseEndpoint("[::1]:1")));
  EXPECT_TRUE(IsLoopback(*ParseEndpoint("localhost:1")));
  EXPECT_FALSE(IsLoopback(*ParseEndpoint("127.example:1")));
  EXPECT_FALSE(IsLoopback(*ParseEndpoint("0.0.0.0:1")));
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text : {"", ":1", "host", "host:", "host:65536", "host:-1", "::1:5", "[::1]",
                           "[1.2.3.4]:1", "1.2.3:4", "256.1.1.1:1", "a b:1", "host:1 "}) {
    EXPECT_FALSE(ParseEndpoint(text).ok()) << text;
  }
}

}  // namespace
}  // namespace tandem::runtime
