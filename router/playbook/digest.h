// SHA-256, by which a version of a playbook is named. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tandem::playbook {

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace tandem::playbook
