// What went wrong, for a person. The mapping from the wire and to an exit code is router/rpc's.
//
// Pure.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

#include "tools/tandem/look.h"

namespace tandem::cli {

// What a script sees.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFinding = 1;      // a finding, or the router refused
inline constexpr int kExitUsage = 2;        // the command line or a request is wrong
inline constexpr int kExitUnreachable = 3;  // no answer from the router (see rpc::ExitCode)

// The facts that carry what has no place of its own in an absl::Status (see FactsOf).
inline constexpr std::string_view kFactCall = "call";             // "Incidents/GetIncident"
inline constexpr std::string_view kFactAddress = "address";       // "127.0.0.1:7443"
inline constexpr std::string_view kFactRequestId = "request_id";  // names the call in the logs

// "tandem: {what}" and below it, as far as known: where, reason, fields, when to try again, what to
// do, request id. Ends with a newline. REQUIRES: !status.ok().
std::string RenderFailure(const absl::Status& status, const Look& look);

// The same as one JSON object (google.rpc.Status), with a newline. REQUIRES: !status.ok().
std::string FailureJson(const absl::Status& status);

}  // namespace tandem::cli
