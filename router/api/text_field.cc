#include "router/api/text_field.h"

#include <fmt/format.h>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::api {
namespace {

absl::Status Check(std::string_view text, std::string_view field, std::size_t bytes_max,
                   ControlCharacters allowed) {
  if (text.size() > bytes_max) {
    return InvalidField("TEXT_TOO_LONG", field,
                        fmt::format("{} bytes; at most {} are allowed", text.size(), bytes_max));
  }
  if (!IsUtf8(text)) return InvalidField("NOT_UTF8", field, "the text is not valid UTF-8");
  if (HasControlCharacters(text, allowed)) {
    return InvalidField("CONTROL_CHARACTER", field, "control characters are not allowed");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckText(std::string_view text, std::string_view field, std::size_t bytes_max) {
  return Check(text, field, bytes_max, {.allow_newlines = true});
}

absl::Status CheckLine(std::string_view text, std::string_view field, std::size_t bytes_max) {
  return Check(text, field, bytes_max, {});
}

absl::Status CheckRequestId(std::string_view request_id) {
  return CheckLine(request_id, "request_id", kRequestIdBytesMax);
}

}  // namespace tandem::api
