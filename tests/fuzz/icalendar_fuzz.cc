// What is taken of an iCalendar file compiles, and its notes can be shown.
#include <string>
#include <string_view>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/icalendar.h"
#include "tests/fuzz/fuzz_check.h"

using tandem::HasControlCharacters;
using tandem::IsUtf8;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto import = tandem::playbook::CalendarFromICalendar(text, "");
  if (!import.ok()) {
    const std::string message = tandem::MessageOf(import.status());
    FUZZ_CHECK(!message.empty());
    FUZZ_CHECK(IsUtf8(message) && !HasControlCharacters(message));
    return 0;
  }
  const auto calendar = tandem::playbook::Calendar::Compile(import->spec);
  FUZZ_CHECK(calendar.ok());
  FUZZ_CHECK(import->date_titles.size() == import->spec.dates.size());
  FUZZ_CHECK(import->recurring_titles.size() == import->spec.recurring.size());
  absl::Time at = absl::FromUnixSeconds(1'780'315'200);
  for (int i = 0; i < 8; ++i) {
    const auto next = calendar->NextChange(at);
    if (!next) break;
    FUZZ_CHECK(*next > at);
    FUZZ_CHECK(calendar->IsOn(*next) != calendar->IsOn(at));
    at = *next;
  }
  for (const auto& note : import->notes) {
    FUZZ_CHECK(IsUtf8(note.text) && !HasControlCharacters(note.text));
    FUZZ_CHECK(IsUtf8(note.uid) && !HasControlCharacters(note.uid));
  }
  return 0;
}
