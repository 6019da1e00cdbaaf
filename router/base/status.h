// Errors that cross rooms: an absl::Status with a machine-readable reason and, where they help, the
// fields that are wrong, a retry delay and facts. The services turn these into google.rpc details.
//
// Pure; safe to call from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

// An error. `reason` is UPPER_SNAKE_CASE and stable; `message` says what was wrong, where, what was
// expected and what to do, and never carries a secret or another tenant's data.
// REQUIRES: code is not kOk.
absl::Status Error(absl::StatusCode code, std::string_view reason, std::string_view message);

// A field of a request that is wrong: `alerts[3].labels[0].value`.
struct FieldError {
  std::string field;
  std::string description;
  friend bool operator==(const FieldError&, const FieldError&) = default;
};

// INVALID_ARGUMENT for one field; the message is "{field}: {description}".
absl::Status InvalidField(std::string_view reason, std::string_view field,
                          std::string_view description);

// The same error with more said about it. `AddField` appends.
absl::Status AddField(absl::Status status, FieldError field);
absl::Status AddRetry(absl::Status status, absl::Duration delay);
absl::Status AddFact(absl::Status status, std::string_view key, std::string_view value);

// What was added. The reason of a foreign status is its code's name.
std::string ReasonOf(const absl::Status& status);
std::vector<FieldError> FieldsOf(const absl::Status& status);
std::optional<absl::Duration> RetryOf(const absl::Status& status);
std::map<std::string, std::string> FactsOf(const absl::Status& status);

// The same error with "{where}: " before its message; OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view where);

// The message as a std::string (Debian's absl::string_view is not std::string_view).
std::string MessageOf(const absl::Status& status);

}  // namespace tandem

#define TANDEM_CONCAT_INNER(a, b) a##b
#define TANDEM_CONCAT(a, b) TANDEM_CONCAT_INNER(a, b)

// Returns the status to the caller unless it is OK.
#define TANDEM_RETURN_IF_ERROR(expression)                                                       \
  do {                                                                                           \
    if (absl::Status tandem_status_ = (expression); !tandem_status_.ok()) return tandem_status_; \
  } while (false)

// `TANDEM_ASSIGN_OR_RETURN(auto x, MakeX());`
#define TANDEM_ASSIGN_OR_RETURN(declaration, expression) \
  TANDEM_ASSIGN_OR_RETURN_INNER(TANDEM_CONCAT(tandem_or_, __LINE__), declaration, expression)
#define TANDEM_ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                          \
  if (!temporary.ok()) return temporary.status();                         \
  declaration = *std::move(temporary)
