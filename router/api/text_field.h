// What a text of a request must be like. Pure.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <string_view>

namespace tandem::api {

inline constexpr std::size_t kCommentBytesMax = 4096;
inline constexpr std::size_t kRequestIdBytesMax = 64;  // a UUID has 36

// INVALID_ARGUMENT with reason TEXT_TOO_LONG, NOT_UTF8 or CONTROL_CHARACTER (line breaks are
// allowed), naming `field`.
absl::Status CheckText(std::string_view text, std::string_view field, std::size_t bytes_max);

// The same without line breaks.
absl::Status CheckLine(std::string_view text, std::string_view field, std::size_t bytes_max);

// CheckLine of the field `request_id`.
absl::Status CheckRequestId(std::string_view request_id);

}  // namespace tandem::api
