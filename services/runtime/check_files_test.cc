#include "services/runtime/check_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "router/base/clock.h"
#include "tests/support/identity.h"
#include "tests/support/temporary_folder.h"

namespace tandem::runtime {
namespace {

using tandem::testing::Identity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr long kDay = 24 * 3600;  // seconds

struct CheckFilesTest : ::testing::Test {
  CheckFilesTest() {
    loaded.config.data_dir = folder.path();
    Use(Identity({.valid_until_s = 90 * kDay}));
  }

  std::string Write(const std::string& name, const std::string& content, mode_t mode = 0600) {
    const std::string path = folder.File(name);
    std::ofstream(path) << content;
    chmod(path.c_str(), mode);
    return path;
  }
  void Use(const Identity& identity) {
    loaded.config.grpc.tls.cert = Write("server.pem", identity.cert());
    loaded.config.grpc.tls.key = Write("server.key", identity.key());
  }
  FilesReport Check() const { return CheckFiles(loaded, clock.Now()); }

  tandem::testing::TemporaryFolder folder;
  SystemClock clock;
  LoadedConfig loaded;
};

TEST_F(CheckFilesTest, FindsNothingWrongWithWhatIsRight) {
  EXPECT_THAT(LinesOf(Check().errors), IsEmpty());
  EXPECT_THAT(Check().warnings, IsEmpty());
}

TEST_F(CheckFilesTest, TellsEveryErrorAtOnceWithItsPlace) {
  TlsFiles& tls = loaded.config.grpc.tls;
  tls.cert = folder.File("nowhere.pem");
  tls.key = Write("no.key", "no key");
  tls.client_ca = Write("ca.pem", "no certificate");
  loaded.config.peers.ca = folder.File("peers.pem");
  loaded.config.data_dir = tls.key + "/data";
  loaded.places["grpc.tls.cert"] = "tandemd.yaml:4:11";

  const std::string errors = LinesOf(Check().errors);

  EXPECT_THAT(Check().errors, SizeIs(5));
  EXPECT_THAT(errors,
              HasSubstr("tandemd.yaml:4:11: grpc.tls.cert: " + tls.cert + ": cannot be read"));
  EXPECT_THAT(errors, HasSubstr("grpc.tls.key: grpc.tls.key: " + tls.key + ": holds no PEM"));
  EXPECT_THAT(errors, HasSubstr("grpc.tls.client_ca: " + tls.client_ca + ": holds no PEM"));
  EXPECT_THAT(errors, HasSubstr("peers.ca: peers.ca: "));
  EXPECT_THAT(errors, HasSubstr("data_dir: "));
}

TEST_F(CheckFilesTest, RefusesAKeyOfAnotherCertificateAndOneThatExpired) {
  loaded.config.grpc.tls.cert =
      Write("old.pem", Identity({.valid_from_s = -2 * kDay, .valid_until_s = -kDay}).cert());

  const std::string errors = LinesOf(Check().errors);

  EXPECT_THAT(Check().errors, SizeIs(2));
  EXPECT_THAT(errors, HasSubstr("is not the key of the certificate"));
  EXPECT_THAT(errors, HasSubstr("expired at "));
}

TEST_F(CheckFilesTest, WarnsOfACertificateThatEndsWithinTwoWeeks) {
  Use(Identity({.valid_until_s = 13 * kDay}));

  EXPECT_THAT(LinesOf(Check().errors), IsEmpty());
  EXPECT_THAT(Check().warnings, ElementsAre(HasSubstr("server.pem expires at ")));
}

TEST_F(CheckFilesTest, WarnsOfSecretsThatEveryoneCanRead) {
  loaded.config.grpc.tls = {};
  loaded.secret_files.push_back({"tandemd.yaml:9:7", Write("hook.secret", "whsec_x", 0644)});
  loaded.secret_files.push_back({"tandemd.yaml:10:7", Write("private.secret", "whsec_x", 0640)});

  EXPECT_THAT(Check().warnings, ElementsAre(HasSubstr("tandemd.yaml:9:7: ")));
  EXPECT_THAT(Check().warnings[0], HasSubstr("mode 0644"));
}

TEST_F(CheckFilesTest, TakesADataFolderThatCanBeMade) {
  loaded.config.data_dir = folder.File("not/yet/there");
  EXPECT_THAT(Check().errors, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder.File("not")));
}

TEST_F(CheckFilesTest, RefusesADataFolderThatIsAFile) {
  loaded.config.data_dir = Write("file", "");
  EXPECT_THAT(LinesOf(Check().errors), HasSubstr("is no folder"));
}

}  // namespace
}  // namespace tandem::runtime
