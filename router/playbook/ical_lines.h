// The lines of an iCalendar file: unfolded, with name, parameters and value (RFC 5545, 3.1).
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::playbook {

struct ICalLine {
  std::uint32_t number = 0;  // of its first line in the file, from 1
  std::string name;          // in capitals
  std::vector<std::pair<std::string, std::string>> parameters;  // names in capitals, no quotes
  std::string value;

  // "" when there is none.
  std::string_view Parameter(std::string_view key) const;
};

// One after the other; a line without a colon comes with the name "".
class ICalLines {
 public:
  // `text` outlives it.
  explicit ICalLines(std::string_view text) : rest_(text) {}

  // False at the end.
  bool Next(ICalLine& line);

 private:
  // One line of the file without its end; empty lines are passed over.
  bool NextRaw(std::string_view& raw, std::uint32_t& number);

  std::string_view rest_;
  std::uint32_t number_ = 0;
};

}  // namespace tandem::playbook
