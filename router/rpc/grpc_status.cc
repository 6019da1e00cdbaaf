#include "router/rpc/grpc_status.h"

#include <fmt/format.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::rpc {
namespace {

// One line that a terminal and a log can take, whatever a caller has put into it.
std::string Clean(std::string_view text) {
  return IsUtf8(text) && !HasControlCharacters(text) ? std::string(text) : Printable(text);
}

// `text` in at most `max` bytes, cut between characters.
std::string Cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  constexpr std::string_view kEllipsis = "…";
  std::size_t at = max - kEllipsis.size();
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  text.resize(at);
  return text.append(kEllipsis);
}

// Adds `fields` to `details` as `Detail`, as many as fit; returns how many were left out.
template <typename Detail, typename Add>
std::size_t AddFields(const std::vector<FieldError>& fields, google::rpc::Status& details,
                      Add add) {
  Detail detail;
  std::size_t left = kWireDetailsMax - std::min(kWireDetailsMax, details.ByteSizeLong() + 200);
  std::size_t taken = 0;
  for (const FieldError& field : fields) {
    // Cut as the message is, so that the first always fits: an error without its field tells less.
    const FieldError shown{Cut(Clean(field.field), kWireFieldMax),
                           Cut(Clean(field.description), kWireMessageMax)};
    const std::size_t size = shown.field.size() + shown.description.size() + 10;
    if (size > left) break;
    left -= size;
    add(detail, shown);
    ++taken;
  }
  details.add_details()->PackFrom(detail);
  return fields.size() - taken;
}

std::size_t AddFieldDetails(const absl::Status& status, google::rpc::Status& details) {
  const std::vector<FieldError> fields = FieldsOf(status);
  if (status.code() == absl::StatusCode::kFailedPrecondition) {
    const std::string reason = ReasonOf(status);
    return AddFields<google::rpc::PreconditionFailure>(
        fields, details, [&](auto& detail, const FieldError& field) {
          auto* violation = detail.add_violations();
          violation->set_type(reason);
          violation->set_subject(field.field);
          violation->set_description(field.description);
        });
  }
  if (fields.empty()) return 0;
  return AddFields<google::rpc::BadRequest>(fields, details,
                                            [](auto& detail, const FieldError& field) {
                                              auto* violation = detail.add_field_violations();
                                              violation->set_field(field.field);
                                              violation->set_description(field.description);
                                            });
}

google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain(std::string(kErrorDomain));
  std::size_t left = kWireDetailsMax / 2;
  for (const auto& [key, value] : FactsOf(status)) {
    if (key.size() + value.size() + 8 > left) continue;
    left -= key.size() + value.size() + 8;
    (*info.mutable_metadata())[Clean(key)] = Clean(value);
  }
  return info;
}

void RestoreDetail(const google::protobuf::Any& detail, absl::Status& status) {
  google::rpc::BadRequest bad_request;
  google::rpc::PreconditionFailure precondition;
  google::rpc::RetryInfo retry;
  if (detail.UnpackTo(&bad_request)) {
    for (const auto& violation : bad_request.field_violations()) {
      status = AddField(std::move(status), {violation.field(), violation.description()});
    }
  } else if (detail.UnpackTo(&precondition)) {
    for (const auto& violation : precondition.violations()) {
      status = AddField(std::move(status), {violation.subject(), violation.description()});
    }
  } else if (detail.UnpackTo(&retry)) {
    status = AddRetry(std::move(status), absl::Seconds(retry.retry_delay().seconds()) +
                                             absl::Nanoseconds(retry.retry_delay().nanos()));
  }
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status, std::string_view request_id) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(Cut(Clean(MessageOf(status)), kWireMessageMax));
  google::rpc::ErrorInfo info = InfoOf(status);
  google::rpc::RequestInfo request;
  request.set_request_id(std::string(request_id));
  details
      .add_details();  // ErrorInfo stands first; it is packed last, for it counts what is left out.
  details.add_details()->PackFrom(request);
  if (const auto delay = RetryOf(status)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(*delay));
    retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>(
        absl::ToInt64Nanoseconds(*delay - absl::Seconds(absl::ToInt64Seconds(*delay)))));
    details.add_details()->PackFrom(retry);
  }
  details.mutable_details(0)->PackFrom(info);
  if (const std::size_t omitted = AddFieldDetails(status, details); omitted > 0) {
    (*info.mutable_metadata())["fields_omitted"] = fmt::format("{}", omitted);
    details.mutable_details(0)->PackFrom(info);
  }
  return {static_cast<grpc::StatusCode>(status.code()), details.message(),
          details.SerializeAsString()};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  // The numbers of the two vocabularies are equal; a server may send any other.
  const int number = static_cast<int>(status.error_code());
  const auto code = number >= 1 && number <= 16 ? static_cast<absl::StatusCode>(number)
                                                : absl::StatusCode::kUnknown;
  absl::Status restored(code, status.error_message());
  google::rpc::Status details;
  if (status.error_details().empty() || !details.ParseFromString(status.error_details())) {
    return restored;
  }
  google::rpc::ErrorInfo info;
  for (const auto& detail : details.details()) {
    if (!detail.UnpackTo(&info)) continue;
    restored = Error(code, info.reason(), status.error_message());
    const std::map<std::string, std::string> facts(info.metadata().begin(), info.metadata().end());
    for (const auto& [key, value] : facts) restored = AddFact(std::move(restored), key, value);
    break;
  }
  for (const auto& detail : details.details()) RestoreDetail(detail, restored);
  return restored;
}

std::string RequestIdOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::RequestInfo request;
  if (!details.ParseFromString(status.error_details())) return "";
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&request)) return request.request_id();
  }
  return "";
}

int ExitCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return 3;
    default:
      return 1;
  }
}

int HttpStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

}  // namespace tandem::rpc
