// When the router's refusal of a stream is its last word.
//
// Pure; safe to call from any thread.
#pragma once

#include <absl/status/status.h>

#include <string_view>

namespace tandem::client {

struct EndedStream {
  bool welcomed = false;         // this stream got as far as Welcome
  bool welcomed_before = false;  // this one, or an earlier stream of this process
  bool token_from_file = false;  // the token is read anew for each stream
  bool tenant_may_come = false;  // ClientOptions::wait_for_tenant
};

// True when another attempt cannot end otherwise until a person mends something: the credential is
// unknown or may not send, the tenant does not exist, the first message is wrong, or what answers
// is no router. False for what passes by itself, and for:
//   - INVALID_ARGUMENT after the welcome, which is about one batch (Session::OnEnd gives it up);
//   - UNAUTHENTICATED of a client that was welcomed before and whose token stands in a file: the
//     token is being rotated, and the file will hold the new one;
//   - IsMissingTenant() of a client that was told to wait for it.
bool IsFinalRefusal(const absl::Status& why, const EndedStream& stream);

// True when the router does not know the tenant, or not for this credential: it does not tell
// which.
bool IsMissingTenant(const absl::Status& why);

// What to do about a final refusal, as an imperative without a full stop.
std::string_view AdviceFor(const absl::Status& final_refusal);

}  // namespace tandem::client
