// What an IncidentQuery asks for, apart from where the rows come from: order, filter and limit.
//
// Pure; each object belongs to one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "router/journal/journal.h"

namespace tandem::journal {

// A place in the order of answers: newest `updated` first, then tenant, then the higher number.
struct IncidentPlace {
  absl::Time updated;
  std::string_view tenant;
  IncidentNumber number;
};
bool Before(const IncidentPlace& a, const IncidentPlace& b);
IncidentPlace PlaceOf(const IncidentRow& row);

// Everything of a query but its tenants and its limit. REQUIRES: the query outlives the filter.
class IncidentFilter {
 public:
  explicit IncidentFilter(const IncidentQuery& query);

  bool Passes(const IncidentRow& row) const;

  // The pieces of it, for rows that are not in memory yet. Bit n of a mask stands for value n.
  std::uint32_t states() const { return states_; }
  std::uint32_t severities() const { return severities_; }
  std::uint32_t sides() const { return sides_; }
  bool PassesTexts(std::string_view team, std::string_view rule) const;

 private:
  const IncidentQuery& query_;
  std::uint32_t states_;
  std::uint32_t severities_;
  std::uint32_t sides_;
};

// Keeps the first `limit` rows in the order of answers, whatever the order they come in.
class NewestIncidents {
 public:
  explicit NewestIncidents(std::uint32_t limit) : limit_(limit) {}

  // False when a row at this place could not be among the first `limit` any more.
  bool Wants(const IncidentPlace& place) const;
  bool Wants(const IncidentRow& row) const { return Wants(PlaceOf(row)); }
  // REQUIRES: Wants(row).
  void Add(IncidentRow row);
  std::vector<IncidentRow> Take() &&;

 private:
  const std::uint32_t limit_;
  std::vector<IncidentRow> rows_;  // a heap, the last in order on top
};

}  // namespace tandem::journal
