// SHA-256 as the journal uses it: fed piece by piece, numbers in big endian.
//
// Each object belongs to one thread; different objects do not touch each other.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "router/journal/journal.h"

namespace tandem::journal {

class Sha256 {
 public:
  Sha256();

  Sha256& Bytes(std::string_view bytes);
  Sha256& Bytes(const Hash& hash);
  Sha256& Byte(std::uint8_t value);
  Sha256& Number(std::uint64_t value);  // 8 bytes, big endian
  // Length (8 bytes, big endian) and bytes: two neighbours cannot be cut differently.
  Sha256& Sized(std::string_view bytes);

  // The digest of everything fed since construction or the last Finish; begins anew.
  Hash Finish();

 private:
  void Begin();

  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// "9f86d081…": 64 lower-case hexadecimal digits.
std::string HexText(const Hash& hash);

}  // namespace tandem::journal
