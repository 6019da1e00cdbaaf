// Bearer tokens: `tdm_{id}_{secret}`, where the id (8 of a-z and 2-7, 40 random bits) names the
// token in logs and look-ups and the secret (43 of base64url, 256 random bits) proves it.
//
// Only the SHA-256 of a token is kept: a fast hash is right where 256 bits cannot be guessed.
// Stateless; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace tandem::rpc {

struct NewToken {
  std::string id;      // "tdm_" and 8 characters; public
  std::string text;    // the whole token; shown once, never stored, never logged
  std::string sha256;  // of `text`, 64 hexadecimal digits; what is stored
};

// A token that nobody has had before. Stops the process when the machine has no random numbers.
NewToken MakeToken();

// The id (`tdm_…`) of a well-formed token. UNAUTHENTICATED with reason TOKEN_MISSING for an empty
// text and TOKEN_INVALID for any other; the message never repeats the text.
absl::StatusOr<std::string> TokenIdOf(std::string_view text);

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

// Equality in a time that does not depend on where the two differ. Different lengths are unequal.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace tandem::rpc
