// W3C Trace Context: the `traceparent` that ties a call to what its caller is doing.
// https://www.w3.org/TR/trace-context/, version 00. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tandem::rpc {

struct TraceContext {
  std::string trace_id;   // 32 lower-case hexadecimal digits, not all zero
  std::string parent_id;  // 16 of them, not all zero
  bool sampled = false;
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// nullopt for a value that breaks the rules: the standard asks to go on as if there were none. Of a
// later version, what version 00 knows is read.
std::optional<TraceContext> ParseTraceparent(std::string_view value);

// "00-{trace_id}-{parent_id}-01".
std::string Traceparent(const TraceContext& context);

}  // namespace tandem::rpc
