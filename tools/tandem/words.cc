#include "tools/tandem/words.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace tandem::cli {
namespace {

constexpr std::array<std::pair<v1::Role, std::string_view>, 6> kRoles = {{
    {v1::VIEWER, "viewer"},
    {v1::RESPONDER, "responder"},
    {v1::EDITOR, "editor"},
    {v1::ADMIN, "admin"},
    {v1::AGENT, "agent"},
    {v1::SERVICE, "service"},
}};

}  // namespace

std::string RoleText(v1::Role role) {
  for (const auto& [known, word] : kRoles) {
    if (known == role) return std::string(word);
  }
  return "unknown";
}

std::optional<v1::Role> ParseRole(std::string_view text) {
  for (const auto& [role, word] : kRoles) {
    if (word == text) return role;
  }
  return std::nullopt;
}

std::vector<std::string> RoleWords() {
  std::vector<std::string> words;
  words.reserve(std::size(kRoles));
  for (const auto& [role, word] : kRoles) words.emplace_back(word);
  return words;
}

std::string Counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace tandem::cli
