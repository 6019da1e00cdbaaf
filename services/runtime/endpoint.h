// An address to listen on or to call: HOST:PORT. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::runtime {

struct Endpoint {
  std::string host;        // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;  // 0: any free one, only to listen on

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "127.0.0.1:7443", "[::1]:0", "router.example:7443". INVALID_ARGUMENT for anything else; a host is
// needed, so that nobody listens to the whole network by leaving it out.
absl::StatusOr<Endpoint> ParseEndpoint(std::string_view text);

// The same text again; an IPv6 address in brackets.
std::string ToText(const Endpoint& endpoint);

// Reachable from this machine alone: 127.0.0.0/8, ::1, "localhost".
bool IsLoopback(const Endpoint& endpoint);

}  // namespace tandem::runtime
