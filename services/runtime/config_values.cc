#include "services/runtime/config_values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::runtime {
namespace {

constexpr std::size_t kSecretFileMax = 4096;  // bytes

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 4> kSizeUnits = {
    {{"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}}};

absl::Status Bad(std::string_view text, std::string_view expected) {
  return Error(absl::StatusCode::kInvalidArgument, "VALUE_INVALID",
               fmt::format("\"{}\" is not {}", Printable(text.substr(0, 100)), expected));
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

absl::StatusOr<bool> ReadBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Bad(text, "true or false");
}

absl::StatusOr<std::uint64_t> ReadCount(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || text.size() > 19 || error != std::errc() || end != text.data() + text.size())
    return Bad(text, "a whole number");
  return count;
}

absl::StatusOr<std::uint64_t> ReadSize(std::string_view text) {
  constexpr std::string_view kExpected = "a size; expected a form such as 64MiB, 512KiB or 4096B";
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || digits > 9) return Bad(text, kExpected);
  TANDEM_ASSIGN_OR_RETURN(const std::uint64_t count, ReadCount(text.substr(0, digits)));
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.name == text.substr(digits)) return count * unit.bytes;  // below 10^9 × 2^30 < 2^60
  }
  return Bad(text, kExpected);
}

std::string SizeText(std::uint64_t bytes) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (bytes > 0 && bytes % unit.bytes == 0) {
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
  }
  return "0B";
}

absl::StatusOr<Secret> ReadSecret(const SecretSource& source) {
  const auto error = [](std::string message) {
    return Error(absl::StatusCode::kInvalidArgument, "SECRET_INVALID", message);
  };
  if (source.text.substr(0, source.prefix.size()) == source.prefix) {
    if (source.on_command_line) {
      return error(
          "a secret on the command line is seen by every user of the machine; name a file "
          "that holds it");
    }
    return Secret(std::string(source.text));
  }
  const std::filesystem::path path = source.base / std::filesystem::path(source.text);
  std::ifstream in(path, std::ios::binary);
  std::string content(kSecretFileMax + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!in.is_open() || in.bad()) {
    return error(
        fmt::format("cannot read the file \"{}\"; expected a secret that begins with {}, "
                    "or a file that holds one",
                    Printable(path.string()), source.prefix));
  }
  content.resize(static_cast<std::size_t>(in.gcount()));
  const std::string_view secret = Trimmed(content);
  if (content.size() > kSecretFileMax || secret.substr(0, source.prefix.size()) != source.prefix) {
    return error(fmt::format("the file \"{}\" does not hold a secret that begins with {}",
                             Printable(path.string()), source.prefix));
  }
  return Secret(std::string(secret));
}

absl::Status CheckSecretKey(std::string_view key) {
  constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789-";
  constexpr std::string_view kName =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  constexpr std::size_t kTenantMax = 63;
  constexpr std::size_t kNameMax = 64;  // as in playbooks
  const auto is_of = [](std::string_view text, std::size_t most, std::string_view characters) {
    return !text.empty() && text.size() <= most &&
           text.find_first_not_of(characters) == std::string_view::npos;
  };
  const auto error = [](std::string message) {
    return Error(absl::StatusCode::kInvalidArgument, "SECRET_INVALID", message);
  };
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos && is_of(key, kNameMax, kName)) {
    return error(
        fmt::format("does not say whose secret it is; expected TENANT/{0}, which that tenant's "
                    "playbook alone may sign with, or \"*/{0}\", which every tenant's may",
                    key));
  }
  const std::string_view tenant = key.substr(0, slash);
  const bool fits = slash != std::string_view::npos &&
                    (tenant == "*" || is_of(tenant, kTenantMax, kLower)) &&
                    is_of(key.substr(slash + 1), kNameMax, kName);
  if (fits) return absl::OkStatus();
  return error(
      fmt::format("\"{}\" is no name of a secret; expected TENANT/NAME or */NAME, the name 1 to {} "
                  "of A-Z, a-z, 0-9, - and _",
                  Printable(key.substr(0, 150)), kNameMax));
}

absl::Status CheckWebhookSecret(const Secret& secret) {
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string_view text = secret.Reveal();
  text.remove_prefix(std::min(text.size(), std::string_view("whsec_").size()));
  const bool padded = text.size() % 4 == 0;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  const std::size_t bytes = text.size() * 6 / 8;
  if (!padded || text.find_first_not_of(kBase64) != std::string_view::npos || bytes < 24 ||
      bytes > 64) {
    return Error(
        absl::StatusCode::kInvalidArgument, "SECRET_INVALID",
        "is not a Standard Webhooks secret; expected whsec_ and padded base64 of 24 to 64 bytes");
  }
  return absl::OkStatus();
}

}  // namespace tandem::runtime
