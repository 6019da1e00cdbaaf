#include "services/context/page_token.h"

#include <absl/strings/escaping.h>
#include <absl/strings/string_view.h>
#include <fmt/format.h>

#include <charconv>

#include "router/base/status.h"
#include "router/context/limits.h"

namespace tandem::context {
namespace {

// Inside: "1 {version} {kind}/{id, or nothing} {request}".
constexpr std::string_view kForm = "1";

std::string_view TakeWord(std::string_view& rest) {
  const std::size_t blank = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, blank);
  rest.remove_prefix(std::min(blank + 1, rest.size()));
  return word;
}

std::optional<Version> ReadVersion(std::string_view text) {
  Version version;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version.value);
  // SQLite's integers are signed.
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || version.value > std::uint64_t{1} << 62) return std::nullopt;
  return version;
}

std::optional<EntityKey> ReadKey(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto kind = ParseEntityKind(text.substr(0, slash));
  if (!kind || slash == text.size() || !IsEntityId(text.substr(slash + 1))) return std::nullopt;
  return EntityKey{*kind, std::string(text.substr(slash + 1))};
}

}  // namespace

std::string MakePageToken(std::string_view request, const PagePosition& position) {
  const std::string inside =
      fmt::format("{} {} {} {}", kForm, position.version.value,
                  position.last ? ToText(*position.last) : std::string(), request);
  return absl::WebSafeBase64Escape(inside);
}

absl::StatusOr<std::optional<PagePosition>> ReadPageToken(std::string_view request,
                                                          std::string_view token) {
  if (token.empty()) return std::nullopt;
  std::string inside;
  const bool decoded =
      token.size() <= kPageTokenBytesMax &&
      absl::WebSafeBase64Unescape(absl::string_view(token.data(), token.size()), &inside);
  std::string_view rest = inside;
  const bool form = decoded && TakeWord(rest) == kForm;
  const std::optional<Version> version = form ? ReadVersion(TakeWord(rest)) : std::nullopt;
  const std::string_view last = version ? TakeWord(rest) : std::string_view();
  const std::optional<EntityKey> key = last.empty() ? std::nullopt : ReadKey(last);
  if (!version || (!last.empty() && !key) || rest != request) {
    return InvalidField("PAGE_TOKEN_INVALID", "page_token",
                        "does not belong to this request; send what the page before gave as "
                        "next_page_token, with all other fields as they were");
  }
  return PagePosition{*version, key};
}

}  // namespace tandem::context
