#include "router/api/incident_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::api {
namespace {

constexpr std::size_t kTermsMax = 32;
constexpr std::size_t kValuesMax = 16;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> Split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.emplace_back(Trim(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

absl::Status Bad(std::string_view term, std::string_view expected) {
  return InvalidField("FILTER_INVALID", "filter",
                      fmt::format("\"{}\": expected {}", Shown(term), expected));
}

template <typename Word>
bool Contains(const std::vector<Word>& words, const Word& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Narrows `kept` (empty: all of `all`) to those for which `holds`; false when none is left.
template <typename Word, typename Holds>
bool Narrow(const std::vector<Word>& all, std::vector<Word>& kept, Holds holds) {
  if (kept.empty()) kept = all;
  std::erase_if(kept, [&](const Word& word) { return !holds(word); });
  return !kept.empty();
}

const std::vector<IncidentState> kStates = {IncidentState::kOpen, IncidentState::kAcknowledged,
                                            IncidentState::kResolved};
const std::vector<Severity> kSeverities = {Severity::kInfo, Severity::kWarning, Severity::kMajor,
                                           Severity::kCritical};
const std::vector<Side> kSides = {Side::kProvider, Side::kCustomer};

}  // namespace

absl::StatusOr<IncidentFilter> IncidentFilter::Parse(std::string_view text) {
  IncidentFilter filter;
  if (Trim(text).empty()) return filter;
  const std::vector<std::string> terms = Split(text, ',');
  if (terms.size() > kTermsMax) {
    return InvalidField("FILTER_INVALID", "filter", fmt::format("at most {} terms", kTermsMax));
  }
  for (const std::string& term : terms) TANDEM_RETURN_IF_ERROR(filter.AddTerm(term));
  return filter;
}

absl::Status IncidentFilter::AddTerm(std::string_view term) {
  if (const std::size_t at = term.find(">="); at != std::string_view::npos) {
    const auto least = ParseSeverity(Trim(term.substr(at + 2)));
    if (Trim(term.substr(0, at)) != "severity" || !least) {
      return Bad(term, "severity>= with info, warning, major or critical");
    }
    never_ |= !Narrow(kSeverities, severities_, [&](Severity s) { return s >= *least; });
    return absl::OkStatus();
  }
  const std::size_t at = term.find('=');
  if (at == std::string_view::npos || at == 0) {
    return Bad(term, "a term such as state=open or team!=noc");
  }
  const bool equal = term[at - 1] != '!';
  const std::vector<std::string> values = Split(term.substr(at + 1), '|');
  if (values.size() > kValuesMax) return Bad(term, fmt::format("at most {} values", kValuesMax));
  const std::string_view key = Trim(term.substr(0, equal ? at : at - 1));
  if (key.starts_with("label.") && key.size() > 6) {
    labels_.push_back({std::string(key.substr(6)), values, equal});
    return absl::OkStatus();
  }
  return AddWord(key, equal, values);
}

absl::Status IncidentFilter::AddWord(std::string_view key, bool equal,
                                     const std::vector<std::string>& values) {
  const auto add = [&](auto parse, const auto& all, auto& kept,
                       const char* expected) -> absl::Status {
    std::decay_t<decltype(kept)> wanted;
    for (const std::string& value : values) {
      const auto word = parse(value);
      if (!word) return Bad(fmt::format("{}={}", key, value), expected);
      wanted.push_back(*word);
    }
    never_ |= !Narrow(all, kept, [&](auto word) { return Contains(wanted, word) == equal; });
    return absl::OkStatus();
  };
  if (key == "state") {
    return add([](const std::string& v) { return ParseIncidentState(v); }, kStates, states_,
               "open, acknowledged or resolved");
  }
  if (key == "severity") {
    return add([](const std::string& v) { return ParseSeverity(v); }, kSeverities, severities_,
               "info, warning, major or critical");
  }
  if (key == "side") {
    return add([](const std::string& v) { return ParseSide(v); }, kSides, sides_,
               "provider or customer");
  }
  if (key == "team" || key == "rule") {
    auto& kept = key == "team" ? (equal ? teams_ : not_teams_) : (equal ? rules_ : not_rules_);
    if (equal && !kept.empty()) {
      never_ |= !Narrow(kept, kept, [&](const std::string& v) { return Contains(values, v); });
    } else {
      kept.insert(kept.end(), values.begin(), values.end());
    }
    return absl::OkStatus();
  }
  const std::string nearest =
      NearestName(key, {"state", "severity", "side", "team", "rule", "label.…"});
  return Bad(key, nearest.empty() ? "one of state, severity, side, team, rule, label.NAME"
                                  : fmt::format("one of state, severity, side, team, rule, "
                                                "label.NAME; did you mean \"{}\"?",
                                                nearest));
}

bool IncidentFilter::Matches(const v1::Incident& incident) const {
  const auto holds = [](const auto& wanted, const auto& value) {
    return wanted.empty() || Contains(wanted, value);
  };
  if (never_ || !holds(states_, static_cast<IncidentState>(incident.state())) ||
      !holds(severities_, static_cast<Severity>(incident.severity())) ||
      !holds(sides_, static_cast<Side>(incident.owner_side())) ||
      !holds(teams_, incident.owner_team()) || !holds(rules_, incident.rule()) ||
      Contains(not_teams_, incident.owner_team()) || Contains(not_rules_, incident.rule())) {
    return false;
  }
  return std::all_of(labels_.begin(), labels_.end(), [&](const LabelTerm& term) {
    std::string value;  // an absent label is the empty text, as in matchers
    for (const v1::Label& label : incident.group_labels()) {
      if (label.name() == term.name) value = label.value();
    }
    return Contains(term.values, value) == term.equal;
  });
}

void IncidentFilter::AddTo(journal::IncidentQuery& query) const {
  query.states = states_;
  query.severities = severities_;
  query.sides = sides_;
  query.teams = teams_;
  query.rules = rules_;
}

}  // namespace tandem::api
