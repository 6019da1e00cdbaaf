#include "router/journal/sha256.h"

#include "router/base/check.h"

namespace tandem::journal {
namespace {

// Fetching looks the algorithm up by name under a lock: once per process, never freed.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  TANDEM_CHECK(algorithm != nullptr, "OpenSSL has no SHA-256");
  return algorithm;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  TANDEM_CHECK(context_ != nullptr, "out of memory");
  Begin();
}

void Sha256::Begin() {
  TANDEM_CHECK(EVP_DigestInit_ex2(context_.get(), Algorithm(), nullptr) == 1, "SHA-256 init");
}

Sha256& Sha256::Bytes(std::string_view bytes) {
  TANDEM_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256 update");
  return *this;
}

Sha256& Sha256::Bytes(const Hash& hash) {
  TANDEM_CHECK(EVP_DigestUpdate(context_.get(), hash.data(), hash.size()) == 1, "SHA-256 update");
  return *this;
}

Sha256& Sha256::Byte(std::uint8_t value) {
  TANDEM_CHECK(EVP_DigestUpdate(context_.get(), &value, 1) == 1, "SHA-256 update");
  return *this;
}

Sha256& Sha256::Number(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  }
  TANDEM_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256 update");
  return *this;
}

Sha256& Sha256::Sized(std::string_view bytes) { return Number(bytes.size()).Bytes(bytes); }

Hash Sha256::Finish() {
  Hash hash;
  unsigned size = 0;
  TANDEM_CHECK(EVP_DigestFinal_ex(context_.get(), hash.data(), &size) == 1 && size == hash.size(),
               "SHA-256 final");
  Begin();
  return hash;
}

std::string HexText(const Hash& hash) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * hash.size());
  for (const std::uint8_t byte : hash) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace tandem::journal
