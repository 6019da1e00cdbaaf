#include "router/api/cursor.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "router/base/status.h"

namespace tandem::api {
namespace {

// FNV-1a: finds accidents, not attackers; a forged token opens nothing that its bearer may not
// read.
std::uint32_t Checksum(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::string Seal(std::string_view text) {
  std::string sealed;
  absl::WebSafeBase64Escape(fmt::format("{:08x}{}", Checksum(text), text), &sealed);
  return sealed;
}

bool Open(std::string_view sealed, std::string& text) {
  std::string plain;
  if (sealed.size() > 1 << 20 ||
      !absl::WebSafeBase64Unescape(absl::string_view(sealed.data(), sealed.size()), &plain) ||
      plain.size() < 8) {
    return false;
  }
  text = plain.substr(8);
  return plain.substr(0, 8) == fmt::format("{:08x}", Checksum(text));
}

}  // namespace

std::string MakePageToken(std::string_view position, std::string_view bound_to) {
  return Seal(fmt::format("{:08x}{}", Checksum(bound_to), position));
}

absl::StatusOr<std::string> ReadPageToken(std::string_view token, std::string_view bound_to) {
  std::string text;
  if (!Open(token, text) || text.size() < 8 ||
      text.substr(0, 8) != fmt::format("{:08x}", Checksum(bound_to))) {
    return InvalidField("PAGE_TOKEN_INVALID", "page_token",
                        "expected the next_page_token of an answer to the same request");
  }
  return text.substr(8);
}

std::string MakeCursor(const Positions& positions) {
  std::string text;
  for (const auto& [tenant, position] : positions) {
    text += fmt::format("{}:{}.{},", tenant.value, position.sequence.value, position.incident);
  }
  return Seal(text);
}

absl::StatusOr<Positions> ReadCursor(std::string_view cursor) {
  std::string text;
  const absl::Status bad =
      InvalidField("CURSOR_INVALID", "cursor",
                   "expected the cursor of an event of this feed, whole and as sent");
  if (!Open(cursor, text)) return bad;
  Positions positions;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find(',');
    const std::size_t colon = rest.find(':');
    if (end == std::string_view::npos || colon == std::string_view::npos || colon > end) return bad;
    FeedPosition position;
    const char* stop = rest.data() + end;
    const auto [dot, error] =
        std::from_chars(rest.data() + colon + 1, stop, position.sequence.value);
    if (error != std::errc() || dot == stop || *dot != '.') return bad;
    const auto [at, error2] = std::from_chars(dot + 1, stop, position.incident);
    if (error2 != std::errc() || at != stop) return bad;
    positions[TenantId(std::string(rest.substr(0, colon)))] = position;
    rest.remove_prefix(end + 1);
  }
  return positions;
}

}  // namespace tandem::api
