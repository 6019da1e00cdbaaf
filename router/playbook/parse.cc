#include "router/playbook/parse.h"

#include "router/playbook/compiler.h"
#include "router/playbook/node.h"

namespace tandem::playbook {

Compiled CompilePlaybook(std::string_view source) {
  const ConfigDocument document(source);
  if (!document.findings().empty()) return {nullptr, document.findings()};
  if (document.root() == nullptr || document.root()->kind == ConfigNode::Kind::kNothing) {
    return {nullptr,
            {{Finding::Level::kError, 1, 1,
              "the file is empty; a playbook begins with `playbook: 1` and `tenant: NAME`"}}};
  }
  return Compiler(*document.root(), source).Run();
}

}  // namespace tandem::playbook
