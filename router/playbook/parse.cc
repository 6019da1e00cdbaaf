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

// Columns count bytes until here; people and editors count characters. yaml-cpp may stand beyond
// the end of the file when it complains: such a position moves back to the end.
void CountCharacters(std::string_view source, std::vector<Finding>& findings) {
  if (source.substr(0, 3) == "\xEF\xBB\xBF") source.remove_prefix(3);
  std::uint32_t line = 1;
  for (Finding& finding : findings) {
    for (; line < finding.line && source.find('\n') != std::string_view::npos; ++line) {
      source.remove_prefix(source.find('\n') + 1);
    }
    finding.line = std::min(finding.line, line);
    if (finding.line == 0 || finding.column == 0) continue;
    const std::string_view before =
        source.substr(0, source.find('\n')).substr(0, finding.column - 1);
    finding.column =
        1 + static_cast<std::uint32_t>(std::count_if(before.begin(), before.end(),
                                                     [](char c) { return (c & 0xC0) != 0x80; }));
  }
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
