// The file STATE of a spool: whose it is and which numbers are taken. Text, so that an operator can
// read it; SPOOL.md describes it.
//
// Pure.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::client {

struct SpoolState {
  std::string client_id;
  std::optional<std::uint64_t> number_base;
  // Numbers below it may have been given; the next process begins here or higher.
  std::uint64_t next_number = 1;
  friend bool operator==(const SpoolState&, const SpoolState&) = default;
};

std::string WriteSpoolState(const SpoolState& state);

// DATA_LOSS that names the line when the text is not one that WriteSpoolState made.
absl::StatusOr<SpoolState> ReadSpoolState(std::string_view text);

}  // namespace tandem::client
