#include "router/rpc/token.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "router/base/check.h"
#include "router/base/status.h"

namespace tandem::rpc {
namespace {

constexpr std::string_view kPrefix = "tdm_";
constexpr std::size_t kIdLetters = 8;       // 8 letters × 5 bits = 40 bits
constexpr std::size_t kSecretBytes = 32;    // 256 bits
constexpr std::size_t kSecretLetters = 43;  // ⌈256 bits / 6⌉, without padding
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648, lower case
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";  // RFC 4648 §5

// `bytes` as big-endian groups of `bits`, each one letter; the last is filled with zero bits.
std::string Letters(const unsigned char* bytes, std::size_t size, unsigned bits,
                    std::string_view alphabet) {
  std::string out;
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    held = (held << 8) | bytes[i];
    held_bits += 8;
    while (held_bits >= bits) {
      held_bits -= bits;
      out += alphabet[(held >> held_bits) & (alphabet.size() - 1)];
    }
  }
  if (held_bits > 0) out += alphabet[(held << (bits - held_bits)) & (alphabet.size() - 1)];
  return out;
}

bool AllOf(std::string_view text, std::string_view alphabet) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphabet.find(c) != std::string_view::npos; });
}

}  // namespace

NewToken MakeToken() {
  std::array<unsigned char, 5 + kSecretBytes> random;
  TANDEM_CHECK(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1,
               "the machine's random number generator must work");
  NewToken token;
  token.id = std::string(kPrefix) + Letters(random.data(), 5, 5, kBase32);
  token.text = token.id + "_" + Letters(random.data() + 5, kSecretBytes, 6, kBase64Url);
  token.sha256 = Sha256Hex(token.text);
  OPENSSL_cleanse(random.data(), random.size());
  return token;
}

absl::StatusOr<std::string> TokenIdOf(std::string_view text) {
  if (text.empty()) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MISSING",
                 "the call carries no token; send metadata `authorization: Bearer tdm_…`");
  }
  constexpr std::size_t kIdEnd = kPrefix.size() + kIdLetters;
  if (text.size() != kIdEnd + 1 + kSecretLetters || text.substr(0, kPrefix.size()) != kPrefix ||
      !AllOf(text.substr(kPrefix.size(), kIdLetters), kBase32) || text[kIdEnd] != '_' ||
      !AllOf(text.substr(kIdEnd + 1), kBase64Url)) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID",
                 "the token is not one of Tandem's; expected tdm_, an id of 8 characters, _ and 43 "
                 "characters: was it copied whole?");
  }
  return std::string(text.substr(0, kIdEnd));
}

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tandem::rpc
