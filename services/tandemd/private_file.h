// Files and folders that only their owner may read: the data folder, tokens, addresses.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::tandemd {

// Makes `folder` and its parents, mode 0700 for what is new. FAILED_PRECONDITION names what is in
// the way.
absl::Status MakePrivateFolder(const std::string& folder);

// FAILED_PRECONDITION, DATA_FOLDER_FOREIGN, when `user` is root and another user owns `folder`:
// root would make files there that lock the owner out, and nobody would notice before the owner's
// next start. OK for everyone else, and when the folder cannot be looked at.
absl::Status CheckOwner(const std::string& folder, std::uint32_t user);

// OK also when there is none.
absl::Status RemoveFile(const std::string& path);

// Replaces `path` as a whole, mode 0600: a reader sees the old text or the new one.
absl::Status WritePrivateFile(const std::string& path, std::string_view text);

}  // namespace tandem::tandemd
