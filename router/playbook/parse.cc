#include "router/playbook/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/playbook/compiler.h"
#include "router/playbook/node.h"

namespace tandem::playbook {
namespace {

Compiled Compile(std::string_view source) {
  const ConfigDocument document(source);
  if (!document.findings().empty()) return {nullptr, document.findings()};
  if (document.root() == nullptr || document.root()->kind == ConfigNode::Kind::kNothing) {
    return {nullptr,
            {{Finding::Level::kError, 1, 1,
              "the file is empty; a playbook begins with `playbook: 1` and `tenant: NAME`"}}};
  }
  return Compiler(*document.root(), source).Run();
}

}  // namespace

std::string TooLarge(std::string_view source) {
  if (source.size() <= kSourceBytesMax) return "";
  return fmt::format(
      "the playbook has {} bytes; at most {} (3 MiB) are taken: move facts about sites and "
      "services "
      "into the context, where rules can ask for them",
      source.size(), kSourceBytesMax);
}

Compiled CompilePlaybook(std::string_view source) {
  Compiled compiled = Compile(source);
  std::stable_sort(compiled.findings.begin(), compiled.findings.end(),
                   [](const Finding& a, const Finding& b) {
                     return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                   });
  CountCharacters(source, compiled.findings);
  return compiled;
}

}  // namespace tandem::playbook
