#include "router/journal/incident_query.h"

#include <algorithm>
#include <utility>

namespace tandem::journal {
namespace {

constexpr std::uint32_t kAll = 0xffffffffu;

template <typename Word>
std::uint32_t MaskOf(const std::vector<Word>& words) {
  if (words.empty()) return kAll;
  std::uint32_t mask = 0;
  for (const Word word : words) mask |= 1u << static_cast<std::uint8_t>(word);
  return mask;
}

template <typename Word>
bool Has(std::uint32_t mask, Word word) {
  return ((mask >> static_cast<std::uint8_t>(word)) & 1u) != 0;
}

bool HasText(const std::vector<std::string>& texts, std::string_view text) {
  return texts.empty() || std::ranges::find(texts, text) != texts.end();
}

bool RowBefore(const IncidentRow& a, const IncidentRow& b) {
  return Before(PlaceOf(a), PlaceOf(b));
}

}  // namespace

bool Before(const IncidentPlace& a, const IncidentPlace& b) {
  if (a.updated != b.updated) return a.updated > b.updated;
  if (a.tenant != b.tenant) return a.tenant < b.tenant;
  return a.number > b.number;
}

IncidentPlace PlaceOf(const IncidentRow& row) {
  return {row.updated, row.tenant.value, row.number};
}

IncidentFilter::IncidentFilter(const IncidentQuery& query)
    : query_(query),
      states_(MaskOf(query.states)),
      severities_(MaskOf(query.severities)),
      sides_(MaskOf(query.sides)) {}

bool IncidentFilter::PassesTexts(std::string_view team, std::string_view rule) const {
  return HasText(query_.teams, team) && HasText(query_.rules, rule);
}

bool IncidentFilter::Passes(const IncidentRow& row) const {
  if (query_.after) {
    const IncidentPlace after = {query_.after->updated, query_.after->tenant.value,
                                 query_.after->number};
    if (!Before(after, PlaceOf(row))) return false;
  }
  return Has(states_, row.state) && Has(severities_, row.severity) && Has(sides_, row.owner_side) &&
         PassesTexts(row.owner_team, row.rule);
}

bool NewestIncidents::Wants(const IncidentPlace& place) const {
  return rows_.size() < limit_ || Before(place, PlaceOf(rows_.front()));
}

void NewestIncidents::Add(IncidentRow row) {
  if (rows_.size() == limit_) {
    std::ranges::pop_heap(rows_, RowBefore);
    rows_.pop_back();
  }
  rows_.push_back(std::move(row));
  std::ranges::push_heap(rows_, RowBefore);
}

std::vector<IncidentRow> NewestIncidents::Take() && {
  std::ranges::sort_heap(rows_, RowBefore);
  return std::move(rows_);
}

}  // namespace tandem::journal
