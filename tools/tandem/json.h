// Messages as JSON: protobuf's own mapping (camelCase names, RFC 3339 times, fields with their
// default value written out, so that a script finds them; maps by key). Pure.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>

#include <string>

namespace tandem::cli {

enum class JsonShape { kIndented, kOneLine };

// Without a newline at the end. Control characters and bidirectional marks are escaped: safe to
// show on a terminal.
std::string JsonText(const google::protobuf::Message& message, JsonShape shape);

// `message` packed so that equal messages give equal bytes, whose JSON then has one order, too.
void PackInOrder(const google::protobuf::Message& message, google::protobuf::Any* any);

}  // namespace tandem::cli
