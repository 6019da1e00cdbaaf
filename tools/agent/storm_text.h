// Fills the annotation templates of alerting rules, as Prometheus would have before the alert left
// it, as far as that is possible without asking Prometheus.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tandem::client {

struct TemplateFacts {
  const std::map<std::string, std::string>& labels;
  double value = 0;
};

// `text` with `{{ $labels.x }}` (also `.Labels.x`) replaced by the label, "" when there is none,
// `{{ $labels }}` by all of them, and what prints `$value` by the number. The body of an `if` and
// of a `with $labels.x` stays; what asks Prometheus (`query`, `range`) and anything unknown is cut
// out, and the gap in the sentence is closed.
std::string FillTemplate(std::string_view text, const TemplateFacts& facts);

}  // namespace tandem::client
