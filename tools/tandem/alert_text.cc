#include "tools/tandem/alert_text.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <map>
#include <optional>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tools/tandem/age.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using Labels = google::protobuf::RepeatedPtrField<v1::Label>;

bool FromRfc3339(std::string_view text, absl::Time& time) {
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, {text.data(), text.size()}, &time, &error);
}

absl::Status AddPairs(std::string_view field, const Value& value, Labels& into) {
  if (value.kind_case() != Value::kStructValue) {
    return InvalidField("MALFORMED", field, "expected an object of names and texts");
  }
  // Sorted by name: what is sent does not depend on a hash map.
  const std::map<std::string, Value> sorted(value.struct_value().fields().begin(),
                                            value.struct_value().fields().end());
  for (const auto& [name, text] : sorted) {
    if (text.kind_case() != Value::kStringValue) {
      return InvalidField("MALFORMED", fmt::format("{}.{}", field, name),
                          "expected a text in double quotes");
    }
    v1::Label& label = *into.Add();
    label.set_name(name);
    label.set_value(text.string_value());
  }
  return absl::OkStatus();
}

// nullopt for the zero time.
absl::StatusOr<std::optional<absl::Time>> TimeOf(std::string_view field, const Value& value) {
  absl::Time time;
  if (value.kind_case() != Value::kStringValue || !FromRfc3339(value.string_value(), time)) {
    return InvalidField("TIME_OUT_OF_RANGE", field,
                        "expected a time such as \"2026-11-23T14:05:00Z\"");
  }
  if (absl::ToCivilYear(time, absl::UTCTimeZone()).year() <= 1) return std::nullopt;
  return time;
}

absl::Status AddField(const std::string& name, const Value& value, v1::Alert& alert) {
  if (value.kind_case() == Value::kNullValue) return absl::OkStatus();
  if (name == "labels") return AddPairs(name, value, *alert.mutable_labels());
  if (name == "annotations") return AddPairs(name, value, *alert.mutable_annotations());
  if (name == "startsAt" || name == "endsAt") {
    TANDEM_ASSIGN_OR_RETURN(const std::optional<absl::Time> time, TimeOf(name, value));
    if (!time) return absl::OkStatus();
    *(name == "endsAt" ? alert.mutable_ends_at() : alert.mutable_starts_at()) = ToStamp(*time);
  } else if (name == "generatorURL") {
    if (value.kind_case() != Value::kStringValue) {
      return InvalidField("MALFORMED", name, "expected a text in double quotes");
    }
    alert.set_generator_url(value.string_value());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Label> ReadLabel(std::string_view option, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return UsageError(fmt::format("{} \"{}\": expected NAME=VALUE such as severity=critical",
                                  option, Printable(text)));
  }
  v1::Label label;
  label.set_name(std::string(text.substr(0, equals)));
  label.set_value(std::string(text.substr(equals + 1)));
  return label;
}

absl::StatusOr<absl::Time> ReadTime(std::string_view option, std::string_view text,
                                    absl::Time now) {
  if (text == "now") return now;
  absl::Time time;
  if (FromRfc3339(text, time)) return time;
  const bool back = !text.empty() && text[0] == '-';
  if (const auto span = ReadDuration(text.substr(back ? 1 : 0)); span.ok()) {
    return back ? now - *span : now + *span;
  }
  return UsageError(
      fmt::format("{} \"{}\": expected a time such as 2026-11-23T14:05:00Z, `now`, or "
                  "a span from now such as 10m or -10m",
                  option, Printable(text)));
}

absl::StatusOr<v1::Alert> ReadAlertJson(std::string_view line) {
  if (!IsUtf8(line)) return Error(absl::StatusCode::kInvalidArgument, "NOT_UTF8", "not UTF-8");
  Struct object;
  const auto status =
      google::protobuf::util::JsonStringToMessage({line.data(), line.size()}, &object);
  if (!status.ok()) {
    std::string why(status.message().data(), status.message().size());
    why.resize(std::min(why.find('\n'), why.size()));
    return Error(absl::StatusCode::kInvalidArgument, "MALFORMED",
                 fmt::format("not a JSON object: {}", why));
  }
  v1::Alert alert;
  const std::map<std::string, Value> sorted(object.fields().begin(), object.fields().end());
  for (const auto& [name, value] : sorted) {
    TANDEM_RETURN_IF_ERROR(AddField(name, value, alert));
  }
  if (alert.labels().empty()) {
    return InvalidField("NO_LABELS", "labels", "an alert needs at least one label");
  }
  return alert;
}

}  // namespace tandem::cli
