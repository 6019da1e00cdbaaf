#include "services/notifier/address_guard.h"

#include <algorithm>
#include <array>

#include "router/base/check.h"
#include "router/base/status.h"

namespace tandem::notifier {
namespace {

namespace ip = boost::asio::ip;

struct Block4 {
  std::uint32_t prefix;
  int bits;
  AddressKind kind;
};

constexpr std::uint32_t V4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its updates), and one host that a cloud
// serves credentials from under a public address.
constexpr std::array kBlocks4 = {
    Block4{V4(0, 0, 0, 0), 8, AddressKind::kNever},         // "this network"
    Block4{V4(10, 0, 0, 0), 8, AddressKind::kPrivate},      // RFC 1918
    Block4{V4(100, 64, 0, 0), 10, AddressKind::kPrivate},   // shared, RFC 6598
    Block4{V4(127, 0, 0, 0), 8, AddressKind::kPrivate},     // loopback
    Block4{V4(168, 63, 129, 16), 32, AddressKind::kNever},  // Azure's platform address
    Block4{V4(169, 254, 0, 0), 16, AddressKind::kNever},    // link-local, cloud metadata
    Block4{V4(172, 16, 0, 0), 12, AddressKind::kPrivate},   // RFC 1918
    Block4{V4(192, 0, 0, 0), 24, AddressKind::kNever},      // protocol assignments
    Block4{V4(192, 0, 2, 0), 24, AddressKind::kNever},      // documentation
    Block4{V4(192, 88, 99, 0), 24, AddressKind::kNever},    // 6to4 relays
    Block4{V4(192, 168, 0, 0), 16, AddressKind::kPrivate},  // RFC 1918
    Block4{V4(198, 18, 0, 0), 15, AddressKind::kNever},     // benchmarks
    Block4{V4(198, 51, 100, 0), 24, AddressKind::kNever},   // documentation
    Block4{V4(203, 0, 113, 0), 24, AddressKind::kNever},    // documentation
    Block4{V4(224, 0, 0, 0), 4, AddressKind::kNever},       // multicast
    Block4{V4(240, 0, 0, 0), 4, AddressKind::kNever},       // reserved, broadcast
};

struct Block6 {
  std::array<std::uint8_t, 4> prefix;  // enough for the blocks below
  int bits;
};

// Inside 2000::/3, yet not the address of a host on the internet. (IANA IPv6 Special-Purpose
// Address Registry.)
constexpr std::array kSpecial6 = {
    Block6{{0x20, 0x01, 0x00, 0x00}, 23},  // Teredo, ORCHID, benchmarks
    Block6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Block6{{0x20, 0x02, 0x00, 0x00}, 16},  // 6to4 wraps an IPv4 address
    Block6{{0x3f, 0xff, 0x00, 0x00}, 20},  // documentation
};

AddressKind KindOf4(const ip::address_v4& address) {
  const std::uint32_t value = address.to_uint();
  for (const Block4& block : kBlocks4) {
    if ((value ^ block.prefix) >> (32 - block.bits) == 0) return block.kind;
  }
  return AddressKind::kPublic;
}

AddressKind KindOf6(const ip::address_v6& address) {
  if (address.is_loopback()) return AddressKind::kPrivate;
  const ip::address_v6::bytes_type bytes = address.to_bytes();
  if ((bytes[0] & 0xfe) == 0xfc) return AddressKind::kPrivate;  // unique local, fc00::/7
  // Everything but 2000::/3 is loopback, mapped, NAT64, link-local, multicast or not assigned.
  if ((bytes[0] & 0xe0) != 0x20) return AddressKind::kNever;
  const std::uint32_t value = V4(bytes[0], bytes[1], bytes[2], bytes[3]);
  for (const Block6& block : kSpecial6) {
    const auto& p = block.prefix;
    if ((value ^ V4(p[0], p[1], p[2], p[3])) >> (32 - block.bits) == 0) return AddressKind::kNever;
  }
  return AddressKind::kPublic;
}

absl::Status Refused(std::string_view message) {
  return Error(absl::StatusCode::kPermissionDenied, "ADDRESS_REFUSED", message);
}

bool PortAllowed(const Url& url, const AddressPolicy& policy) {
  if (!policy.allowed_ports.empty()) {
    return std::find(policy.allowed_ports.begin(), policy.allowed_ports.end(), url.port) !=
           policy.allowed_ports.end();
  }
  return policy.allow_private_addresses || url.port == 443 || (policy.allow_http && url.port == 80);
}

absl::Status CheckAddress(const ip::address& address, const AddressPolicy& policy) {
  if (std::find(policy.denied.begin(), policy.denied.end(), address) != policy.denied.end()) {
    return Refused("the endpoint is an address of this installation itself");
  }
  switch (KindOf(address)) {
    case AddressKind::kPublic:
      return absl::OkStatus();
    case AddressKind::kPrivate:
      if (policy.allow_private_addresses) return absl::OkStatus();
      return Refused(
          "the endpoint has a private address, and the notifier allows only public ones");
    case AddressKind::kNever:
      break;
  }
  return Refused(
      "the endpoint has an address that is never a receiver's (link-local, reserved, …)");
}

}  // namespace

AddressKind KindOf(const ip::address& address) {
  return address.is_v4() ? KindOf4(address.to_v4()) : KindOf6(address.to_v6());
}

absl::StatusOr<Url> CheckUrl(std::string_view text, const AddressPolicy& policy) {
  TANDEM_ASSIGN_OR_RETURN(Url url, ParseUrl(text));
  if (!url.tls && !policy.allow_http) {
    return Refused("the endpoint's address is http://, and the notifier allows only https://");
  }
  if (!PortAllowed(url, policy)) {
    return Refused("the endpoint's port is not among those that the notifier allows");
  }
  if (url.host_is_address) {
    TANDEM_RETURN_IF_ERROR(CheckAddress(ip::make_address(url.host), policy));
  }
  return url;
}

absl::Status CheckAddresses(const std::vector<ip::address>& addresses,
                            const AddressPolicy& policy) {
  TANDEM_CHECK(!addresses.empty(), "a resolved host has an address");
  for (const ip::address& address : addresses) {
    TANDEM_RETURN_IF_ERROR(CheckAddress(address, policy));
  }
  return absl::OkStatus();
}

}  // namespace tandem::notifier
