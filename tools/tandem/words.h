// Roles and numbers as words. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/v1/admin.pb.h"

namespace tandem::cli {

// "viewer", "responder", "editor", "admin", "agent", "service"; "unknown" for any other number.
std::string RoleText(v1::Role role);
std::optional<v1::Role> ParseRole(std::string_view text);
std::vector<std::string> RoleWords();

// "1 rule", "2 rules", "0 rules".
std::string Counted(std::uint64_t count, std::string_view noun);

}  // namespace tandem::cli
