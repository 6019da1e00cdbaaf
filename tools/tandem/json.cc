#include "tools/tandem/json.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <string_view>

#include "router/base/check.h"

namespace tandem::cli {
namespace {

// protobuf escapes C0, DEL and C1 by itself, but lets the bidirectional isolates through.
std::string WithoutBidirectionalMarks(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view three = json.substr(i, 3);
    if (three >= "\u202A" && three <= "\u202E" && three.size() == 3) {
      out += fmt::format("\\u{:04x}", 0x202A + (three[2] - "\u202A"[2]));
      i += 2;
    } else if (three >= "\u2066" && three <= "\u2069" && three.size() == 3) {
      out += fmt::format("\\u{:04x}", 0x2066 + (three[2] - "\u2066"[2]));
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

}  // namespace

std::string JsonText(const google::protobuf::Message& message, JsonShape shape) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = shape == JsonShape::kIndented;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  TANDEM_CHECK(status.ok(), "every message of ours has a JSON form");
  while (!json.empty() && json.back() == '\n') json.pop_back();
  return WithoutBidirectionalMarks(json);
}

}  // namespace tandem::cli
