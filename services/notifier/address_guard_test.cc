#include "services/notifier/address_guard.h"

#include <gtest/gtest.h>

#include <string>

#include "router/base/status.h"

namespace tandem::notifier {
namespace {

namespace ip = boost::asio::ip;

bool Reaches(std::string_view url, const AddressPolicy& policy = {}) {
  return CheckUrl(url, policy).ok();
}

// Every way of writing an address behind the wall that resolvers and URL readers have been seen to
// accept.
TEST(AddressGuard, RefusesEveryEncodingOfAnAddressBehindTheWall) {
  for (const std::string_view host : {
           // loopback: plain, elsewhere in 127/8, octal, hex, dword, short, mixed, padded
           "127.0.0.1",
           "127.1.2.3",
           "127.255.255.254",
           "0177.0.0.1",
           "0177.0.0.01",
           "0x7f.0.0.1",
           "0x7f.0x0.0x0.0x1",
           "0x7f000001",
           "0X7F000001",
           "2130706433",
           "017700000001",
           "127.1",
           "127.0.1",
           "0x7f.1",
           "127.0.0.1.",
           "127.0.0.01",
           "127.000.000.001",
           "0.0.0.0",
           "0",
           "00.0.0.0",
           "127.0.0.1%00",
           "127.0.0.1%2e",
           "127%2e0%2e0%2e1",
           "127.0.0.0x1",
           "4294967297",
           "127.0.0.256",
           "1.2.3.4.5",
           "127。0。0。1",
           "①②⑦.⓪.⓪.①",
           // private, shared, link-local and metadata
           "10.0.0.1",
           "10.255.255.255",
           "172.16.0.1",
           "172.31.255.255",
           "192.168.0.1",
           "100.64.0.1",
           "100.127.255.255",
           "169.254.169.254",
           "2852039166",
           "0xa9fea9fe",
           "169.254.43518",
           "0251.0376.0251.0376",
           "168.63.129.16",
           "192.0.0.192",
           // multicast, reserved, broadcast, documentation, benchmarks
           "224.0.0.1",
           "239.255.255.255",
           "240.0.0.1",
           "255.255.255.255",
           "192.0.2.1",
           "198.18.0.1",
           "198.51.100.1",
           "203.0.113.1",
           "192.88.99.1",
           // IPv6: loopback, unspecified, mapped, compatible, NAT64, 6to4, Teredo, local, multicast
           "[::1]",
           "[0:0:0:0:0:0:0:1]",
           "[::]",
           "[::ffff:127.0.0.1]",
           "[::ffff:7f00:1]",
           "[0:0:0:0:0:ffff:127.0.0.1]",
           "[::ffff:8.8.8.8]",
           "[::127.0.0.1]",
           "[64:ff9b::7f00:1]",
           "[64:ff9b::8.8.8.8]",
           "[64:ff9b:1::a9fe:a9fe]",
           "[2002:7f00:1::]",
           "[2002:a00:1::1]",
           "[2001::1]",
           "[2001:db8::1]",
           "[3fff::1]",
           "[fe80::1]",
           "[fe80::1%25lo]",
           "[febf::1]",
           "[fec0::1]",
           "[fc00::1]",
           "[fd00:ec2::254]",
           "[ff02::1]",
           "[100::1]",
           "[4000::1]",
       }) {
    EXPECT_FALSE(Reaches(std::string("https://") + std::string(host) + "/")) << host;
  }
}

TEST(AddressGuard, ReachesPublicAddressesUpToTheEdgesOfTheBlocks) {
  for (const std::string_view host :
       {"8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
        "223.255.255.255", "168.63.129.17", "[2a00:1450::1]", "[2001:200::1]", "[2003::1]",
        "hooks.example.com"}) {
    EXPECT_TRUE(Reaches(std::string("https://") + std::string(host) + "/")) << host;
  }
}

TEST(AddressGuard, AllowingPrivateAddressesStillRefusesWhatIsNeverAReceiver) {
  const AddressPolicy inside{.allow_private_addresses = true};
  for (const std::string_view host :
       {"127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "[::1]", "[fd00::1]"}) {
    EXPECT_TRUE(Reaches(std::string("https://") + std::string(host) + ":8443/", inside)) << host;
  }
  for (const std::string_view host :
       {"169.254.169.254", "0.0.0.0", "224.0.0.1", "[::]", "[fe80::1]", "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]", "2130706433"}) {
    EXPECT_FALSE(Reaches(std::string("https://") + std::string(host) + "/", inside)) << host;
  }
}

TEST(AddressGuard, OneBadAddressAmongGoodOnesRefusesTheHost) {
  const ip::address good = ip::make_address("8.8.8.8");
  const ip::address good6 = ip::make_address("2a00:1450::1");
  EXPECT_TRUE(CheckAddresses({good, good6}, {}).ok());

  for (const char* bad : {"127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"}) {
    const absl::Status status = CheckAddresses({good, good6, ip::make_address(bad)}, {});
    EXPECT_EQ(ReasonOf(status), "ADDRESS_REFUSED") << bad;
    EXPECT_EQ(MessageOf(status).find(bad), std::string::npos) << "would help to map a network";
  }
}

TEST(AddressGuard, PlainHttpAndOtherPortsNeedTheOperatorsWord) {
  EXPECT_FALSE(Reaches("http://a.example/"));
  EXPECT_FALSE(Reaches("https://a.example:8443/"));
  EXPECT_FALSE(Reaches("https://a.example:22/"));
  EXPECT_TRUE(Reaches("http://a.example/", {.allow_http = true}));
  EXPECT_FALSE(Reaches("http://a.example:8080/", {.allow_http = true}));
  EXPECT_TRUE(Reaches("https://a.example:8443/", {.allowed_ports = {443, 8443}}));
  EXPECT_FALSE(Reaches("https://a.example:9443/", {.allowed_ports = {443, 8443}}));
  EXPECT_TRUE(Reaches("https://a.example:9443/", {.allow_private_addresses = true}));
}

TEST(AddressGuard, NeverReachesTheInstallationItself) {
  const AddressPolicy policy{.denied = {ip::make_address("8.8.8.8")}};

  EXPECT_FALSE(Reaches("https://8.8.8.8/", policy));
  EXPECT_FALSE(CheckAddresses({ip::make_address("8.8.8.8")}, policy).ok());
  EXPECT_TRUE(Reaches("https://8.8.4.4/", policy));
}

}  // namespace
}  // namespace tandem::notifier
