#include "router/base/status.h"

#include <absl/strings/cord.h>
#include <fmt/format.h>

#include <algorithm>

#include "router/base/check.h"

namespace tandem {
namespace {

constexpr char kReason[] = "tandem/reason";
constexpr char kFields[] = "tandem/fields";  // field NUL description NUL, repeated
constexpr char kRetry[] = "tandem/retry_ns";
constexpr char kFacts[] = "tandem/facts";  // key NUL value NUL, repeated

std::string Payload(const absl::Status& status, const char* key) {
  auto payload = status.GetPayload(key);
  return payload ? std::string(*payload) : std::string();
}

// A NUL of the text itself (a caller's, or a server's that is not ours) must not end a part early.
void AppendPart(std::string& all, std::string_view text) {
  const std::size_t start = all.size();
  all.append(text);
  std::replace(all.begin() + static_cast<std::ptrdiff_t>(start), all.end(), '\0', '?');
  all.push_back('\0');
}

void AppendPair(absl::Status& status, const char* key, std::string_view a, std::string_view b) {
  std::string all = Payload(status, key);
  AppendPart(all, a);
  AppendPart(all, b);
  status.SetPayload(key, absl::Cord(all));
}

template <typename Visit>
void ForEachPair(const absl::Status& status, const char* key, Visit visit) {
  const std::string all = Payload(status, key);
  std::size_t at = 0;
  while (at < all.size()) {
    const std::size_t middle = all.find('\0', at);
    const std::size_t end = all.find('\0', middle + 1);
    TANDEM_CHECK(middle != std::string::npos && end != std::string::npos, "payload of our own");
    visit(all.substr(at, middle - at), all.substr(middle + 1, end - middle - 1));
    at = end + 1;
  }
}

}  // namespace

absl::Status Error(absl::StatusCode code, std::string_view reason, std::string_view message) {
  TANDEM_CHECK(code != absl::StatusCode::kOk, "an error is not OK");
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  status.SetPayload(kReason, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

absl::Status InvalidField(std::string_view reason, std::string_view field,
                          std::string_view description) {
  return AddField(
      Error(absl::StatusCode::kInvalidArgument, reason, fmt::format("{}: {}", field, description)),
      {std::string(field), std::string(description)});
}

absl::Status AddField(absl::Status status, FieldError field) {
  AppendPair(status, kFields, field.field, field.description);
  return status;
}

absl::Status AddRetry(absl::Status status, absl::Duration delay) {
  status.SetPayload(kRetry, absl::Cord(fmt::format("{}", absl::ToInt64Nanoseconds(delay))));
  return status;
}

absl::Status AddFact(absl::Status status, std::string_view key, std::string_view value) {
  AppendPair(status, kFacts, key, value);
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  std::string reason = Payload(status, kReason);
  return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
}

std::vector<FieldError> FieldsOf(const absl::Status& status) {
  std::vector<FieldError> fields;
  ForEachPair(status, kFields, [&](std::string field, std::string description) {
    fields.push_back({std::move(field), std::move(description)});
  });
  return fields;
}

std::optional<absl::Duration> RetryOf(const absl::Status& status) {
  const std::string text = Payload(status, kRetry);
  if (text.empty()) return std::nullopt;
  return absl::Nanoseconds(std::stoll(text));
}

std::map<std::string, std::string> FactsOf(const absl::Status& status) {
  std::map<std::string, std::string> facts;
  ForEachPair(status, kFacts,
              [&](std::string key, std::string value) { facts[key] = std::move(value); });
  return facts;
}

absl::Status Annotate(const absl::Status& status, std::string_view where) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), fmt::format("{}: {}", where, MessageOf(status)));
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& payload) {
    annotated.SetPayload(key, payload);
  });
  return annotated;
}

std::string MessageOf(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

}  // namespace tandem
