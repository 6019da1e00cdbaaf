#include "services/notifier/channel/webhook/standard_webhooks.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>

#include "router/base/check.h"
#include "router/base/status.h"

namespace tandem::notifier {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::string_view kVersion = "v1,";
constexpr std::size_t kKeyMin = 24;  // bytes; both bounds are the specification's
constexpr std::size_t kKeyMax = 64;
constexpr std::size_t kSignaturesMax = 16;  // entries of one header that are looked at

using Digest = std::array<unsigned char, 32>;  // SHA-256

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// Fetched once: a fetch for each message is slow in OpenSSL 3.0.
EVP_MAC* Hmac() {
  static const std::unique_ptr<EVP_MAC, FreeMac> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  TANDEM_CHECK(mac != nullptr, "OpenSSL's default provider has HMAC");
  return mac.get();
}

std::optional<std::vector<unsigned char>> DecodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::vector<unsigned char> bytes(text.size() / 4 * 3);
  const int size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // EVP_DecodeBlock counts the padding as zero bytes.
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string EncodeBase64(const Digest& digest) {
  std::array<unsigned char, 45> text{};  // 32 bytes → 44 characters and a NUL
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return std::string(text.begin(), text.begin() + size);
}

Digest Compute(const SigningSecret& secret, const SignedMessage& message) {
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_new(Hmac()));
  TANDEM_CHECK(context != nullptr, "memory for an HMAC");
  std::string sha256 = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256.data(), 0),
      OSSL_PARAM_construct_end()};
  bool ok =
      EVP_MAC_init(context.get(), secret.key().data(), secret.key().size(), parameters.data()) == 1;
  for (const std::string_view part : {message.id, std::string_view("."), message.timestamp,
                                      std::string_view("."), message.body}) {
    ok = ok && EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(part.data()),
                              part.size()) == 1;
  }
  Digest digest{};
  std::size_t size = 0;
  ok = ok && EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1;
  TANDEM_CHECK(ok && size == digest.size(), "HMAC-SHA256 does not fail on valid arguments");
  return digest;
}

absl::Status Rejected(std::string_view reason, std::string_view message) {
  return Error(absl::StatusCode::kUnauthenticated, reason, message);
}

absl::Status CheckTime(std::string_view timestamp, absl::Time now, absl::Duration tolerance) {
  std::int64_t seconds = 0;
  const char* end = timestamp.data() + timestamp.size();
  const auto [stop, error] = std::from_chars(timestamp.data(), end, seconds);
  if (error != std::errc() || stop != end) {
    return Rejected("SIGNATURE_MALFORMED", "webhook-timestamp is not a number of Unix seconds");
  }
  const absl::Time sent = absl::FromUnixSeconds(seconds);
  if (sent < now - tolerance) {
    return Rejected("SIGNATURE_TOO_OLD",
                    "webhook-timestamp is too old: a replay, or a wrong clock");
  }
  if (sent > now + tolerance) {
    return Rejected("SIGNATURE_TOO_NEW", "webhook-timestamp is in the future: a wrong clock");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SigningSecret> SigningSecret::Parse(std::string_view text) {
  constexpr std::string_view kField = "secret";
  if (!text.starts_with(kSecretPrefix)) {
    return InvalidField("SECRET_MALFORMED", kField, "a signing secret begins with `whsec_`");
  }
  auto key = DecodeBase64(text.substr(kSecretPrefix.size()));
  if (!key) {
    return InvalidField("SECRET_MALFORMED", kField,
                        "what follows `whsec_` is padded standard base64");
  }
  SigningSecret secret(*std::move(key));
  if (secret.key_.size() < kKeyMin || secret.key_.size() > kKeyMax) {
    return InvalidField(
        "SECRET_MALFORMED", kField,
        fmt::format("a signing secret has {} to {} bytes, this one has {}; make one "
                    "with `openssl rand -base64 32`",
                    kKeyMin, kKeyMax, secret.key_.size()));
  }
  return secret;
}

SigningSecret& SigningSecret::operator=(SigningSecret&& other) noexcept {
  std::swap(key_, other.key_);
  return *this;
}

SigningSecret& SigningSecret::operator=(const SigningSecret& other) {
  return *this = SigningSecret(other);
}

SigningSecret::~SigningSecret() {
  if (!key_.empty()) OPENSSL_cleanse(key_.data(), key_.size());
}

std::string Sign(const std::vector<SigningSecret>& secrets, const SignedMessage& message) {
  std::string header;
  for (const SigningSecret& secret : secrets) {
    if (!header.empty()) header += ' ';
    header.append(kVersion).append(EncodeBase64(Compute(secret, message)));
  }
  return header;
}

absl::Status Verify(const std::vector<SigningSecret>& secrets, const SignedMessage& message,
                    std::string_view signatures, absl::Time now, absl::Duration tolerance) {
  TANDEM_RETURN_IF_ERROR(CheckTime(message.timestamp, now, tolerance));
  std::vector<Digest> expected;
  expected.reserve(secrets.size());
  for (const SigningSecret& secret : secrets) expected.push_back(Compute(secret, message));
  bool found = false;
  for (std::size_t seen = 0; !signatures.empty() && seen < kSignaturesMax; ++seen) {
    const std::string_view entry = signatures.substr(0, signatures.find(' '));
    signatures.remove_prefix(std::min(entry.size() + 1, signatures.size()));
    if (!entry.starts_with(kVersion)) continue;
    const auto given = DecodeBase64(entry.substr(kVersion.size()));
    if (!given || given->size() != Digest{}.size()) continue;
    for (const Digest& digest : expected) {
      found |= CRYPTO_memcmp(given->data(), digest.data(), digest.size()) == 0;
    }
  }
  if (!found) {
    return Rejected("SIGNATURE_MISMATCH",
                    "no signature of a known version fits: another secret, or an altered message");
  }
  return absl::OkStatus();
}

}  // namespace tandem::notifier
