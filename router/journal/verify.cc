#include "router/journal/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/journal/errors.h"

namespace tandem::journal {
namespace {

constexpr std::uint32_t kStep = 1'000;  // rows a read

// Whether exactly these records were pruned.
absl::StatusOr<bool> WasPruned(Reader& reader, const TenantId& tenant, const PrunedRange& range) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<PrunedRange> ranges, reader.ReadPruned(tenant));
  return std::ranges::find(ranges, range) != ranges.end();
}

// Checks the next records. The reader checks too; this does not rely on it.
absl::Status CheckSomeRecords(Reader& reader, TenantReport& report) {
  absl::Status status;
  std::uint32_t seen = 0;
  const Sequence from = report.records == 0 ? Sequence(1) : report.last.Next();
  const absl::Status read = reader.ReadRecords(report.tenant, from, [&](const RecordRow& row) {
    if (row.sequence != report.last.Next()) {
      const PrunedRange missing{report.last.Next(), Sequence(row.sequence.value - 1)};
      const auto pruned = WasPruned(reader, report.tenant, missing);
      if (!pruned.ok() || !*pruned) {
        status = pruned.ok() ? DamagedRecord(report.tenant, missing.first, "it is missing")
                             : pruned.status();
        return false;
      }
      report.pruned += missing.last.value - missing.first.value + 1;
      report.head = row.previous;
    }
    if (report.records == 0) report.first = row.sequence;
    if (row.previous != report.head) {
      status = DamagedRecord(report.tenant, row.sequence, "it is not chained to the record before");
      return false;
    }
    if (row.hash != ChainHash(row.previous, report.tenant, row.sequence, row.time, row.body)) {
      status = DamagedRecord(report.tenant, row.sequence, "its bytes do not fit its hash");
      return false;
    }
    report.last = row.sequence;
    report.head = row.hash;
    report.bytes += row.body.size();
    ++report.records;
    return ++seen < kStep;
  });
  return status.ok() ? read : status;
}

absl::Status CheckRecords(Reader& reader, const TenantHead& head, TenantReport& report) {
  // The head may move while this reads; what is newer than `head` is not asked for.
  while (report.last < head.sequence) {
    const Sequence before = report.last;
    TANDEM_RETURN_IF_ERROR(CheckSomeRecords(reader, report));
    if (report.last == before) {
      return DamagedRecord(report.tenant, before.Next(), "it is missing");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckEvents(Reader& reader, const TenantReport& report) {
  Sequence after;
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const auto events, reader.ListEvents(report.tenant, after, kStep));
    if (events.empty()) return absl::OkStatus();
    after = events.back().sequence;
  }
}

// The newest event must have its record: otherwise records were cut off.
absl::Status CheckTail(Reader& reader, const TenantReport& report) {
  TANDEM_ASSIGN_OR_RETURN(const auto events, reader.ListEvents(report.tenant, report.last, 1));
  if (events.empty()) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const auto record,
                          reader.ReadRecord(report.tenant, events.front().sequence));
  if (record) return absl::OkStatus();
  return DamagedRecord(report.tenant, events.front().sequence,
                       "it is missing, its events are there");
}

absl::Status CheckIncidents(Reader& reader, const TenantReport& report) {
  IncidentQuery query{.tenants = {report.tenant}, .limit = kStep};
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const auto incidents, reader.ListIncidents(query));
    if (incidents.empty()) return absl::OkStatus();
    const IncidentRow& last = incidents.back();
    query.after = {last.updated, last.tenant, last.number};
  }
}

absl::Status CheckTenant(Reader& reader, const TenantHead& head, TenantReport& report) {
  TANDEM_RETURN_IF_ERROR(CheckRecords(reader, head, report));
  TANDEM_RETURN_IF_ERROR(CheckTail(reader, report));
  TANDEM_RETURN_IF_ERROR(CheckEvents(reader, report));
  return CheckIncidents(reader, report);
}

bool IsAskedFor(const VerifyOptions& options, const TenantId& tenant) {
  return options.tenants.empty() ||
         std::ranges::find(options.tenants, tenant) != options.tenants.end();
}

void AddMissing(const VerifyOptions& options, VerifyReport& report) {
  for (const TenantId& tenant : options.tenants) {
    const bool is_there = std::ranges::any_of(
        report.tenants, [&](const TenantReport& one) { return one.tenant == tenant; });
    if (is_there) continue;
    TenantReport missing{.tenant = tenant};
    missing.status = Error(absl::StatusCode::kNotFound, "TENANT_UNKNOWN",
                           fmt::format("journal: tenant {} has no records; see `tandem journal "
                                       "verify` for those that have",
                                       Printable(tenant.value)));
    report.tenants.push_back(std::move(missing));
  }
}

}  // namespace

absl::Status VerifyReport::FirstError() const {
  if (!status.ok()) return status;
  for (const TenantReport& tenant : tenants) {
    if (!tenant.status.ok()) return tenant.status;
  }
  return absl::OkStatus();
}

VerifyReport Verify(Reader& reader, const VerifyOptions& options) {
  VerifyReport report;
  if (options.structure) report.status = reader.CheckStructure();
  const auto heads = reader.ReadHeads();
  if (!heads.ok()) {
    // The text names the record; that of CheckStructure would only name pages.
    report.status = heads.status();
    return report;
  }
  for (const TenantHead& head : *heads) {
    if (!IsAskedFor(options, head.tenant)) continue;
    TenantReport& tenant = report.tenants.emplace_back(TenantReport{.tenant = head.tenant});
    tenant.status = CheckTenant(reader, head, tenant);
  }
  AddMissing(options, report);
  if (report.status.ok()) report.status = reader.ListOpenDeliveries().status();
  return report;
}

}  // namespace tandem::journal
