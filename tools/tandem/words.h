// The roles as words. Pure.
#pragma once

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

}  // namespace tandem::cli
