#include "tools/agent/json_alert.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "router/base/status.h"

namespace tandem::client {
namespace {

using Json = nlohmann::json;

absl::Status Bad(std::string_view member, std::string_view expected) {
  return InvalidField("ALERT_INVALID", member, fmt::format("{} was expected", expected));
}

// A member that is an object of strings, appended to `pairs`.
absl::Status ReadPairs(const Json& json, const char* member,
                       google::protobuf::RepeatedPtrField<v1::Label>& pairs) {
  const auto found = json.find(member);
  if (found == json.end()) return absl::OkStatus();
  if (!found->is_object()) return Bad(member, "an object of strings");
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) return Bad(fmt::format("{}.{}", member, name), "a string");
    v1::Label* pair = pairs.Add();
    pair->set_name(name);
    pair->set_value(value.get<std::string>());
  }
  return absl::OkStatus();
}

// Leaves `stamp` alone and returns false when the member is missing.
absl::StatusOr<bool> ReadTime(const Json& json, const char* member,
                              google::protobuf::Timestamp& stamp) {
  const auto found = json.find(member);
  if (found == json.end()) return false;
  const auto* text = found->get_ptr<const std::string*>();
  if (text != nullptr && (text->empty() || *text == "0001-01-01T00:00:00Z")) return false;
  absl::Time time;
  std::string error;
  if (text == nullptr || !absl::ParseTime(absl::RFC3339_full, *text, &time, &error)) {
    return Bad(member, "a time such as 2026-01-02T03:04:05Z");
  }
  const absl::Time second = absl::FromUnixSeconds(absl::ToUnixSeconds(time));
  stamp.set_seconds(absl::ToUnixSeconds(time));
  stamp.set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(time - second)));
  return true;
}

}  // namespace

absl::StatusOr<v1::Alert> ReadJsonAlert(std::string_view line) {
  if (line.size() > kJsonLineMaxBytes) {
    return Bad("line", fmt::format("at most {} bytes", kJsonLineMaxBytes));
  }
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Bad("line", "one JSON object");
  v1::Alert alert;
  TANDEM_RETURN_IF_ERROR(ReadPairs(json, "labels", *alert.mutable_labels()));
  TANDEM_RETURN_IF_ERROR(ReadPairs(json, "annotations", *alert.mutable_annotations()));
  if (alert.labels().empty()) return Bad("labels", "an object with at least one label");
  google::protobuf::Timestamp stamp;
  TANDEM_ASSIGN_OR_RETURN(const bool starts, ReadTime(json, "startsAt", stamp));
  if (starts) *alert.mutable_starts_at() = stamp;
  TANDEM_ASSIGN_OR_RETURN(const bool ends, ReadTime(json, "endsAt", stamp));
  if (ends) *alert.mutable_ends_at() = stamp;
  if (const auto url = json.find("generatorURL"); url != json.end()) {
    if (!url->is_string()) return Bad("generatorURL", "a string");
    alert.set_generator_url(url->get<std::string>());
  }
  return alert;
}

}  // namespace tandem::client
