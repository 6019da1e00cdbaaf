#include "tools/tandem/json.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <memory>
#include <string_view>

#include "router/base/check.h"

namespace tandem::cli {
namespace {

constexpr char kTypes[] = "type.googleapis.com";

// What the program was compiled with.
google::protobuf::util::TypeResolver& Resolver() {
  static const std::unique_ptr<google::protobuf::util::TypeResolver> resolver(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kTypes, google::protobuf::DescriptorPool::generated_pool()));
  return *resolver;
}

std::string TypeUrl(const google::protobuf::Message& message) {
  return fmt::format("{}/{}", kTypes, message.GetDescriptor()->full_name());
}

// With maps by key: a map alone would give another order with each run.
std::string BytesInOrder(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  TANDEM_CHECK(message.SerializeToCodedStream(&coded), "a message of ours can be written");
  coded.Trim();
  return bytes;
}

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
  const auto status = google::protobuf::util::BinaryToJsonString(
      &Resolver(), TypeUrl(message), BytesInOrder(message), &json, options);
  TANDEM_CHECK(status.ok(), "every message of ours has a JSON form");
  while (!json.empty() && json.back() == '\n') json.pop_back();
  return WithoutBidirectionalMarks(json);
}

void PackInOrder(const google::protobuf::Message& message, google::protobuf::Any* any) {
  any->set_type_url(TypeUrl(message));
  any->set_value(BytesInOrder(message));
}

}  // namespace tandem::cli
