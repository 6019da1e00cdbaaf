// How single values of the configuration are read and written. Pure, but for ReadSecret.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "services/runtime/secret.h"

namespace tandem::runtime {

absl::StatusOr<bool> ReadBool(std::string_view text);  // true or false

// Digits alone, up to 19 of them.
absl::StatusOr<std::uint64_t> ReadCount(std::string_view text);

// "64MiB", "4096B", "1GiB"; bytes.
absl::StatusOr<std::uint64_t> ReadSize(std::string_view text);
std::string SizeText(std::uint64_t bytes);  // the shortest such text

// A secret: the text itself when it begins with `prefix`, otherwise a file that holds such a text
// and nothing else. Messages never repeat what may be the secret.
struct SecretSource {
  std::string_view text;
  std::string_view prefix;
  std::filesystem::path base;    // what a relative path counts from
  bool on_command_line = false;  // then only a file will do
};
absl::StatusOr<Secret> ReadSecret(const SecretSource& source);

// OK when `key` is `TENANT/NAME`, the secret of one tenant, or `*/NAME`, one that every tenant's
// playbook may sign with. A bare name would be everybody's without anybody having said so.
absl::Status CheckSecretKey(std::string_view key);

// OK when `secret` is a Standard Webhooks secret: whsec_ and base64 of 24 to 64 bytes.
absl::Status CheckWebhookSecret(const Secret& secret);

}  // namespace tandem::runtime
