#include "tests/examples/context_file.h"

#include <gtest/gtest.h>

#include <utility>

#include "router/context/entity_spec.h"
#include "router/context/import_yaml.h"

namespace tandem::playbook {

std::vector<EntitySpec> ReadContextFile(std::string_view source) {
  const auto file = context::ReadYaml(source);
  EXPECT_TRUE(file.ok()) << file.status();
  std::vector<EntitySpec> specs;
  if (!file.ok()) return specs;
  for (const context::ImportedEntity& entity : file->entities) {
    auto spec = context::SpecOf(entity);
    EXPECT_TRUE(spec.ok()) << spec.status();
    if (spec.ok()) specs.push_back(*std::move(spec));
  }
  return specs;
}

}  // namespace tandem::playbook
