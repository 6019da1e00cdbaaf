// The contexts of deploy/examples can be imported as they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "router/context/import_yaml.h"

namespace tandem::context {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

class ExampleTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ExampleTest, CanBeImported) {
  const std::filesystem::path path =
      std::filesystem::path(TANDEM_EXAMPLES) / GetParam() / "context.yaml";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  const auto read = ReadYaml(content);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->entities, Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(Examples, ExampleTest, ::testing::Values("bank", "factory", "hospital"),
                         [](const auto& example) { return example.param; });

}  // namespace
}  // namespace tandem::context
