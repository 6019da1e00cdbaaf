// deploy/examples/tandemd.yaml is a configuration, and gives every playbook beside it its secrets.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "router/base/status.h"
#include "router/playbook/parse.h"
#include "services/runtime/config.h"
#include "tests/support/temporary_folder.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

const fs::path kExamples = TANDEM_EXAMPLES;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(TandemdExample, GivesEveryPlaybookBesideItItsSecrets) {
  const testing::TemporaryFolder folder;
  const fs::path config = fs::path(folder.path()) / "tandemd.yaml";
  fs::copy_file(kExamples / "tandemd.yaml", config);
  fs::create_directory(fs::path(folder.path()) / "secrets");
  for (const char* name :
       {"noc", "soc", "harbor-plant", "harbor-duty", "st-anna", "meridian-1", "meridian-2"}) {
    std::ofstream(fs::path(folder.path()) / "secrets" / (std::string(name) + ".secret"))
        << "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";
  }
  const auto loaded =
      runtime::LoadConfig({.file = config.string(), .environment = {}, .flags = {}});
  ASSERT_TRUE(loaded.ok()) << MessageOf(loaded.status());
  const auto& secrets = loaded->config.notifier.secrets;
  EXPECT_EQ(secrets.at("meridian-bank/meridian-webhook").size(), 2u);

  int playbooks = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kExamples)) {
    if (entry.path().filename() != "playbook.yaml") continue;
    ++playbooks;
    const auto compiled = playbook::CompilePlaybook(ReadFile(entry.path()));
    ASSERT_NE(compiled.playbook, nullptr) << entry.path();
    for (const playbook::Contact& contact : compiled.playbook->contacts()) {
      EXPECT_TRUE(secrets.contains(compiled.playbook->tenant() + '/' + contact.secret_name) ||
                  secrets.contains("*/" + contact.secret_name))
          << entry.path() << " " << contact.name;
    }
  }
  EXPECT_EQ(playbooks, 3);
}

}  // namespace
}  // namespace tandem
