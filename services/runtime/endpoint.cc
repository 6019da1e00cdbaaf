#include "services/runtime/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::runtime {
namespace {

constexpr std::size_t kHostMax = 253;  // bytes of a DNS name, RFC 1035

bool IsAddress(int family, const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(family, host.c_str(), bytes) == 1;
}

bool IsName(std::string_view host) {
  return !host.empty() && host.size() <= kHostMax &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

// Only digits and dots: meant as an IPv4 address, so it has to be one.
bool LooksLikeIpv4(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

absl::StatusOr<Endpoint> ParseEndpoint(std::string_view text) {
  const auto bad = [&] {
    return Error(absl::StatusCode::kInvalidArgument, "ENDPOINT_INVALID",
                 fmt::format("\"{}\" is no address; expected HOST:PORT, such as 127.0.0.1:7443 or "
                             "[::1]:7443",
                             Printable(text)));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  Endpoint endpoint{.host = std::string(host)};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size()) return bad();
  if (brackets ? !IsAddress(AF_INET6, endpoint.host) : !IsName(host)) return bad();
  if (!brackets && LooksLikeIpv4(host) && !IsAddress(AF_INET, endpoint.host)) return bad();
  return endpoint;
}

std::string ToText(const Endpoint& endpoint) {
  const bool brackets = endpoint.host.find(':') != std::string::npos;
  return brackets ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
                  : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

bool IsLoopback(const Endpoint& endpoint) {
  return endpoint.host == "localhost" || endpoint.host == "::1" ||
         (endpoint.host.substr(0, 4) == "127." && IsAddress(AF_INET, endpoint.host));
}

}  // namespace tandem::runtime
