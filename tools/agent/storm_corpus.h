// What a storm of alerts is made of: rules that people run in production, and the environment that
// the alerts come from.
//
// Pure: text in, values out.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::client {

// One alerting rule, as tests/data/alert_rules.jsonl has them.
struct AlertRule {
  std::string technology;
  std::string alertname;
  std::map<std::string, std::string> labels;  // fixed by the rule: `severity`
  std::vector<std::string> label_names;       // what an instance of the alert carries beside them
  std::map<std::string, std::string> annotations;  // templates: `{{ $labels.instance }} is down`
};

// One rule a line. INVALID_ARGUMENT names the first bad line; an empty text is one, too.
absl::StatusOr<std::vector<AlertRule>> ReadAlertRules(std::string_view json_lines);

struct StormEntity {
  std::string kind;
  std::string id;
  std::vector<std::pair<std::string, std::string>> related;  // kind and id of relations' targets
};

// The entities of a context file (deploy/examples/*/context.yaml): `kind`, `id` and `relations` are
// read, all else is passed over. INVALID_ARGUMENT says where the file is wrong.
absl::StatusOr<std::vector<StormEntity>> ReadStormContext(std::string_view yaml);

// A small made-up environment for when there is no context file.
std::vector<StormEntity> MadeUpContext();

}  // namespace tandem::client
