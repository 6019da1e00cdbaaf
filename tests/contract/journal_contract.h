// What every journal promises, as one suite: see router/journal/journal.h.
//
// An implementation takes part with a JournalStore and one INSTANTIATE_TEST_SUITE_P over
// JournalContract, and one over DurableJournalContract when it keeps what it holds.
#pragma once

#include <absl/status/statusor.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "router/journal/journal.h"

namespace tandem::testing {

// The place where journals of one implementation keep their rows.
class JournalStore {
 public:
  virtual ~JournalStore() = default;
  // A journal on what the store holds.
  virtual absl::StatusOr<std::unique_ptr<journal::Journal>> Open() = 0;
  // Inverts the bits of byte `offset` of the stored body; false when the store cannot.
  // REQUIRES: no journal of the store is open.
  virtual bool DamageBody(const TenantId& tenant, Sequence sequence, std::size_t offset) = 0;
};

struct JournalKind {
  std::string name;
  std::function<std::unique_ptr<JournalStore>()> make;
};
inline void PrintTo(const JournalKind& kind, std::ostream* out) { *out << kind.name; }

class JournalContract : public ::testing::TestWithParam<JournalKind> {
 protected:
  void SetUp() override;

  // Closes the journal and opens it anew.
  void Reopen();
  // A reader of the journal at hand.
  std::unique_ptr<journal::Reader> NewReader();
  // Appends records 1, 2, … `count` of the tenant, each in a commit of its own.
  void AppendRecords(const TenantId& tenant, int count);

  std::unique_ptr<JournalStore> store_;
  std::unique_ptr<journal::Journal> journal_;
};

// What a journal that outlives its process promises besides. Over the kinds that are durable.
class DurableJournalContract : public JournalContract {};

inline const TenantId kPlant{"plant"};
inline const TenantId kClinic{"clinic"};

std::vector<journal::RecordRow> AllRecords(journal::Reader& reader, const TenantId& tenant,
                                           std::uint64_t from = 1);
// "plant/1" of each.
std::vector<std::string> NamesOf(const absl::StatusOr<std::vector<journal::IncidentRow>>& rows);
// (sequence, incident) of each.
std::vector<std::pair<int, int>> PlacesOf(
    const absl::StatusOr<std::vector<journal::EventRow>>& rows);

// Body of `size` bytes in which every aligned block of 8 bytes is found only once.
std::string DistinctBody(std::uint64_t seed, std::size_t size);

// Rows that differ in what is not given.
journal::RecordRow MakeRecord(const TenantId& tenant, std::uint64_t sequence);
journal::IncidentRow MakeIncident(const TenantId& tenant, std::uint64_t number,
                                  absl::Duration updated);
journal::EventRow MakeEvent(const TenantId& tenant, std::uint64_t sequence, std::uint64_t incident);
journal::DeliveryRow MakeDelivery(const TenantId& tenant, std::uint64_t number);

}  // namespace tandem::testing
