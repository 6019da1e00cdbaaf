// Messages as JSON: protobuf's own mapping (camelCase names, RFC 3339 times, fields with their
// default value written out, so that a script finds them). Pure.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace tandem::cli {

enum class JsonShape { kIndented, kOneLine };

// Without a newline at the end. Control characters and bidirectional marks are escaped: safe to
// show on a terminal.
std::string JsonText(const google::protobuf::Message& message, JsonShape shape);

}  // namespace tandem::cli
