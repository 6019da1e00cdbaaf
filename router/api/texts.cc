#include "router/api/texts.h"

#include <fmt/format.h>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::api {

absl::Status CheckText(std::string_view text, std::string_view field, std::size_t max) {
  if (text.size() > max) {
    return InvalidField("TEXT_TOO_LONG", field,
                        fmt::format("{} bytes; at most {} are allowed", text.size(), max));
  }
  if (!IsUtf8(text)) return InvalidField("NOT_UTF8", field, "the text is not valid UTF-8");
  if (HasControlCharacters(text, {.allow_newlines = true})) {
    return InvalidField("CONTROL_CHARACTER", field, "control characters are not allowed");
  }
  return absl::OkStatus();
}

}  // namespace tandem::api
