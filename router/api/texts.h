// Texts that people send with what they do: how long, and of which characters. Pure.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <string_view>

namespace tandem::api {

// Beyond any of these the call is refused with TEXT_TOO_LONG.
inline constexpr std::size_t kCommentMax = 4096;  // bytes
inline constexpr std::size_t kNoteMax = 16384;    // bytes
inline constexpr std::size_t kRequestIdMax = 64;  // bytes; a UUID has 36

// OK for at most `max` bytes of UTF-8 without control characters (newlines are allowed);
// INVALID_ARGUMENT with reason TEXT_TOO_LONG, NOT_UTF8 or CONTROL_CHARACTER otherwise.
absl::Status CheckText(std::string_view text, std::string_view field, std::size_t max);

}  // namespace tandem::api
