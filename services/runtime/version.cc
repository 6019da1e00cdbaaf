#include "services/runtime/version.h"

namespace tandem::runtime {

std::string_view Version() { return TANDEM_VERSION; }
std::string_view Compiler() { return TANDEM_COMPILER; }

}  // namespace tandem::runtime
