// The filter of lists and of the feed: `state=open|acknowledged, severity>=major, side=provider`.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/journal/journal.h"
#include "tandem/v1/incidents.pb.h"

namespace tandem::api {

class IncidentFilter {
 public:
  // The grammar stands at ListIncidentsRequest.filter. INVALID_ARGUMENT for field `filter` names
  // the term and what was expected. At most 32 terms of 16 alternatives.
  static absl::StatusOr<IncidentFilter> Parse(std::string_view text);

  bool Matches(const v1::Incident& incident) const;

  // What the journal can sort out by itself; group labels are left to Matches.
  void AddTo(journal::IncidentQuery& query) const;
  bool has_labels() const { return !labels_.empty(); }

 private:
  struct LabelTerm {
    std::string name;
    std::vector<std::string> values;
    bool equal = true;
  };

  absl::Status AddTerm(std::string_view term);
  absl::Status AddWord(std::string_view key, bool equal, const std::vector<std::string>& values);

  std::vector<IncidentState> states_;
  std::vector<Severity> severities_;
  std::vector<Side> sides_;
  std::vector<std::string> teams_, not_teams_;
  std::vector<std::string> rules_, not_rules_;
  std::vector<LabelTerm> labels_;
  bool never_ = false;  // the terms contradict each other
};

}  // namespace tandem::api
