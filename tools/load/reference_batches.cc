#include "tools/load/reference_batches.h"

#include <fmt/format.h>

#include <charconv>

#include "router/base/check.h"
#include "tools/agent/wire.h"

namespace tandem::load {
namespace {

// What stands where digits are written for each alert; as many characters as digits.
constexpr std::string_view kIdMarker = "############";
constexpr std::string_view kServiceMarker = "#####";
constexpr std::string_view kJobMarker = "####";
// Of the same size with digits and without.
constexpr std::string_view kServicePrefix = "manufacturing-svc-";
constexpr std::string_view kJobPrefix = "exporter-";

v1::Alert ReferenceAlert(std::uint32_t site, const ReferenceOptions& options) {
  v1::Alert alert;
  const std::string site_id = fmt::format("load-{:02}", site);
  const std::pair<std::string_view, std::string> labels[] = {
      {"alertname", "HostHighCpuLoadOverFifteenMinutes"},
      {"severity", "warning"},
      {"site", site_id},
      {"service", options.services == 0 ? "manufacturing-execution"
                                        : fmt::format("{}{}", kServicePrefix, kServiceMarker)},
      {"instance", fmt::format("mes-{:04}.plant.example.com:9100", options.run % 10'000)},
      {"job", options.jobs == 0 ? "node-exporter" : fmt::format("{}{}", kJobPrefix, kJobMarker)},
      {"environment", "production"},
      {kIdLabel, std::string(kIdMarker)}};
  for (const auto& [name, value] : labels) {
    v1::Label* label = alert.add_labels();
    label->set_name(std::string(name));
    label->set_value(value);
  }
  v1::Label* annotation = alert.add_annotations();
  annotation->set_name("summary");
  annotation->set_value("CPU load is above 90 %");
  return alert;
}

void WriteDigits(std::string& body, std::size_t at, std::size_t digits, std::uint64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) {
    body[at + i] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

ReferenceBatches::ReferenceBatches(ReferenceOptions options) : options_(options) {
  TANDEM_CHECK(options.batch >= 1 && options.batch <= client::kBatchMaxAlerts, "1 to 512");
  TANDEM_CHECK(options.sites >= 1 && options.sites <= 100, "1 to 100");
  TANDEM_CHECK(options.services <= 100'000 && options.jobs <= 10'000, "they must fit the digits");
  for (std::uint32_t i = 0; i < options.batch; ++i) {
    const v1::Alert alert = ReferenceAlert(i % options.sites, options);
    alert_bytes_ = alert.ByteSizeLong();
    const std::size_t begin = body_.size();
    client::AppendAlert(alert, body_);
    Place place{.id = body_.find(kIdMarker, begin), .end = body_.size()};
    if (options.services > 0) {
      place.service = body_.find(kServicePrefix, begin) + kServicePrefix.size();
    }
    if (options.jobs > 0) place.job = body_.find(kJobPrefix, begin) + kJobPrefix.size();
    places_.push_back(place);
  }
}

std::uint64_t ReferenceBatches::next_id() const {
  return options_.first + (options_.distinct == 0 ? made_ : made_ % options_.distinct);
}

grpc::ByteBuffer ReferenceBatches::Next(std::uint64_t number, std::uint32_t alerts) {
  TANDEM_CHECK(alerts >= 1 && alerts <= options_.batch, "a batch, or a part of it");
  for (std::uint32_t i = 0; i < alerts; ++i) {
    const Place& place = places_[i];
    const std::uint64_t id = next_id();
    ++made_;
    WriteDigits(body_, place.id, kIdMarker.size(), id);
    if (options_.services > 0) {
      WriteDigits(body_, place.service, kServiceMarker.size(), id % options_.services);
    }
    if (options_.jobs > 0) WriteDigits(body_, place.job, kJobMarker.size(), id % options_.jobs);
  }
  return client::BatchMessage(number, std::string_view(body_).substr(0, places_[alerts - 1].end));
}

std::optional<std::uint64_t> IdOf(const google::protobuf::RepeatedPtrField<v1::Label>& labels) {
  for (const v1::Label& label : labels) {
    if (label.name() != kIdLabel) continue;
    std::uint64_t id = 0;
    const char* end = label.value().data() + label.value().size();
    const auto [stop, error] = std::from_chars(label.value().data(), end, id);
    if (error == std::errc() && stop == end) return id;
  }
  return std::nullopt;
}

}  // namespace tandem::load
