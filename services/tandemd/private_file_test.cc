#include "services/tandemd/private_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "router/base/status.h"
#include "tests/support/temporary_folder.h"

namespace tandem::tandemd {
namespace {

using ::testing::HasSubstr;

// A folder that is not root's, whoever runs the test.
class ForeignFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(path_);
    if (geteuid() == 0) {
      ASSERT_EQ(chown(path_.c_str(), 65534, 65534), 0);
    }
  }

  tandem::testing::TemporaryFolder folder_;
  const std::string path_ = folder_.File("data");
};

TEST_F(ForeignFolder, IsRefusedToRootWithWhatToDo) {
  const absl::Status refused = CheckOwner(path_, /*user=*/0);

  EXPECT_EQ(ReasonOf(refused), "DATA_FOLDER_FOREIGN");
  EXPECT_THAT(MessageOf(refused), HasSubstr(path_ + " belongs to "));
  EXPECT_THAT(MessageOf(refused), HasSubstr("sudo -u "));
  EXPECT_THAT(MessageOf(refused), HasSubstr("chown -R root " + path_));
}

TEST_F(ForeignFolder, IsLeftToItsModeForOthers) {
  EXPECT_TRUE(CheckOwner(path_, /*user=*/1).ok());
  EXPECT_TRUE(CheckOwner("/", /*user=*/0).ok());
  EXPECT_TRUE(CheckOwner(folder_.File("none"), /*user=*/0).ok());
}

TEST_F(ForeignFolder, LosesAFileOnce) {
  const std::string file = path_ + "/addresses.json";
  ASSERT_TRUE(WritePrivateFile(file, "{}").ok());

  EXPECT_TRUE(RemoveFile(file).ok());

  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(RemoveFile(file).ok());
  EXPECT_FALSE(RemoveFile(path_).ok());
}

}  // namespace
}  // namespace tandem::tandemd
