#include "tools/agent/refusal.h"

#include "router/base/status.h"

namespace tandem::client {

bool IsFinalRefusal(const absl::Status& why, const EndedStream& stream) {
  // It was let in: what ended it is what has changed since, and the next try gets the answer to
  // what holds now.
  if (stream.welcomed) return false;
  if (stream.tenant_may_come && IsMissingTenant(why)) return false;
  const bool token_may_come = stream.token_from_file && stream.welcomed_before;
  switch (why.code()) {
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kNotFound:  // also the token's file, between two versions of it
      return !token_may_come;
    case absl::StatusCode::kPermissionDenied:
      return true;
    case absl::StatusCode::kInvalidArgument:
      return !token_may_come;
    case absl::StatusCode::kUnimplemented:
      // A proxy answers so for a moment while the router behind it is exchanged.
      return !stream.welcomed_before;
    default:
      return false;
  }
}

bool IsMissingTenant(const absl::Status& why) {
  // A token's file that is not there is NOT_FOUND, too, with another reason.
  return why.code() == absl::StatusCode::kNotFound && ReasonOf(why) == "TENANT_NOT_FOUND";
}

std::string_view AdviceFor(const absl::Status& final_refusal) {
  switch (final_refusal.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "give a valid token with --token-file; an administrator makes one with `tandem admin "
             "token create PRINCIPAL`";
    case absl::StatusCode::kPermissionDenied:
      return "ask an administrator for a principal with the role agent in this tenant";
    case absl::StatusCode::kNotFound:
      return "check --tenant and --token-file";
    case absl::StatusCode::kInvalidArgument:
      return "check --client-id, --tenant and --token-file";
    default:
      return "check that --address is that of a Tandem router";
  }
}

}  // namespace tandem::client
