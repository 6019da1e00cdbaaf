// Files and folders that only their owner may read: the data folder, tokens, addresses.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

namespace tandem::tandemd {

// Makes `folder` and its parents, mode 0700 for what is new. FAILED_PRECONDITION names what is in
// the way.
absl::Status MakePrivateFolder(const std::string& folder);

// Replaces `path` as a whole, mode 0600: a reader sees the old text or the new one.
absl::Status WritePrivateFile(const std::string& path, std::string_view text);

}  // namespace tandem::tandemd
