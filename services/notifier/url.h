// The addresses of endpoints, read strictly: what a lenient reader and a strict one understand
// differently is a hole in the guard behind it (address_guard.h).
//
// Pure; safe to call from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::notifier {

struct Url {
  bool tls = true;
  std::string host;  // lower case; an IPv6 address without its brackets
  bool host_is_address = false;
  std::uint16_t port = 443;
  std::string target = "/";  // path and query

  // The value of the header `host`: the port only where it is not the scheme's own.
  std::string Authority() const;
  // `https://host:port`: what connections are shared by.
  std::string Origin() const;
};

// Reads `http(s)://host[:port][/path][?query]`. Refuses everything that resolvers are known to read
// in several ways: user information, fragments, spaces, controls, backslashes, percent-encoded or
// non-ASCII hosts, a trailing dot, and hosts that end in a number without being four plain decimal
// bytes (`127.1`, `0x7f000001`, `0177.0.0.1`). INVALID_ARGUMENT with reason URL_MALFORMED says what
// was expected; it repeats nothing of the URL, which may carry a secret.
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace tandem::notifier
