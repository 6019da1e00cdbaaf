#include "tools/load/reference_batches.h"

#include <fmt/format.h>

#include <charconv>

#include "router/base/check.h"
#include "tools/agent/wire.h"

namespace tandem::load {
namespace {

constexpr std::size_t kDigits = 12;
constexpr std::string_view kMarker = "############";
static_assert(kMarker.size() == kDigits);

v1::Alert ReferenceAlert(std::uint32_t site, std::uint32_t run) {
  v1::Alert alert;
  const std::string site_id = fmt::format("load-{:02}", site);
  const std::pair<std::string_view, std::string> labels[] = {
      {"alertname", "HostHighCpuLoadOverFifteenMinutes"},
      {"severity", "warning"},
      {"site", site_id},
      {"service", "manufacturing-execution"},
      {"instance", fmt::format("mes-{:04}.plant.example.com:9100", run)},
      {"job", "node-exporter"},
      {"environment", "production"},
      {kIdLabel, std::string(kMarker)}};
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

}  // namespace

ReferenceBatches::ReferenceBatches(ReferenceOptions options) : options_(options) {
  TANDEM_CHECK(options.batch >= 1 && options.batch <= client::kBatchMaxAlerts, "1 to 512");
  TANDEM_CHECK(options.sites >= 1 && options.sites <= 100, "1 to 100");
  for (std::uint32_t i = 0; i < options.batch; ++i) {
    const v1::Alert alert = ReferenceAlert(i % options.sites, options.run % 10'000);
    alert_bytes_ = alert.ByteSizeLong();
    const std::size_t begin = body_.size();
    client::AppendAlert(alert, body_);
    digits_.push_back(body_.find(kMarker, begin));
  }
}

std::uint64_t ReferenceBatches::next_id() const {
  return options_.first + (options_.distinct == 0 ? made_ : made_ % options_.distinct);
}

grpc::ByteBuffer ReferenceBatches::Next(std::uint64_t number) {
  for (const std::size_t at : digits_) {
    std::uint64_t id = next_id();
    ++made_;
    for (std::size_t i = kDigits; i-- > 0; id /= 10) {
      body_[at + i] = static_cast<char>('0' + id % 10);
    }
  }
  return client::BatchMessage(number, body_);
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
