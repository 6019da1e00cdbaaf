#include "router/playbook/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "router/base/check.h"

namespace tandem::playbook {

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  TANDEM_CHECK(done == 1 && size == digest.size(), "SHA-256 is there in every OpenSSL");
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace tandem::playbook
