#include "tests/bench/bench_tenant.h"

#include <fmt/format.h>

#include <map>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/playbook/parse.h"
#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::bench {
namespace {

// What stands where digits are written for each alert.
constexpr std::string_view kIdMarker = "############";
constexpr std::string_view kServicePrefix = "manufacturing-svc-";
constexpr std::string_view kServiceMarker = "#####";
constexpr std::string_view kJobPrefix = "exporter-";
constexpr std::string_view kJobMarker = "####";

void AddReferenceAlert(v1::AlertBatch& batch) {
  v1::Alert* alert = batch.add_alerts();
  const std::pair<std::string_view, std::string> labels[] = {
      {"alertname", "HostHighCpuLoadOverFifteenMinutes"},
      {"severity", "warning"},
      {"site", "load-00"},
      {"service", fmt::format("{}{}", kServicePrefix, kServiceMarker)},
      {"instance", "mes-0000.plant.example.com:9100"},
      {"job", fmt::format("{}{}", kJobPrefix, kJobMarker)},
      {"environment", "production"},
      {"load_id", std::string(kIdMarker)}};
  for (const auto& [name, value] : labels) {
    v1::Label* label = alert->add_labels();
    label->set_name(std::string(name));
    label->set_value(value);
  }
  v1::Label* annotation = alert->add_annotations();
  annotation->set_name("summary");
  annotation->set_value("CPU load is above 90 %");
}

void WriteDigits(std::string& bytes, std::size_t at, std::size_t digits, std::uint64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) {
    bytes[at + i] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

core::IdentityKey BenchKey() {
  core::IdentityKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 7 + 3);
  return key;
}

Batches::Batches(std::uint32_t size, std::uint32_t services, std::uint32_t jobs)
    : services_(services), jobs_(jobs) {
  TANDEM_CHECK(services >= 1 && services <= 100'000, "five digits");
  TANDEM_CHECK(jobs >= 1 && jobs <= 10'000, "four digits");
  v1::AlertBatch batch;
  batch.set_number(1);
  for (std::uint32_t i = 0; i < size; ++i) AddReferenceAlert(batch);
  bytes_ = batch.SerializeAsString();
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    Place place;
    place.service = bytes_.find(kServicePrefix, at) + kServicePrefix.size();
    place.job = bytes_.find(kJobPrefix, place.service) + kJobPrefix.size();
    place.id = at = bytes_.find(kIdMarker, place.job);
    places_.push_back(place);
  }
}

const std::string& Batches::At(std::uint64_t first) {
  for (const Place& place : places_) {
    WriteDigits(bytes_, place.id, kIdMarker.size(), first);
    WriteDigits(bytes_, place.service, kServiceMarker.size(), first % services_);
    WriteDigits(bytes_, place.job, kJobMarker.size(), first % jobs_);
    ++first;
  }
  return bytes_;
}

std::string PlaybookSource(std::uint32_t rules) {
  std::string source =
      "playbook: 1\n"
      "tenant: bench\n"
      "defaults: {group_by: [service]}\n"
      "contacts:\n"
      "  ann: {side: provider, webhook: {url: \"https://hooks.example/ann\"}}\n"
      "teams:\n"
      "  noc: {side: provider, contacts: [ann]}\n"
      "escalations:\n"
      "  late: {steps: [{after: 1h, notify: [noc]}]}\n"
      "rules:\n";
  for (std::uint32_t i = 0; i < rules; ++i) {
    source += fmt::format(
        "  - {{name: rule-{0}, match: ['job=\"exporter-{0:04}\"', "
        "'severity=~\"warning|critical\"'],"
        " owner: noc, handling: autonomous, escalation: late, reason: One of many.}}\n",
        i);
  }
  source +=
      "  - {name: rest, owner: noc, handling: autonomous, escalation: late, reason: The rest.}\n";
  return source;
}

std::shared_ptr<const playbook::Playbook> PlaybookOf(std::uint32_t rules) {
  static std::map<std::uint32_t, std::shared_ptr<const playbook::Playbook>> made;
  auto& playbook = made[rules];
  if (playbook == nullptr) {
    playbook::Compiled compiled = playbook::CompilePlaybook(PlaybookSource(rules));
    TANDEM_CHECK(compiled.playbook != nullptr,
                 compiled.findings.empty() ? "no finding" : compiled.findings.front().message);
    playbook = std::move(compiled.playbook);
  }
  return playbook;
}

Tenant::Tenant(const TenantShape& shape)
    : shape_(shape),
      batches_(kBatch, shape.incidents, shape.jobs),
      now_(absl::FromUnixSeconds(1'780'315'200)),  // 2026-06-01T12:00:00Z
      next_new_(shape.active) {
  TANDEM_CHECK(shape.incidents % shape.jobs == 0, "a service is of one job");
  state.tenant = TenantId("bench");
  state.key = BenchKey();
  state.playbook = PlaybookOf(shape.rules);
  for (std::uint64_t first = 0; first < shape.active; first += kBatch) (void)Take(Read(first));
}

codec::ReadBatch Tenant::Read(std::uint64_t first) {
  absl::StatusOr<codec::ReadBatch> batch =
      codec::ReadAlertBatch(batches_.At(first), state.key, now_);
  TANDEM_CHECK(batch.ok(), MessageOf(batch.status()));
  TANDEM_CHECK(batch->items.size() == kBatch, "every alert is taken");
  return *std::move(batch);
}

core::AlertBatch Tenant::InputOf(const codec::ReadBatch& batch) {
  // Without a client id, so that the order of batches is free; a day, so that nothing times out.
  return {.number = batch.number, .alerts = batch.items, .resolve_timeout = absl::Hours(24)};
}

core::Outcome Tenant::Clear(codec::ReadBatch& batch) {
  for (core::AlertItem& item : batch.items) item.ends_at = now_;
  return Take(batch);
}

std::uint64_t Tenant::NextNew() {
  next_new_ += kBatch;
  return next_new_;
}

std::uint64_t Tenant::NextKnown() {
  if (next_known_ + kBatch > shape_.active) next_known_ = 0;
  const std::uint64_t first = next_known_;
  next_known_ += kBatch;
  return first;
}

Tenant& TenantOf(const TenantShape& shape) {
  static std::map<TenantShape, std::unique_ptr<Tenant>> made;
  auto& tenant = made[shape];
  if (tenant == nullptr) tenant = std::make_unique<Tenant>(shape);
  return *tenant;
}

void CountAlerts(benchmark::State& state, std::uint64_t alerts) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(alerts));
}

}  // namespace tandem::bench
