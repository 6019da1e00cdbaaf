#include "tools/agent/storm.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "tools/agent/storm_text.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

// Technologies that one entity runs: the same ones each time something goes wrong there.
constexpr std::uint64_t kTechnologiesPerEntity = 4;
// Reports that one trouble raises, at most.
constexpr std::uint64_t kReportsPerTrouble = 12;
// Attempts to find a label set that does not fire yet, before the host's number is raised.
constexpr int kAttempts = 8;

google::protobuf::Timestamp ToProto(absl::Time time) {
  const std::int64_t micros = absl::ToUnixMicros(time);
  google::protobuf::Timestamp stamp;
  stamp.set_seconds(micros / 1'000'000);
  stamp.set_nanos(static_cast<std::int32_t>(micros % 1'000'000) * 1000);
  return stamp;
}

bool IsEntityKind(std::string_view label) {
  return label == "site" || label == "service" || label == "device" || label == "application";
}

// FNV-1a: which technologies an entity runs must not depend on its place in the file.
std::uint64_t Hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

template <std::size_t n>
std::string Pick(const char* const (&words)[n], std::uint64_t roll) {
  return words[roll % n];
}

}  // namespace

Storm::Storm(std::vector<AlertRule> rules, std::vector<StormEntity> entities, StormOptions options)
    : entities_(std::move(entities)), options_(options), dice_(options.seed) {
  TANDEM_CHECK(!rules.empty() && !entities_.empty(), "a storm needs rules and entities");
  std::map<std::string, std::vector<AlertRule>> by_technology;
  for (AlertRule& rule : rules) by_technology[rule.technology].push_back(std::move(rule));
  for (auto& [name, its_rules] : by_technology) technologies_.push_back(std::move(its_rules));
}

v1::Alert Storm::Next(absl::Time now) {
  const double roll = dice_.Share();
  if (firing_.size() >= options_.firing_max) return End(now);
  if (!firing_.empty() && roll < options_.resolve_share) return End(now);
  if (!firing_.empty() && roll < options_.resolve_share + options_.repeat_share) {
    return firing_[dice_.Below(firing_.size())];
  }
  return NewAlert(now);
}

v1::Alert Storm::End(absl::Time now) {
  v1::Alert& chosen = firing_[dice_.Below(firing_.size())];
  std::swap(chosen, firing_.back());
  v1::Alert alert = std::move(firing_.back());
  firing_.pop_back();
  firing_keys_.erase(AlertKey(alert));
  *alert.mutable_ends_at() = ToProto(now);
  return alert;
}

void Storm::Begin() {
  trouble_.entity = dice_.Below(entities_.size());
  const StormEntity& entity = entities_[trouble_.entity];
  const std::uint64_t which = dice_.Below(kTechnologiesPerEntity);
  trouble_.technology =
      Hash(fmt::format("{}/{}/{}", entity.kind, entity.id, which)) % technologies_.size();
  trouble_.reports_left = 1 + dice_.Below(kReportsPerTrouble);
}

v1::Alert Storm::NewAlert(absl::Time now) {
  if (trouble_.reports_left == 0) Begin();
  --trouble_.reports_left;
  const StormEntity& entity = entities_[trouble_.entity];
  const std::vector<AlertRule>& rules = technologies_[trouble_.technology];
  // More hosts the more alerts fire, so that there is always a label set left.
  std::uint64_t hosts = 3 + firing_.size() / (20 * entities_.size());
  for (int attempt = 1;; ++attempt) {
    const AlertRule& rule = rules[dice_.Below(rules.size())];
    v1::Alert alert = Fill(rule, Labels(rule, entity, 1 + dice_.Below(hosts)), now);
    if (firing_keys_.insert(AlertKey(alert)).second) {
      firing_.push_back(alert);
      return alert;
    }
    if (attempt % kAttempts == 0) hosts *= 2;
  }
}

std::map<std::string, std::string> Storm::Labels(const AlertRule& rule, const StormEntity& entity,
                                                 std::uint64_t host) {
  std::map<std::string, std::string> labels = rule.labels;
  labels["alertname"] = rule.alertname;
  for (const auto& [kind, id] : entity.related) {
    if (IsEntityKind(kind)) labels.emplace(kind, id);
  }
  labels[entity.kind] = entity.id;
  labels["instance"] = fmt::format("{}-{:02}.{}.example:9100", entity.id, host,
                                   labels.contains("site") ? labels["site"] : "central");
  for (const std::string& name : rule.label_names) {
    // A bucket bound is an artefact of the query, and the context's kinds are not for guessing.
    if (name == "le" || name == "quantile" || IsEntityKind(name) || labels.contains(name)) continue;
    labels[name] = LabelValue(name, rule.technology, labels, host);
  }
  return labels;
}

std::string Storm::LabelValue(std::string_view name, const std::string& technology,
                              const std::map<std::string, std::string>& labels,
                              std::uint64_t host) {
  static constexpr const char* kMounts[] = {"/", "/var", "/var/lib/data", "/backup"};
  static constexpr const char* kPorts[] = {"eth0", "eth1", "Gi1/0/1", "Gi1/0/24"};
  static constexpr const char* kReasons[] = {"timeout", "refused", "quota", "unknown"};
  const std::uint64_t roll = dice_.Below(4);
  if (name == "job") return technology;
  if (name == "cluster" || name.ends_with("_cluster")) return fmt::format("{}-prod", technology);
  if (name == "namespace" || name == "exported_namespace" || name == "ns") {
    const auto service = labels.find("service");
    return service == labels.end() ? "default" : service->second;
  }
  if (name == "pod") return fmt::format("{}-{:05x}-{}", technology, Hash(technology) >> 44, host);
  if (name == "node" || name == "hostname" || name == "host" || name == "server") {
    const std::string& instance = labels.at("instance");
    return instance.substr(0, instance.find('.'));
  }
  if (name == "mountpoint") return Pick(kMounts, roll);
  if (name == "ifName" || name == "ifAlias" || name == "interface") return Pick(kPorts, roll);
  if (name == "reason") return Pick(kReasons, roll);
  return fmt::format("{}-{}", name, 1 + roll);
}

v1::Alert Storm::Fill(const AlertRule& rule, const std::map<std::string, std::string>& labels,
                      absl::Time now) {
  v1::Alert alert;
  for (const auto& [name, value] : labels) {
    v1::Label* label = alert.add_labels();
    label->set_name(name);
    label->set_value(value);
  }
  const TemplateFacts facts{.labels = labels, .value = 1 + 99 * dice_.Share()};
  for (const auto& [name, text] : rule.annotations) {
    v1::Label* annotation = alert.add_annotations();
    annotation->set_name(name);
    annotation->set_value(FillTemplate(text, facts));
  }
  *alert.mutable_starts_at() = ToProto(now);
  alert.set_generator_url(
      fmt::format("https://prometheus.example/graph?g0.expr={}", rule.alertname));
  return alert;
}

}  // namespace tandem::client
