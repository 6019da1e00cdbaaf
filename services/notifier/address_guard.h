// The guard against server-side request forgery: which addresses the notifier may connect to.
//
// Endpoints are chosen by tenants, the notifier stands inside somebody's network. So the URL is
// read strictly, the host is resolved once, every address it has is checked, and the connection
// goes to exactly the address that was checked. The check at the time of sending decides; an
// earlier one (when a playbook is proposed) is advice.
//
// Pure; safe to call from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "services/notifier/url.h"

namespace tandem::notifier {

struct AddressPolicy {
  // Loopback, RFC 1918, shared (100.64/10) and unique local addresses. For an installation whose
  // receivers stand beside it. Link-local addresses (cloud metadata), multicast, unspecified,
  // reserved and IPv6 forms that wrap an IPv4 address stay refused.
  bool allow_private_addresses = false;
  // Plain http. Without it only https.
  bool allow_http = false;
  // Empty: 443 (and 80 with `allow_http`), or every port with `allow_private_addresses`.
  std::vector<std::uint16_t> allowed_ports = {};
  // Refused whatever else holds: the addresses that this installation itself listens on.
  std::vector<boost::asio::ip::address> denied = {};
};

// What kind of address it is, as far as the guard cares.
enum class AddressKind {
  kPublic,
  kPrivate,  // refused unless the policy allows private addresses
  kNever,    // refused always
};
AddressKind KindOf(const boost::asio::ip::address& address);

// Reads `text` and checks scheme and port, and the host where it is an address. INVALID_ARGUMENT
// (URL_MALFORMED) or PERMISSION_DENIED (ADDRESS_REFUSED): no attempt will ever succeed.
absl::StatusOr<Url> CheckUrl(std::string_view text, const AddressPolicy& policy);

// Checks all that a host resolved to. One bad address refuses the host: a name with a public and a
// private address is an attack or a mistake. PERMISSION_DENIED (ADDRESS_REFUSED); the message does
// not repeat the address, so that it cannot be used to map a network.
// REQUIRES: !addresses.empty().
absl::Status CheckAddresses(const std::vector<boost::asio::ip::address>& addresses,
                            const AddressPolicy& policy);

}  // namespace tandem::notifier
