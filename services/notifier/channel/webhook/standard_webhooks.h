// Standard Webhooks: how a receiver knows that a message is ours and unaltered
// (https://www.standardwebhooks.com, symmetric scheme `v1`).
//
// The signed text is `{webhook-id}.{webhook-timestamp}.{body}`, over exactly the bytes that are
// sent. Values; time is an argument. Safe to call from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

namespace tandem::notifier {

// A key that signs. Has no printer on purpose; its bytes are wiped when it goes.
class SigningSecret {
 public:
  // Reads `whsec_` + base64 of 24 to 64 bytes; the key is the decoded bytes. INVALID_ARGUMENT says
  // which of these failed and never repeats the text.
  static absl::StatusOr<SigningSecret> Parse(std::string_view text);

  SigningSecret(SigningSecret&& other) noexcept = default;
  SigningSecret(const SigningSecret& other) = default;
  SigningSecret& operator=(SigningSecret&& other) noexcept;
  SigningSecret& operator=(const SigningSecret& other);
  ~SigningSecret();

  const std::vector<unsigned char>& key() const { return key_; }

 private:
  explicit SigningSecret(std::vector<unsigned char> key) : key_(std::move(key)) {}
  std::vector<unsigned char> key_;
};

// What is signed. Views; they must outlive the call.
struct SignedMessage {
  std::string_view id;         // webhook-id: letters, digits, `_`, `-`; never a `.`
  std::string_view timestamp;  // webhook-timestamp: Unix seconds of this attempt, decimal
  std::string_view body;
};

// The value of `webhook-signature`: one `v1,{base64}` for each secret, in their order, parted by a
// space; "" without secrets. During a rotation the list holds the new and the old secret.
std::string Sign(const std::vector<SigningSecret>& secrets, const SignedMessage& message);

// Checks a received message. OK when `signatures` (the header's value) holds a `v1` entry that one
// of `secrets` made and the timestamp is within `tolerance` of `now` both ways. Otherwise
// UNAUTHENTICATED with reason SIGNATURE_MALFORMED, SIGNATURE_TOO_OLD, SIGNATURE_TOO_NEW or
// SIGNATURE_MISMATCH. Signatures are compared in constant time; unknown versions are skipped.
absl::Status Verify(const std::vector<SigningSecret>& secrets, const SignedMessage& message,
                    std::string_view signatures, absl::Time now,
                    absl::Duration tolerance = absl::Minutes(5));

}  // namespace tandem::notifier
