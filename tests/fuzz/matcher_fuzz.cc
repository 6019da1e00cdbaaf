// A matcher that is taken writes itself so that it reads the same, and answers without trouble.
#include <string>
#include <string_view>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/matcher.h"
#include "tests/fuzz/fuzz_check.h"

using tandem::playbook::Matcher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto matcher = Matcher::Parse(text);
  if (!matcher.ok()) {
    const std::string message = tandem::MessageOf(matcher.status());
    FUZZ_CHECK(!message.empty());
    FUZZ_CHECK(tandem::IsUtf8(message) && !tandem::HasControlCharacters(message));
    return 0;
  }
  const std::string written = matcher->ToText();
  if (written.size() <= 4096) {
    const auto again = Matcher::Parse(written);
    FUZZ_CHECK(again.ok());
    FUZZ_CHECK(again->ToText() == written);
    FUZZ_CHECK(again->name() == matcher->name() && again->op() == matcher->op());
    for (const std::string_view value : {std::string_view(""), std::string_view("mes"), text}) {
      FUZZ_CHECK(again->Matches(value) == matcher->Matches(value));
    }
  }
  for (const std::string& literal : matcher->literals()) FUZZ_CHECK(matcher->Matches(literal));
  return 0;
}
