#include "tools/agent/spool_state.h"

#include <fmt/format.h>
#include <zlib.h>

#include <charconv>
#include <map>

#include "router/base/status.h"

namespace tandem::client {
namespace {

std::string Body(const SpoolState& state) {
  std::string text = fmt::format("tandem-spool 1\nclient_id {}\nnext_number {}\n", state.client_id,
                                 state.next_number);
  if (state.number_base) text += fmt::format("number_base {}\n", *state.number_base);
  return text;
}

std::uint32_t Crc(std::string_view text) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

absl::Status Damaged(std::string_view problem) {
  return Error(absl::StatusCode::kDataLoss, "SPOOL_STATE_DAMAGED", problem);
}

std::optional<std::uint64_t> ReadNumber(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string WriteSpoolState(const SpoolState& state) {
  std::string text = Body(state);
  return text + fmt::format("crc32 {:08x}\n", Crc(text));
}

absl::StatusOr<SpoolState> ReadSpoolState(std::string_view text) {
  std::map<std::string, std::string, std::less<>> fields;
  std::size_t at = 0;
  for (int line = 1; at < text.size(); ++line) {
    const std::size_t end = text.find('\n', at);
    const std::string_view row = text.substr(at, end - at);
    const std::size_t space = row.find(' ');
    if (end == std::string_view::npos || space == std::string_view::npos) {
      return Damaged(fmt::format("STATE:{}: `name value` was expected", line));
    }
    fields.emplace(row.substr(0, space), row.substr(space + 1));
    at = end + 1;
  }
  if (fields["tandem-spool"] != "1") {
    return Damaged("STATE:1: `tandem-spool 1` was expected; a newer release wrote this spool?");
  }
  SpoolState state;
  state.client_id = fields["client_id"];
  const auto next = ReadNumber(fields["next_number"]);
  if (!next) return Damaged("STATE: `next_number` and a number were expected");
  state.next_number = *next;
  if (fields.contains("number_base")) {
    state.number_base = ReadNumber(fields["number_base"]);
    if (!state.number_base) return Damaged("STATE: `number_base` and a number were expected");
  }
  if (WriteSpoolState(state) != text) return Damaged("STATE: the checksum does not match");
  return state;
}

}  // namespace tandem::client
