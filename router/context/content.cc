#include "router/context/content.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "router/base/status.h"

namespace tandem::context {

std::string DeterministicBytes(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  {
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

std::string PackContent(const v1::Entity& entity) {
  v1::Entity content = entity;
  content.clear_name();
  content.clear_version();
  content.clear_update_time();
  content.clear_author();
  content.clear_warnings();
  content.DiscardUnknownFields();
  return DeterministicBytes(content);
}

absl::StatusOr<v1::Entity> UnpackContent(std::string_view content) {
  v1::Entity entity;
  if (entity.ParseFromArray(content.data(), static_cast<int>(content.size()))) return entity;
  return Error(absl::StatusCode::kDataLoss, "STORE_DAMAGED",
               "context store: an entity cannot be read; restore the store from a backup");
}

}  // namespace tandem::context
