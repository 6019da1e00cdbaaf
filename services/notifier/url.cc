#include "services/notifier/url.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "router/base/status.h"

namespace tandem::notifier {
namespace {

constexpr std::size_t kUrlMax = 2048;  // bytes; longer: refused
constexpr std::size_t kHostMax = 253;  // bytes; the limit of DNS
constexpr std::size_t kLabelMax = 63;

absl::Status Malformed(std::string_view expected) {
  return InvalidField("URL_MALFORMED", "address", expected);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_' || c == '.';
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Whether resolvers might take `host` for an IPv4 address: its last label is a number in any base
// (the rule "ends in a number" of the WHATWG URL standard).
bool EndsInNumber(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (std::all_of(last.begin(), last.end(), IsDigit)) return true;
  if (!last.starts_with("0x")) return false;
  return std::all_of(last.begin() + 2, last.end(),
                     [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

absl::Status CheckName(std::string_view host) {
  if (host.size() > kHostMax) return Malformed("a host has at most 253 bytes");
  if (!std::all_of(host.begin(), host.end(), IsHostCharacter)) {
    return Malformed("a host is of letters, digits, `-`, `_` and `.`; write others in punycode");
  }
  std::size_t start = 0;
  while (start <= host.size()) {
    const std::size_t end = std::min(host.find('.', start), host.size());
    if (end == start) return Malformed("a host has no empty label, and no dot at its end");
    if (end - start > kLabelMax) return Malformed("a label of a host has at most 63 bytes");
    start = end + 1;
  }
  return absl::OkStatus();
}

absl::Status ReadHost(std::string_view text, Url& url) {
  if (text.empty()) return Malformed("expected a host after the scheme");
  if (text.front() == '[') {
    url.host = Lower(text.substr(1, text.size() - 2));
    std::array<unsigned char, 16> bytes{};
    if (inet_pton(AF_INET6, url.host.c_str(), bytes.data()) != 1) {
      return Malformed("expected an IPv6 address without a zone between `[` and `]`");
    }
    url.host_is_address = true;
    return absl::OkStatus();
  }
  url.host = Lower(text);
  TANDEM_RETURN_IF_ERROR(CheckName(url.host));
  if (!EndsInNumber(url.host)) return absl::OkStatus();
  std::array<unsigned char, 4> bytes{};
  // inet_pton takes four decimal bytes without leading zeros and nothing else.
  if (inet_pton(AF_INET, url.host.c_str(), bytes.data()) != 1) {
    return Malformed("an IPv4 address is four decimal numbers from 0 to 255 without leading zeros");
  }
  url.host_is_address = true;
  return absl::OkStatus();
}

absl::Status ReadPort(std::string_view text, Url& url) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || text.front() == '0' || error != std::errc() || stop != end || port > 65535) {
    return Malformed("a port is a number from 1 to 65535 without leading zeros");
  }
  url.port = static_cast<std::uint16_t>(port);
  return absl::OkStatus();
}

absl::Status ReadAuthority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    return Malformed("user name and password do not belong into an address");
  }
  std::size_t host_end = std::min(authority.find(':'), authority.size());
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return Malformed("`[` without `]` in the host");
    host_end = bracket + 1;
  }
  TANDEM_RETURN_IF_ERROR(ReadHost(authority.substr(0, host_end), url));
  const std::string_view rest = authority.substr(host_end);
  if (rest.empty()) return absl::OkStatus();
  if (rest.front() != ':') return Malformed("after the host comes `:` and a port, or the path");
  return ReadPort(rest.substr(1), url);
}

}  // namespace

std::string Url::Authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  const std::string name = v6 ? fmt::format("[{}]", host) : host;
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::Origin() const {
  return fmt::format("{}://{}:{}", tls ? "https" : "http", host, port);
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  if (text.size() > kUrlMax) return Malformed("an address has at most 2048 bytes");
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return Malformed("an address is of visible ASCII characters; write others percent-encoded");
  }
  if (text.find_first_of("\\#") != std::string_view::npos) {
    return Malformed("an address has no `\\` and no fragment");
  }
  Url url;
  const std::size_t scheme_end = text.find("://");
  const std::string scheme = Lower(text.substr(0, std::min(scheme_end, text.size())));
  if (scheme_end == std::string_view::npos || (scheme != "https" && scheme != "http")) {
    return Malformed("an address begins with `https://` or `http://`");
  }
  url.tls = scheme == "https";
  url.port = url.tls ? 443 : 80;
  text.remove_prefix(scheme_end + 3);
  const std::size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  TANDEM_RETURN_IF_ERROR(ReadAuthority(text.substr(0, authority_end), url));
  const std::string_view target = text.substr(authority_end);
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return url;
}

}  // namespace tandem::notifier
