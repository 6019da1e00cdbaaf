// Which Tandem this is. Constant; safe from any thread.
#pragma once

#include <string_view>

namespace tandem::runtime {

std::string_view Version();   // "0.1.0"
std::string_view Compiler();  // "GNU 12.2.0"

}  // namespace tandem::runtime
