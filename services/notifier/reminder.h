// Says what holds for many deliveries once in a while, not once for each.
//
// No clock; not thread-safe.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tandem::notifier {

class Reminder {
 public:
  // How many texts are remembered; a further one takes the place of the one that was said longest
  // ago, which may then be said again early. 256 × about 300 bytes ≈ 75 KiB.
  static constexpr std::size_t kTextsMax = 256;

  explicit Reminder(absl::Duration every) : every_(every) {}

  // When `text` was not said within `every`: how often it was held back since. nullopt: not now.
  std::optional<std::uint64_t> Due(const std::string& text, absl::Time now);

 private:
  struct Said {
    absl::Time at;
    std::uint64_t held_back = 0;
  };
  const absl::Duration every_;
  std::map<std::string, Said> said_;
};

}  // namespace tandem::notifier
